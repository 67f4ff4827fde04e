// SPDX-License-Identifier: Apache-2.0

import Bytes
import Cryptography
import Diagnostics
import Secrets
import TestSupport
import Testing

func secret(_ bytes: [UInt8]) throws -> SecretBytes {
    try SecretBytes(capacity: bytes.count) { output in for byte in bytes { output.append(byte) } }
}

@Suite struct CipherTests {
    static func bytes(_ count: Int, _ random: inout SeededGenerator) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
    }

    static let lengths = [0, 1, 15, 16, 17, 31, 32, 33, 100, 1000, 20000]

    // MARK: GCM

    struct Box {
        var key: [UInt8]
        var nonce: [UInt8]
        var data: [UInt8]
        var plain: [UInt8]

        init(_ random: inout SeededGenerator, length: Int, data: Int) {
            key = CipherTests.bytes(32, &random)
            nonce = CipherTests.bytes(12, &random)
            self.data = CipherTests.bytes(data, &random)
            plain = CipherTests.bytes(length, &random)
        }

        func seal() throws -> [UInt8] {
            try AESGCM.seal(plain.span, key: secret(key), nonce: nonce.span, associatedData: data.span)
        }

        func open(_ sealed: [UInt8]) throws -> [UInt8] {
            let opened = try AESGCM.open(
                sealed.span, key: secret(key), nonce: nonce.span, associatedData: data.span)
            let open = try AESGCM.openPublic(
                sealed.span, key: secret(key), nonce: nonce.span, associatedData: data.span)
            #expect(Array(copying: opened.bytes) == open)
            return open
        }
    }

    /// Python opens what we seal, and we open what Python seals, which is the same.
    @Test func gcmAgreesWithPython() throws {
        var random = Trials.generator("gcm")
        var input: [String] = []
        var ours: [String] = []
        for length in Self.lengths {
            for data in [0, 1, 16, 77] {
                let box = Box(&random, length: length, data: data)
                input.append(
                    [box.key, box.nonce, box.data, box.plain].map { Hex.encode($0) }.joined(separator: ","))
                let sealed = try box.seal()
                #expect(try box.open(sealed) == box.plain)
                ours.append(Hex.encode(sealed))
            }
        }
        let script = """
            import sys
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM
            for line in sys.stdin.read().split('\\n'):
                key, nonce, data, plain = map(bytes.fromhex, line.split(','))
                print(AESGCM(key).encrypt(nonce, plain, data).hex())
            """
        let theirs = try Command.python(script, input: Array(input.joined(separator: "\n").utf8)).text
        #expect(theirs.split(separator: "\n").map(String.init) == ours)
    }

    @Test func gcmRefusesEveryChange() throws {
        var random = Trials.generator("gcm.change")
        let box = Box(&random, length: 20, data: 5)
        let sealed = try box.seal()
        func refuses(_ box: Box, _ sealed: [UInt8], _ what: String) {
            let error = #expect(throws: CryptographyError.self, "\(what)") { try box.open(sealed) }
            #expect(error?.code == .notAuthentic)
        }
        for bit in 0..<8 * sealed.count {
            var changed = sealed
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            refuses(box, changed, "sealed bit \(bit)")
        }
        for place in box.key.indices {
            var other = box
            other.key[place] ^= 0x80
            refuses(other, sealed, "key byte \(place)")
        }
        for place in box.nonce.indices {
            var other = box
            other.nonce[place] ^= 1
            refuses(other, sealed, "nonce byte \(place)")
        }
        for data in [[], box.data.dropLast(), box.data + [0], box.data.reversed()] as [[UInt8]] {
            var other = box
            other.data = data
            refuses(other, sealed, "associated data")
        }
        refuses(box, Array(sealed.dropLast()), "cut")
        refuses(box, sealed + [0], "longer")
    }

    @Test func gcmRefusesWrongLengths() throws {
        var random = Trials.generator("gcm.lengths")
        let box = Box(&random, length: 20, data: 5)
        for (key, nonce, message) in [
            (31, 12, "an AES-256-GCM key has 31 bytes, expected 32"),
            (16, 12, "an AES-256-GCM key has 16 bytes, expected 32"),
            (32, 11, "an AES-256-GCM nonce has 11 bytes, expected 12"),
            (32, 0, "an AES-256-GCM nonce has 0 bytes, expected 12"),
        ] {
            var other = box
            other.key = Array(repeating: 1, count: key)
            other.nonce = Array(repeating: 1, count: nonce)
            let error = #expect(throws: CryptographyError.self) { try other.seal() }
            #expect(error?.message == message)
        }
        let error = #expect(throws: CryptographyError.self) { try box.open([UInt8](repeating: 0, count: 15)) }
        #expect(error?.message == "sealed data has 15 bytes, expected 16 or more")
    }

    // MARK: CFB

    @Test func cfbAgreesWithPython() throws {
        var random = Trials.generator("cfb")
        var input: [String] = []
        var ours: [String] = []
        for length in Self.lengths {
            for size in [16, 24, 32] {
                let key = Self.bytes(size, &random)
                let iv = Self.bytes(16, &random)
                let plain = Self.bytes(length, &random)
                let sealed = try AESCFB.encrypt(plain.span, key: secret(key), iv: iv.span)
                let opened = try AESCFB.decrypt(sealed.span, key: secret(key), iv: iv.span)
                #expect(Array(copying: opened.bytes) == plain)
                input.append([key, iv, plain].map { Hex.encode($0) }.joined(separator: ","))
                ours.append("=" + Hex.encode(sealed))
            }
        }
        let script = """
            import sys, warnings
            warnings.simplefilter('ignore')
            from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
            try:
                from cryptography.hazmat.decrepit.ciphers.modes import CFB
            except ImportError:
                from cryptography.hazmat.primitives.ciphers.modes import CFB
            for line in sys.stdin.read().split('\\n'):
                key, iv, plain = map(bytes.fromhex, line.split(','))
                run = Cipher(algorithms.AES(key), CFB(iv)).encryptor()
                print('=' + (run.update(plain) + run.finalize()).hex())
            """
        let theirs = try Command.python(script, input: Array(input.joined(separator: "\n").utf8)).text
        #expect(theirs.split(separator: "\n").map(String.init) == ours)
    }

    @Test(arguments: [(0, 16), (15, 16), (33, 16), (16, 15), (16, 0), (16, 17)])
    func cfbRefusesWrongLengths(_ key: Int, _ iv: Int) throws {
        let text = DigestTests.text(5)
        let iv = [UInt8](repeating: 1, count: iv)
        let error = #expect(throws: CryptographyError.self) {
            try AESCFB.encrypt(text.span, key: secret([UInt8](repeating: 1, count: key)), iv: iv.span)
        }
        #expect(error?.code == .wrongLength)
    }
}
