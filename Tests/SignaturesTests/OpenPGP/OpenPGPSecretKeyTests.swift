// SPDX-License-Identifier: Apache-2.0

import Bytes
import Cryptography
import Diagnostics
import Secrets
import TestSupport
import Testing

@testable import Signatures

@Suite struct OpenPGPSecretKeyTests {
    static let content = Array("content".utf8)

    static func secret(_ bytes: [UInt8]) throws -> SecretBytes { try SecretBytes(copying: bytes.span) }

    static func keys(_ file: [UInt8], _ passphrase: String? = "secret") throws -> OpenPGPSecretKeys {
        guard let passphrase else { return try OpenPGPSecretKeys(secret(file)) }
        return try OpenPGPSecretKeys(secret(file), passphrase: secret(Array(passphrase.utf8)))
    }

    static func code(_ file: [UInt8], _ passphrase: String? = "secret") -> ErrorCode? {
        CertificateDraftTests.code { try keys(file, passphrase) }
    }

    static func areSame(_ one: PrivateKey, _ other: PrivateKey) throws -> Bool {
        let first = try one.pkcs8()
        let second = try other.pkcs8()
        return first.isEqualInConstantTime(to: second)
    }

    /// A signature of the key that signs now, as gpgv and we see it.
    static func check(_ keys: OpenPGPSecretKeys, _ certificate: OpenPGPCertificate) throws {
        let (key, signer) = try keys.signingKey(at: TestKeys.now + 3_600)
        let draft = try OpenPGPSignatureDraft(
            content: content, digest: .sha512, signer: signer, created: TestKeys.now + 3_600)
        let packet = try draft.signed(by: SigningHandle(key, draft.algorithm))
        // Made by the key's clock, which may be ahead of gpgv's.
        let verdict = try certificate.verdict(
            on: OpenPGPSignature(packet), content: content, at: TestKeys.now + 3_600)
        #expect(verdict.isValid, "\(verdict)")
    }

    // MARK: GnuPG's files

    @Test(arguments: ["rsa2048", "ed25519", "nistp256", "nistp384"])
    func importsWhatGnuPGExports(_ algorithm: String) throws {
        let gpg = try GnuPG()
        let lock = ["--passphrase", "secret"]
        try gpg.run(lock + ["--quick-generate-key", "Q <q@x>", algorithm, "cert,sign", "never"])
        let certificate = try gpg.certificate("q@x")
        let print = Hex.encode(certificate.fingerprint, .upper)
        let file = try gpg.run(lock + ["--export-secret-keys", "q@x"]).stdout
        let keys = try Self.keys(file)
        #expect(keys.certificate == certificate)
        #expect(try keys.key(certificate.primary.key).publicKey == certificate.primary.key.publicKey)
        try Self.check(keys, certificate)
        let armored = try gpg.run(lock + ["--armor", "--export-secret-keys", "q@x"]).stdout
        #expect(try Self.keys(armored).certificate == certificate)
        #expect(Self.code(file, "Secret") == .passphraseWrong)
        #expect(Self.code(file, "") == .passphraseWrong)
        #expect(Self.code(file, nil) == .passphraseMissing)

        // With subkeys, for signing and for encrypting, and with the primary kept elsewhere.
        try gpg.run(lock + ["--quick-add-key", print, "ed25519", "sign"])
        try gpg.run(lock + ["--quick-add-key", print, "cv25519", "encr"])
        let whole = try Self.keys(gpg.run(lock + ["--export-secret-keys", "q@x"]).stdout)
        #expect(whole.certificate.subkeys.count == 2)
        let subkey = try #require(whole.certificate.subkeys.first { $0.maySign })
        #expect(try whole.signingKey(at: TestKeys.now + 3_600).1.key == subkey.key)
        try Self.check(whole, gpg.certificate("q@x"))
        let offline = try Self.keys(gpg.run(lock + ["--export-secret-subkeys", "q@x"]).stdout)
        try Self.check(offline, gpg.certificate("q@x"))
        let error = #expect(throws: SignaturesError.self) { try offline.key(certificate.primary.key) }
        #expect(error?.code == .keyNotSupported && error?.message.contains("gnu-dummy") == true)
    }

