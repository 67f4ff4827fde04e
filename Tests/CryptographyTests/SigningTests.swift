// SPDX-License-Identifier: Apache-2.0

import Bytes
import Cryptography
import Diagnostics
import Foundation
import TestSupport
import Testing

@Suite struct SigningTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var key: KeyAlgorithm
        var algorithm: SignatureAlgorithm
        var testDescription: String { "\(key.rawValue) \(algorithm)" }
        /// The word by which the scripts know it.
        var word: String {
            switch algorithm {
            case .rsaPKCS1(let digest): "pkcs1 \(digest.rawValue)"
            case .rsaPSS(let digest): "pss \(digest.rawValue)"
            case .ecdsa(let digest): "ecdsa \(digest.rawValue)"
            case .ed25519: "ed25519 none"
            }
        }
    }

    static let cases = KeyAlgorithm.allCases.flatMap { key in
        TestKeys.algorithms(key).map { Case(key: key, algorithm: $0) }
    }

    static func sign(_ message: [UInt8], _ handle: SigningHandle) throws -> [UInt8] {
        guard let digest = handle.algorithm.digest else { return try handle.sign(message: message.span) }
        return try handle.sign(Digest(hashing: message.span, with: digest))
    }

    static func isValid(_ signature: [UInt8], _ message: [UInt8], _ handle: VerifyingHandle) throws -> Bool {
        guard let digest = handle.algorithm.digest else {
            return try handle.isValid(signature.span, forMessage: message.span)
        }
        return try handle.isValid(signature.span, for: Digest(hashing: message.span, with: digest))
    }

    @Test(arguments: cases)
    func signsAndVerifies(_ example: Case) throws {
        let handle = try SigningHandle(TestKeys.key(example.key), example.algorithm)
        // More than one call, so that a used context serves again.
        for length in [0, 1, 100, 5000] {
            let message = DigestTests.text(length)
            let signature = try Self.sign(message, handle)
            #expect(try Self.isValid(signature, message, handle.verifying))
            #expect(try !Self.isValid(signature, message + [0], handle.verifying))
            #expect(try Self.isValid(signature, message, handle.verifying))
        }
    }

    @Test(arguments: cases)
    func refusesAnyFlippedBit(_ example: Case) throws {
        let handle = try SigningHandle(TestKeys.key(example.key), example.algorithm)
        let message = DigestTests.text(40)
        let signature = try Self.sign(message, handle)
        var random = Trials.generator("flip." + example.testDescription)
        let bits = 8 * signature.count
        let chosen = Trials.count(12, full: bits)
        for bit in chosen == bits
            ? Array(0..<bits) : (0..<chosen).map({ _ in Int.random(in: 0..<bits, using: &random) })
        {
            var changed = signature
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(try !Self.isValid(changed, message, handle.verifying), "bit \(bit)")
        }
        for wrong in [
            [], [0], Array(signature.dropLast()), signature + [0], [UInt8](repeating: 0, count: 4096),
        ] {
            #expect(try !Self.isValid(wrong, message, handle.verifying), "\(wrong.count) bytes")
        }
    }

    /// Our signatures verify in Python, Python's with the same key verify here, and each refuses the other's
    /// signature over another message.
    @Test func agreesWithPythonBothWays() throws {
        let message = DigestTests.text(333)
        var input: [String] = []
        for example in Self.cases {
            let handle = try SigningHandle(TestKeys.key(example.key), example.algorithm)
            let words = [
                example.word, Hex.encode(try TestKeys.pkcs8(example.key)),
                Hex.encode(try Self.sign(message, handle)),
            ]
            input.append(words.joined(separator: " "))
        }
        let output = try Command.python(Self.python, input: Array(input.joined(separator: "\n").utf8)).text
        let lines = output.split(separator: "\n")
        try #require(lines.count == Self.cases.count)
        for (example, line) in zip(Self.cases, lines) {
            let theirs = try Hex.decode(String(line))
            let handle = try VerifyingHandle(TestKeys.key(example.key).publicKey, example.algorithm)
            #expect(try Self.isValid(theirs, message, handle), "\(example.testDescription)")
            #expect(try !Self.isValid(theirs, message + [0], handle), "\(example.testDescription)")
        }
    }

    /// Reads `padding digest pkcs8 signature` a line, checks ours and prints its own.
    static let python = """
        import sys
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec, padding
        from cryptography.hazmat.primitives.serialization import load_der_private_key
        message = bytes((i * 7 + i // 251) & 255 for i in range(333))
        for line in sys.stdin.read().split('\\n'):
            sort, digest, key, ours = line.split(' ')
            key, ours = load_der_private_key(bytes.fromhex(key), None), bytes.fromhex(ours)
            hash = getattr(hashes, digest.upper())() if digest != 'none' else None
            extra = {
                'pkcs1': lambda: [padding.PKCS1v15(), hash],
                'pss': lambda: [padding.PSS(padding.MGF1(hash), hash.digest_size), hash],
                'ecdsa': lambda: [ec.ECDSA(hash)],
                'ed25519': lambda: []}[sort]()
            key.public_key().verify(ours, message, *extra)
            try:
                key.public_key().verify(ours, message + b'x', *extra)
                sys.exit('another message verified')
            except InvalidSignature:
                pass
            print(key.sign(message, *extra).hex())
        """

    /// The openssl command takes our signatures, and we take its.
    @Test(arguments: cases)
    func agreesWithOpenSSL(_ example: Case) throws {
        let folder = try TemporaryFolder()
        let message = DigestTests.text(77)
        let handle = try SigningHandle(TestKeys.key(example.key), example.algorithm)
        try folder.write("key", try TestKeys.pkcs8(example.key))
        try folder.write("message", message)
        try folder.write("ours", try Self.sign(message, handle))
        var common = ["-keyform", "DER", "-inkey", "key", "-rawin", "-in", "message"]
        if let digest = example.algorithm.digest { common += ["-digest", digest.rawValue] }
        if case .rsaPSS = example.algorithm {
            common += ["-pkeyopt", "rsa_padding_mode:pss", "-pkeyopt", "rsa_pss_saltlen:digest"]
        }
        let verdict = try Command.run(
            ["openssl", "pkeyutl", "-verify", "-sigfile", "ours"] + common, folder: folder.path)
        #expect(verdict.status == 0, "\(verdict.text)\(verdict.errorText)")
        try Command.check(["openssl", "pkeyutl", "-sign", "-out", "theirs"] + common, folder: folder.path)
        #expect(try Self.isValid(folder.read("theirs"), message, handle.verifying))
    }

    @Test func oneKeyServesManyThreadsAtOnce() async throws {
        for algorithm in [KeyAlgorithm.p256, .ed25519, .rsa2048] {
            let how = try #require(TestKeys.algorithms(algorithm).first)
            let handle = try SigningHandle(TestKeys.key(algorithm), how)
            let rounds = Trials.count(20, full: 1000)
            let good = await withTaskGroup(of: Int.self) { group in
                for worker in 0..<8 {
                    group.addTask {
                        (0..<rounds).count { round in
                            let message = Array("\(worker) \(round)".utf8)
                            guard let signature = try? Self.sign(message, handle) else { return false }
                            return (try? Self.isValid(signature, message, handle.verifying)) == true
                        }
                    }
                }
                return await group.reduce(0, +)
            }
            #expect(good == 8 * rounds)
        }
    }

    @Test func aHandleKeepsItsKey() throws {
        weak var key: PrivateKey?
        let handle: SigningHandle
        do {
            let made = try PrivateKey.generate(.p256)
            key = made
            handle = try SigningHandle(made, .ecdsa(.sha256))
        }
        #expect(key != nil)
        let message = DigestTests.text(9)
        #expect(try Self.isValid(Self.sign(message, handle), message, handle.verifying))
    }

    @Test func verifiesWhatItSigns() throws {
        let digest = Digest(hashing: DigestTests.text(9).span, with: .sha256)
        let handle = try SigningHandle(TestKeys.key(.p256), .ecdsa(.sha256))
        let signature = try handle.signAndVerify(digest)
        #expect(try handle.verifying.isValid(signature.span, for: digest))
        let message = DigestTests.text(9)
        let plain = try SigningHandle(TestKeys.key(.ed25519), .ed25519)
        let other = try plain.signAndVerify(message: message.span)
        #expect(try plain.verifying.isValid(other.span, forMessage: message.span))
    }

    @Test(arguments: [
        (KeyAlgorithm.rsa2048, SignatureAlgorithm.ecdsa(.sha256)), (.p256, .rsaPKCS1(.sha256)),
        (.ed25519, .ecdsa(.sha256)),
        (.p384, .ed25519), (.rsa2048, .rsaPKCS1(.weakSHA1)), (.rsa2048, .rsaPSS(.weakMD5)),
        (.p256, .ecdsa(.weakSHA1)),
    ])
    func refusesWhatDoesNotFit(_ key: KeyAlgorithm, _ algorithm: SignatureAlgorithm) throws {
        let key = try TestKeys.key(key)
        let signing = #expect(throws: CryptographyError.self) { try SigningHandle(key, algorithm) }
        #expect(signing?.code == .algorithmMismatch)
        #expect(throws: CryptographyError.self) { try VerifyingHandle(key.publicKey, algorithm) }
    }

    @Test func refusesAnotherDigestAndMessagesWhereDigestsAreSigned() throws {
        let text = DigestTests.text(9)
        let handle = try SigningHandle(TestKeys.key(.p256), .ecdsa(.sha256))
        let other = Digest(hashing: text.span, with: .sha384)
        let error = #expect(throws: CryptographyError.self) { try handle.sign(other) }
        #expect(error?.message == "ECDSA with sha256 was given a sha384 digest")
        #expect(throws: CryptographyError.self) { try handle.verifying.isValid(text.span, for: other) }
        #expect(throws: CryptographyError.self) { try handle.sign(message: text.span) }
        let plain = try SigningHandle(TestKeys.key(.ed25519), .ed25519)
        #expect(throws: CryptographyError.self) { try plain.sign(other) }
    }
}
