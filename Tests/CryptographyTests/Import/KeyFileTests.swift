// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Foundation
import Secrets
import TestSupport
import Testing

@testable import Cryptography

@Suite struct KeyFileTests {
    @Test(arguments: KeyAlgorithm.allCases)
    func readsEveryEncoding(_ algorithm: KeyAlgorithm) throws {
        let made = try KeyMaker.key(algorithm)
        #expect(made.files.count >= 20)
        for (name, file) in made.files.sorted(by: { $0.key < $1.key }) {
            do {
                let read = try file.read()
                #expect(read.key.algorithm == algorithm, "\(name)")
                #expect(try read.key.publicKey.spki() == [UInt8](made.spki), "\(name)")
                #expect((read.certificate != nil) == name.hasPrefix("pkcs12"), "\(name)")
                #expect(read.chain.count == (name == "pkcs12-python" ? 1 : 0), "\(name)")
            } catch {
                Issue.record("\(name): \(error)")
            }
        }
    }

    @Test(arguments: KeyAlgorithm.allCases)
    func readsWhatItWrites(_ algorithm: KeyAlgorithm) throws {
        let key = try PrivateKey.generate(algorithm)
        let file = try key.pkcs8()
        let read = try KeyFile(file)
        #expect(try read.key.publicKey.spki() == key.publicKey.spki())
        let again = try PrivateKey.unsealed(pkcs8: file.bytes)
        #expect(try again.matches(key.publicKey))
        let written = try again.pkcs8()
        let isSame = written.isEqualInConstantTime(to: file)
        #expect(isSame)
    }

    @Test(arguments: [
        ("two-keys", "key-file-ambiguous"), ("key-and-certificate", "key-file-ambiguous"),
        ("trailing-der", "key-file-ambiguous"), ("trailing-encrypted", "key-file-ambiguous"),
        ("truncated-der", "key-malformed"), ("truncated-pem", "key-malformed"), ("empty", "key-malformed"),
        ("text", "key-malformed"), ("public-key", "key-malformed"), ("certificate", "key-malformed"),
        ("wrong-passphrase", "passphrase-wrong"), ("no-passphrase", "passphrase-missing"),
        ("unneeded", "passphrase-unneeded"), ("unneeded-pem", "passphrase-unneeded"),
        ("legacy-wrong-passphrase", "passphrase-wrong"), ("legacy-no-passphrase", "passphrase-missing"),
        ("pkcs12-wrong-passphrase", "passphrase-wrong"), ("pkcs12-no-passphrase", "passphrase-missing"),
        ("pkcs12-trailing", "key-file-ambiguous"), ("pkcs12-damaged", "passphrase-wrong"),
        ("pkcs12-rc2", "key-encryption-not-supported"), ("pkcs12-without-key", "key-malformed"),
        ("pkcs8-rc2", "key-encryption-not-supported"), ("dsa", "key-not-supported"),
        ("secp256k1", "key-not-supported"), ("secp256k1-sec1", "key-not-supported"),
        ("p-521", "key-not-supported"), ("rsa-1024", "key-not-supported"), ("x25519", "key-not-supported"),
        ("ed448", "key-not-supported"), ("explicit-parameters", "key-not-supported"),
        ("openssh", "key-not-supported"), ("wrong-point", "key-weak"), ("wrong-pair", "key-pair-mismatch"),
    ])
    func refuses(_ name: String, _ code: String) throws {
        let file = try #require(KeyMaker.made.get().bad[name])
        let error = #expect(throws: CryptographyError.self) { try file.read() }
        #expect(error?.code.id == code, "\(error?.message ?? "")")
    }

    @Test func everyBadFileHasItsRow() throws {
        #expect(try KeyMaker.made.get().bad.count == 35)
    }

    /// PEM may have text around it; what stands behind the block is no key.
    @Test func takesTextAroundPEM() throws {
        let file = try #require(KeyMaker.made.get().bad["trailing-pem"])
        #expect(try file.read().key.algorithm == .p256)
    }

    @Test func refusesWeakKeys() throws {
        for (name, expected) in [
            ("roca", "ROCA"), ("close", "close"), ("e=3", "65537"), ("composite", "prime"),
        ] {
            let made = try #require(KeyMaker.made.get().flawed[name])
            let script = """
                import sys, json
                numbers = {k: int(v, 16) for k, v in json.load(sys.stdin).items()}
                n, e, d, p, q = (numbers[k] for k in "nedpq")
                def length(n):
                    if n < 128: return bytes([n])
                    return bytes([0x81, n]) if n < 256 else bytes([0x82]) + n.to_bytes(2, "big")
                def integer(v):
                    b = v.to_bytes(v.bit_length() // 8 + 1, "big"); return b"\\2" + length(len(b)) + b
                body = b"".join(integer(v) for v in (0, n, e, d, p, q, d % (p - 1), d % (q - 1), pow(q, -1, p)))
                sys.stdout.buffer.write(b"\\x30" + length(len(body)) + body)
                """
            let der = try Command.python(script, input: [UInt8](JSONEncoder().encode(made))).stdout
            let file = try locked(der)
            let error = #expect(throws: CryptographyError.self) { try KeyFile(file) }
            #expect(error?.code.id == "key-weak", "\(name)")
            #expect(error?.message.contains(expected) == true, "\(name): \(error?.message ?? "")")
        }
    }

    /// No file, cut off or with a byte changed, makes a key of another pair, or a trap.
    @Test func survivesDamage() throws {
        var random = Trials.generator("damaged keys")
        let made = try KeyMaker.key(.p256)
        for name in ["pkcs8.der", "traditional.der", "traditional.pem", "pkcs12-open-key"] {
            let file = try #require(made.files[name])
            for _ in 0..<Trials.count(20, full: 2_000) {
                var damaged = file
                let place = Int.random(in: 0..<file.bytes.count, using: &random)
                if Bool.random(using: &random) {
                    damaged.bytes = Data(file.data.prefix(place))
                } else {
                    var bytes = file.data
                    bytes[place] ^= UInt8.random(in: 1...255, using: &random)
                    damaged.bytes = Data(bytes)
                }
                do {
                    let key = try damaged.read().key
                    #expect(try key.publicKey.spki() == [UInt8](made.spki), "\(name) at \(place)")
                } catch is CryptographyError {
                }
            }
        }
    }
}

extension KeyMaker.File {
    func read() throws -> KeyFile {
        let file = try locked(data)
        guard let passphrase else { return try KeyFile(file) }
        let phrase = try locked(Array(passphrase.utf8))
        return try KeyFile(file, passphrase: phrase)
    }
}