    @Test(.needs(.program("sq"))) func importsWhatIsNotLocked() throws {
        let gpg = try GnuPG()
        try gpg.run(["--quick-generate-key", "Q <q@x>", "ed25519", "cert,sign", "never"])
        let file = try gpg.run(["--export-secret-keys", "q@x"]).stdout
        try Self.check(Self.keys(file, nil), gpg.certificate("q@x"))
        #expect(Self.code(file, "secret") == .passphraseUnneeded)
        let key = gpg.folder.path + "/sq.pgp"
        try Command.check(["sq", "key", "generate", "--userid", "A <a@x>", "--export", key])
        let text = try gpg.folder.read("sq.pgp")
        let certificate = try Command.check(["sq", "key", "extract-cert", "--binary", key]).stdout
        try Self.check(Self.keys(text, nil), OpenPGPCertificate(certificate))
        // A public key is none.
        #expect(Self.code(try gpg.run(["--export", "q@x"]).stdout, nil) == .keyMalformed)
        // The key, and then another.
        #expect(Self.code(file + file, nil) == .keyFileAmbiguous)
    }

    // MARK: Ours

    static let owners: [(KeyAlgorithm, KeyAlgorithm?)] = [
        (.rsa2048, .ed25519), (.p256, nil), (.p384, .rsa3072), (.ed25519, .p256),
    ]

    /// GnuPG imports what is written here and signs with it; what it exports is the same key.
    @Test(arguments: owners)
    func gpgImportsOurs(_ algorithm: KeyAlgorithm, _ subkey: KeyAlgorithm?) throws {
        let owner = try TestOwner(algorithm, subkey: subkey)
        let all = [owner.primary] + (owner.subkey.map { [$0] } ?? [])
        let keys = try OpenPGPSecretKeys(owner.certificate, keys: all)
        let file = try keys.locked(under: Self.secret(Array("secret".utf8)))
        #expect(try Self.keys(file).certificate == owner.certificate)
        let gpg = try GnuPG()
        let lock = ["--passphrase", "secret"]
        try gpg.run(lock + ["--import"], input: file)
        let signed = try gpg.run(
            lock + ["--digest-algo", "SHA512", "--detach-sign", "--output", "-"], input: Self.content
        ).stdout
        let verdict = try owner.certificate.verdict(
            on: OpenPGPSignature(signed), content: Self.content, at: TestKeys.now + 3_600)
        #expect(verdict.isValid)
        let again = try Self.keys(gpg.run(lock + ["--export-secret-keys", "farm@example.com"]).stdout)
        for (key, component) in zip(all, [owner.certificate.primary] + owner.certificate.subkeys) {
            // GnuPG computes the numbers of RSA anew.
            let theirs = try again.key(component.key)
            #expect(theirs.publicKey == key.publicKey)
            if key.algorithm.family != .rsa { #expect(try Self.areSame(key, theirs)) }
        }
        // The primary stays at home.
        guard let inner = owner.subkey else { return }
        let travelling = try OpenPGPSecretKeys(owner.certificate, keys: [inner])
        let part = try travelling.locked(under: Self.secret(Array("secret".utf8)))
        let other = try GnuPG()
        try other.run(lock + ["--import"], input: part)
        let listed = try other.run(["--with-colons", "--list-secret-keys"]).text
        #expect(
            listed.split(separator: "\n").first { $0.hasPrefix("sec") }?.split(
                separator: ":", omittingEmptySubsequences: false)[14] == "#")
        #expect(try Self.keys(part).certificate == owner.certificate)
        try Self.check(Self.keys(part), owner.certificate)
    }

