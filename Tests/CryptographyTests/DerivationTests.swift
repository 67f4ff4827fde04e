// SPDX-License-Identifier: Apache-2.0

import Bytes
import Cryptography
import Diagnostics
import Secrets
import TestSupport
import Testing

@Suite struct DerivationTests {
    static let digests: [DigestAlgorithm] = [.sha224, .sha256, .sha384, .sha512]

    @Test func hmacAgreesWithPython() throws {
        var random = Trials.generator("hmac")
        var input: [String] = []
        var ours: [String] = []
        for digest in Self.digests {
            for (keyLength, length) in [(1, 0), (20, 50), (64, 64), (65, 1), (128, 200), (131, 3000)] {
                let key = CipherTests.bytes(keyLength, &random)
                let message = CipherTests.bytes(length, &random)
                let code = try HMAC.code(for: message.span, key: secret(key), with: digest)
                #expect(try HMAC.isValid(code.span, for: message.span, key: secret(key), with: digest))
                input.append("\(digest.rawValue),\(Hex.encode(key)),\(Hex.encode(message))")
                ours.append(Hex.encode(code))
            }
        }
        let script = """
            import hmac, sys
            for line in sys.stdin.read().split('\\n'):
                digest, key, message = line.split(',')
                print(hmac.new(bytes.fromhex(key), bytes.fromhex(message), digest).hexdigest())
            """
        let theirs = try Command.python(script, input: Array(input.joined(separator: "\n").utf8)).text
        #expect(theirs.split(separator: "\n").map(String.init) == ours)
    }

    @Test func hmacRefusesEveryChange() throws {
        let message = DigestTests.text(50)
        let key = [UInt8](repeating: 7, count: 32)
        let code = try HMAC.code(for: message.span, key: secret(key), with: .sha256)
        for bit in 0..<8 * code.count {
            var changed = code
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(try !HMAC.isValid(changed.span, for: message.span, key: secret(key), with: .sha256))
        }
        for wrong in [[], Array(code.dropLast()), code + [0]] {
            #expect(try !HMAC.isValid(wrong.span, for: message.span, key: secret(key), with: .sha256))
        }
        let other = message + [0]
        #expect(try !HMAC.isValid(code.span, for: other.span, key: secret(key), with: .sha256))
        #expect(throws: CryptographyError.self) {
            try HMAC.code(for: other.span, key: secret([]), with: .sha256)
        }
        #expect(throws: CryptographyError.self) {
            try HMAC.code(for: other.span, key: secret(key), with: .weakMD5)
        }
    }

    @Test func hkdfAgreesWithPython() throws {
        var random = Trials.generator("hkdf")
        var input: [String] = []
        var ours: [String] = []
        for digest in Self.digests {
            for (count, salt, info) in [
                (1, 0, 0), (32, 16, 10), (64, 0, 80), (100, 1024, 1024), (255 * digest.count, 13, 0),
            ] {
                let key = CipherTests.bytes(32, &random)
                let salt = CipherTests.bytes(salt, &random)
                let info = CipherTests.bytes(info, &random)
                let derived = try HKDF.derive(
                    count, from: secret(key), salt: salt.span, info: info.span, with: digest)
                ours.append(Hex.encode(Array(copying: derived.bytes)))
                let words = [digest.rawValue, "\(count)"] + [key, salt, info].map { Hex.encode($0) }
                input.append(words.joined(separator: ","))
            }
        }
        let script = """
            import sys
            from cryptography.hazmat.primitives import hashes
            from cryptography.hazmat.primitives.kdf.hkdf import HKDF
            for line in sys.stdin.read().split('\\n'):
                digest, count, *rest = line.split(',')
                key, salt, info = map(bytes.fromhex, rest)
                kdf = HKDF(getattr(hashes, digest.upper())(), int(count), salt or None, info)
                print(kdf.derive(key).hex())
            """
        let theirs = try Command.python(script, input: Array(input.joined(separator: "\n").utf8)).text
        #expect(theirs.split(separator: "\n").map(String.init) == ours)
    }

    @Test(arguments: [(0, 32, 0), (255 * 32 + 1, 32, 0), (32, 0, 0), (32, 32, 1025)])
    func hkdfRefusesWrongLengths(_ count: Int, _ key: Int, _ info: Int) throws {
        let info = [UInt8](repeating: 0, count: info)
        let none: [UInt8] = []
        let error = #expect(throws: CryptographyError.self) {
            _ = try HKDF.derive(
                count, from: secret([UInt8](repeating: 1, count: key)), salt: none.span, info: info.span,
                with: .sha256)
        }
        #expect(error?.code == .wrongLength)
    }
}