    /// Numbers that begin with zeros are written without them.
    @Test func shortSeeds() throws {
        let seed = [0, 0] + [UInt8](repeating: 7, count: 30)
        let key = try PrivateKey.ed25519(seed: seed.span)
        let certificate = try OpenPGPCertificateDraft(
            userID: "Short", key: key.publicKey, created: TestOwner.created
        ).signed(by: SigningHandle(key, .ed25519))
        let file = try OpenPGPSecretKeys(certificate, keys: [key]).locked(under: Self.secret([1]), count: 0)
        let read = try OpenPGPSecretKeys(Self.secret(file), passphrase: Self.secret([1]))
        #expect(try Self.areSame(key, read.key(certificate.primary.key)))
    }

    /// The vectors are computed by Python, as the format tells.
    @Test(arguments: [(DigestAlgorithm.weakSHA1, 32), (.sha256, 16), (.sha256, 32), (.sha512, 24)])
    func passphrasesAreStretched(_ digest: DigestAlgorithm, _ length: Int) throws {
        let script = """
            import hashlib, sys
            name, length, count, salt, phrase = sys.argv[1], *map(int, sys.argv[2:4]), *map(bytes.fromhex, sys.argv[4:])
            data = salt + phrase; count = max(count, len(data)); key = b''; n = 0
            while len(key) < length:
                h = hashlib.new(name); h.update(bytes(n)); h.update((data * (count // len(data) + 1))[:count])
                key += h.digest(); n += 1
            print(key[:length].hex())
            """
        for (count, phrase) in [(0, "a"), (1024, "correct horse"), (65_536 * 3 + 5, ""), (65_011_712, "pß")] {
            let salt: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8]
            let wanted = try Command.python(
                script,
                arguments: [
                    digest == .weakSHA1 ? "sha1" : digest.rawValue, "\(length)", "\(count)", Hex.encode(salt),
                    Hex.encode(Array(phrase.utf8)),
                ]
            ).text
            let passphrase = try Self.secret(Array(phrase.utf8))
            let key = try IteratedSalt.key(
                from: passphrase.bytes, salt: salt, count: count, digest: digest, length: length)
            #expect(Hex.encode(key.bytes) + "\n" == wanted)
        }
        #expect(IteratedSalt.count(coded: 0) == 1024 && IteratedSalt.count(coded: 255) == 65_011_712)
    }

    // MARK: Refusals

    /// A stub for all there is, a card, and ways of locking that are not taken.
    @Test func refusals() throws {
        let owner = try TestOwner(.ed25519)
        let rest = owner.certificate.encoded.dropFirst(
            OpenPGPPacket(tag: PacketTag.publicKey, body: owner.certificate.primary.key.body).encoded.count)
        func file(_ end: [UInt8]) -> [UInt8] {
            OpenPGPPacket(tag: PacketTag.secretKey, body: owner.certificate.primary.key.body + end).encoded
                + rest
        }
        func message(_ end: [UInt8]) -> (ErrorCode?, String) {
            let error = #expect(throws: SignaturesError.self) { try Self.keys(file(end)) }
            return (error?.code, error?.message ?? "")
        }
        let gnu: [UInt8] = [101, 2] + Array("GNU".utf8)
        var (code, text) = message([255, 0] + gnu + [1])
        #expect(code == .keyNotSupported && text.contains("gnu-dummy"))
        (code, text) = message([255, 0] + gnu + [2, 3, 0xab, 0xcd, 0xef])
        #expect(code == .keyNotSupported && text.contains("card ABCDEF"))
        (code, text) = message([255, 9, 3, 8] + [UInt8](repeating: 1, count: 60))
        #expect(code == .keyEncryptionNotSupported && text.contains("weak checksum"))
        (code, text) = message([9] + [UInt8](repeating: 1, count: 60))
        #expect(code == .keyEncryptionNotSupported && text.contains("PGP 2"))
        (code, text) = message([254, 2, 3, 8] + [UInt8](repeating: 1, count: 60))
        #expect(code == .keyEncryptionNotSupported && text.contains("cipher 2"))
        (code, text) = message([254, 9, 1, 8] + [UInt8](repeating: 1, count: 60))
        #expect(code == .keyEncryptionNotSupported && text.contains("method 1"))
        (code, text) = message([254, 9, 3, 1] + [UInt8](repeating: 1, count: 60))
        #expect(code == .keyEncryptionNotSupported && text.contains("function 1"))
        #expect(message([254, 9, 3, 8]).0 == .keyMalformed)
        #expect(message([]).0 == .keyMalformed)
        #expect(message([255, 0] + gnu + [1, 0]).0 == .keyMalformed)
        #expect(Self.code([]) == .keyMalformed)
        #expect(Self.code(Array("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n".utf8)) == .keyMalformed)
        let empty = try Self.secret([])
        #expect(
            CertificateDraftTests.code {
                try OpenPGPSecretKeys(owner.certificate, keys: [owner.primary]).locked(under: empty)
            } == .passphraseMissing)
        let other = try TestKeys.key(.p256)
        #expect(
            CertificateDraftTests.code { try OpenPGPSecretKeys(owner.certificate, keys: [other]) }
                == .keyPairMismatch)
    }

    /// Another private half under the public one, and no changed bit of the secret part, is taken.
    @Test func halvesHaveToFit() throws {
        let owner = try TestOwner(.ed25519)
        let passphrase = try Self.secret([1])
        let good = try OpenPGPSecretKeys(owner.certificate, keys: [owner.primary]).locked(
            under: passphrase, count: 0)
        var reader = ByteReader(good.span)
        let (_, length) = try OpenPGPPacket.readHeader(&reader)
        let start = reader.offset
        let secret = try SecretKeyPacket(good.span, at: start..<start + length).secret
        for place in (secret.lowerBound - 26)..<secret.upperBound {
            var bad = good
            bad[place] ^= 1 << UInt8(place % 8)
            let code = CertificateDraftTests.code {
                try OpenPGPSecretKeys(Self.secret(bad), passphrase: passphrase)
            }
            let expected: [ErrorCode?] = [
                .passphraseWrong, .keyEncryptionNotSupported, .keyMalformed, .passphraseUnneeded,
            ]
            #expect(expected.contains(code) && code != nil, "byte \(place)")
        }
        let stranger = try PrivateKey.generate(.ed25519)
        let seed = try stranger.secretNumbers()
        var body = owner.certificate.primary.key.body + [0]
        var writer = ByteWriter()
        MPI.write(Array(copying: seed.bytes), to: &writer)
        let sum = writer.bytes.reduce(UInt16(0)) { $0 &+ UInt16($1) }
        body += writer.bytes + [UInt8(sum >> 8), UInt8(sum & 0xff)]
        let front = OpenPGPPacket(tag: PacketTag.publicKey, body: owner.certificate.primary.key.body).encoded
        let file =
            OpenPGPPacket(tag: PacketTag.secretKey, body: body).encoded
            + owner.certificate.encoded.dropFirst(front.count)
        #expect(Self.code(file, nil) == .keyPairMismatch)
    }

    @Test func armorOfPrivateKeys() throws {
        let owner = try TestOwner(.ed25519)
        let file = try OpenPGPSecretKeys(owner.certificate, keys: [owner.primary]).locked(
            under: Self.secret(Array("secret".utf8)), count: 0)
        let text = OpenPGPArmor.publicKey.encode(file).replacing("PUBLIC KEY", with: "PRIVATE KEY")
        #expect(try Self.keys(Array(text.utf8)).certificate == owner.certificate)
        let loose =
            "notes\n"
            + text.replacing("\n", with: " \r\n").replacing(
                "-----\r\n", with: "-----\r\nVersion: 1\r\n", maxReplacements: 1)
        #expect(try Self.keys(Array(loose.utf8)).certificate == owner.certificate)
        for bad in [
            text + text, text.replacing("END PGP PRIVATE", with: "END PGP PUBLIC"), String(text.dropLast(50)),
            text.replacing("\n\n", with: "\n"), text.replacing("\n=", with: "\n=A"), "-----BEGIN\n" + text,
            text.replacing("KEY BLOCK-----\n\n", with: "KEY BLOCK-----\n\n*"),
        ] {
            #expect(Self.code(Array(bad.utf8)) == .keyMalformed, "\(bad)")
        }
    }
}
