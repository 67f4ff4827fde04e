// SPDX-License-Identifier: Apache-2.0

import Bytes
import Cryptography
import Diagnostics
import TestSupport
import Testing

@testable import Signatures

@Suite struct OpenPGPCertificateTests {
    static let owners: [(KeyAlgorithm, KeyAlgorithm?)] = [
        (.rsa2048, nil), (.rsa3072, nil), (.rsa4096, nil), (.p256, nil), (.p384, nil), (.ed25519, nil),
        (.rsa4096, .rsa2048), (.rsa2048, .ed25519), (.ed25519, .p256), (.p384, .rsa3072),
    ]

    static func owner(_ algorithm: KeyAlgorithm, _ subkey: KeyAlgorithm?) throws -> TestOwner {
        try TestOwner(algorithm, subkey: subkey, expires: TestOwner.created + 1000 * 86_400)
    }

    // MARK: Foreign eyes

    /// GnuPG imports each and tells the same fingerprints, times, abilities and user id.
    @Test(arguments: owners)
    func gpgImports(_ algorithm: KeyAlgorithm, _ subkey: KeyAlgorithm?) throws {
        let owner = try Self.owner(algorithm, subkey)
        let gpg = try GnuPG()
        try gpg.run(["--import"], input: Array(owner.certificate.armored.utf8))
        let listed = try gpg.run(["--with-colons", "--list-keys"]).text
        let lines = listed.split(separator: "\n").map {
            $0.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        }
        let prints = lines.filter { $0[0] == "fpr" }.map { $0[9] }
        let components = [owner.certificate.primary] + owner.certificate.subkeys
        #expect(prints == components.map { Hex.encode($0.key.fingerprint, .upper) })
        let primary = try #require(lines.first { $0[0] == "pub" })
        #expect(primary[3] == "\(PublicKeyNumber.of(algorithm))" || algorithm.family != .rsa)
        #expect(primary[4] == Hex.encode(owner.certificate.keyID, .upper))
        #expect(primary[5] == "\(TestOwner.created)")
        #expect(primary[6] == "\(TestOwner.created + 1000 * 86_400)")
        #expect(primary[11] == (subkey == nil ? "scSC" : "cSC"))
        #expect(lines.first { $0[0] == "uid" }?[9] == TestOwner.userID)
        if subkey != nil { #expect(lines.first { $0[0] == "sub" }?[11] == "s") }
        // What it exports again is what it was given.
        #expect(try gpg.certificate("farm@example.com") == owner.certificate)
        let checked = try gpg.run(["--with-colons", "--check-sigs"]).text
        #expect(checked.split(separator: "\n").filter { $0.hasPrefix("sig:!") }.count == components.count)
    }

    /// `gpg --list-packets` finds in each packet what was put there.
    @Test func gpgListsThePackets() throws {
        let owner = try Self.owner(.ed25519, .p256)
        let gpg = try GnuPG()
        let text = try gpg.run(["--list-packets"], input: owner.certificate.encoded).text
        let subkey = try #require(owner.certificate.subkeys.first)
        let words = [
            ":public key packet:\n\tversion 4, algo 22, created \(TestOwner.created), expires 0\n",
            ":public sub key packet:\n\tversion 4, algo 19, created \(TestOwner.created), expires 0\n",
            "sigclass 0x13", "sigclass 0x18", "digest algo 10,",
            "(issuer fpr v4 \(Hex.encode(owner.certificate.fingerprint, .upper)))",
            "hashed subpkt 27 len 1 (key flags: 01)", "hashed subpkt 27 len 1 (key flags: 02)",
            "hashed subpkt 9 len 4 (key expires after 2y270d0h0m)",
            "hashed subpkt 11 len 3 (pref-sym-algos: 9 8 7)",
            "hashed subpkt 21 len 3 (pref-hash-algos: 10 9 8)",
            "hashed subpkt 30 len 1 (features: 01)", "hashed subpkt 25 len 1 (primary user ID)",
            "(signature: v4, class 0x19, algo 19, digest algo 10)",
            "subpkt 16 len 8 (issuer key ID \(Hex.encode(owner.certificate.keyID, .upper)))",
        ]
        for word in words { #expect(text.contains(word), "\(word)") }
        #expect(text.contains(Hex.encode(subkey.key.keyID, .upper)))
    }

    /// rpm takes RSA and EdDSA; ECDSA it does not know.
    @Test(arguments: owners)
    func rpmImports(_ algorithm: KeyAlgorithm, _ subkey: KeyAlgorithm?) throws {
        let owner = try Self.owner(algorithm, subkey)
        let folder = try TemporaryFolder()
        let file = try folder.write("key.asc", owner.certificate.armored)
        let output = try Command.run(["rpmkeys", "--dbpath", folder.path + "/db", "--import", file])
        #expect((output.status == 0) == (algorithm.family != .ecdsa))
        guard output.status == 0 else { return }
        let listed = try Command.check(["rpm", "--dbpath", folder.path + "/db", "-q", "gpg-pubkey"]).text
        #expect(listed.hasPrefix("gpg-pubkey-" + Hex.encode(owner.certificate.keyID).suffix(8)))
    }

    // MARK: GnuPG's certificates

    /// What GnuPG makes is read here: subkeys that encrypt, several user ids, expiry, revocation.
    @Test func readsWhatGnuPGMakes() throws {
        let gpg = try GnuPG()
        let end = "20990101T000000"
        let made = [
            ("r@x", "rsa2048", "rsa3072"), ("e@x", "ed25519", "ed25519"), ("p@x", "nistp384", "rsa2048"),
        ]
        for (name, algorithm, subkey) in made {
            try gpg.run(["--quick-generate-key", "One <\(name)>", algorithm, "cert", end])
            let listed = try gpg.run(["--with-colons", "--list-keys", name]).text
            let line = try #require(listed.split(separator: "\n").first { $0.hasPrefix("fpr") })
            let print = String(line.dropFirst(12).dropLast())
            try gpg.run(["--quick-add-key", print, subkey, "sign"])
            try gpg.run(["--quick-add-key", print, "cv25519", "encr"])
            try gpg.run(["--quick-add-uid", print, "Two <\(name)>"])
            let certificate = try gpg.certificate(name)
            #expect(Hex.encode(certificate.fingerprint, .upper) == print)
            #expect(certificate.primary.isBound && certificate.primary.mayCertify)
            #expect(!certificate.primary.maySign)
            // GnuPG counts from the second in which it made the key.
            let expires = try #require(certificate.primary.expires)
            #expect(abs(expires - 4_070_908_800) < 60)
            #expect(certificate.subkeys.map(\.isBound) == [true, true])
            #expect(certificate.subkeys.map(\.maySign) == [true, false])
            #expect(certificate.subkeys.map { $0.key.publicKey == nil } == [false, true])
            #expect(Set(certificate.userIDs) == ["One <\(name)>", "Two <\(name)>"])
            #expect(certificate.primary.revocation == nil)

            try gpg.run(["--quick-revoke-uid", print, "One <\(name)>"])
            #expect(try gpg.certificate(name).userIDs == ["Two <\(name)>"])
            let file = try gpg.folder.read("openpgp-revocs.d/\(print).rev")
            let text = String(decoding: file, as: UTF8.self)
            let start = try #require(text.firstRange(of: ":-----BEGIN"))
            try gpg.run(["--import"], input: Array(text[start.lowerBound...].utf8.dropFirst()))
            let revoked = try gpg.certificate(name)
            #expect(revoked.primary.revocation?.isSoft == false)
        }
        let everything = try gpg.run(["--armor", "--export"]).stdout
        #expect(try OpenPGPCertificate.all(in: everything.span).count == 3)
        #expect(throws: SignaturesError.self) { try OpenPGPCertificate(everything.span) }
        let secret = try gpg.run(["--export-secret-keys", "e@x"]).stdout
        #expect(throws: SignaturesError.self) { try OpenPGPCertificate(secret.span) }
    }

    /// The keys of Debian itself, which apt brings along, and those that it used twenty years ago.
    @Test(arguments: ["debian-archive-keyring", "debian-archive-removed-keys"])
    func readsDebiansKeyring(_ name: String) throws {
        let file = "/usr/share/keyrings/\(name).gpg"
        let bytes = try Command.check(["cat", file]).stdout
        let all = try OpenPGPCertificate.all(in: bytes.span)
        let folder = try TemporaryFolder()
        let listed = try Command.check([
            "gpg", "--homedir", folder.path, "--no-default-keyring", "--keyring", file, "--with-colons",
            "--fixed-list-mode", "--list-keys",
        ]).text
        let prints = listed.split(separator: "\n").filter { $0.hasPrefix("fpr:") }.map {
            String($0.dropFirst("fpr:::::::::".count).dropLast())
        }
        let components = all.flatMap { [$0.primary] + $0.subkeys }
        #expect(components.map { Hex.encode($0.key.fingerprint, .upper) } == prints)
        guard name == "debian-archive-keyring" else { return }
        #expect(all.allSatisfy { $0.primary.isBound && $0.userIDs.count == 1 })
        #expect(components.allSatisfy { $0.isBound && $0.key.publicKey != nil })
    }

    // MARK: Our own

    @Test(arguments: owners)
    func comesBackFromBothForms(_ algorithm: KeyAlgorithm, _ subkey: KeyAlgorithm?) throws {
        let owner = try Self.owner(algorithm, subkey)
        let certificate = owner.certificate
        let text = Array(certificate.armored.utf8)
        #expect(try OpenPGPCertificate(text.span) == certificate)
        let bytes = certificate.encoded
        #expect(try OpenPGPCertificate(bytes.span) == certificate)
        #expect(certificate.primary.key.publicKey == owner.primary.publicKey)
        #expect(certificate.primary.maySign == (subkey == nil))
        #expect(certificate.primary.expires == TestOwner.created + 1000 * 86_400)
        #expect(try owner.signer().key.publicKey == owner.signingKey.publicKey)
    }

    /// A changed byte leaves a certificate that is malformed, or another key, or one whose owner said less.
    @Test func noChangedByteCounts() throws {
        let owner = try TestOwner(.ed25519, subkey: .p256)
        let good = owner.certificate.encoded
        for place in good.indices {
            var bad = good
            bad[place] ^= 1
            guard let read = try? OpenPGPCertificate(bad.span) else { continue }
            // The hint of the issuer's key id is not signed, and the packet's first octet is no content.
            let isSame =
                read.fingerprint == owner.certificate.fingerprint && read.userIDs == [TestOwner.userID]
                && read.primary.maySign == owner.certificate.primary.maySign && read.subkeys.count == 1
                && read.subkeys.allSatisfy(\.maySign)
            if isSame { #expect(Self.isHint(place, good), "byte \(place)") }
        }
    }

    /// Whether the byte belongs to an unhashed issuer.
    static func isHint(_ place: Int, _ bytes: [UInt8]) -> Bool {
        (max(0, place - 11)...place).contains { start in
            start + 4 <= bytes.count && bytes[start..<start + 4].elementsEqual([0, 10, 9, 16])
        }
    }

    @Test func refusals() throws {
        let key = try TestKeys.key(.p256)
        let handle = try TestKeys.handle(key, .sha512)
        func code(_ change: (inout OpenPGPCertificateDraft) -> Void, subkey: SigningHandle? = nil)
            -> ErrorCode?
        {
            var draft = OpenPGPCertificateDraft(
                userID: "x", key: key.publicKey, created: TestOwner.created)
            change(&draft)
            return CertificateDraftTests.code { try draft.signed(by: handle, subkey: subkey) }
        }
        #expect(code { _ in } == nil)
        #expect(code { $0.userID = "" } == .draftRefused)
        #expect(code { $0.userID = "a\nb" } == .draftRefused)
        #expect(code { $0.userID = String(repeating: "ä", count: 513) } == .draftRefused)
        #expect(code { $0.created = 0 } == .draftRefused)
        #expect(code { $0.created = -1 } == .draftRefused)
        #expect(code { $0.created = 1 << 32 } == .draftRefused)
        #expect(code { $0.expires = $0.created } == .draftRefused)
        #expect(code { $0.expires = .min } == .draftRefused)
        #expect(code { $0.expires = 1 << 32 } == .draftRefused)
        #expect(code { $0.digest = .sha256 } == .signerMismatch)
        let other = try TestKeys.key(.rsa2048).publicKey
        #expect(code { $0.key = other } == .signerMismatch)
        #expect(code { $0.signingSubkey = other } == .draftRefused)
        #expect(code({ _ in }, subkey: try? TestKeys.handle(.rsa2048, .sha512)) == .draftRefused)
        #expect(
            code({ $0.signingSubkey = other }, subkey: try? TestKeys.handle(.rsa3072, .sha512))
                == .signerMismatch)
        let weak = try TestKeys.key(.p384)
        let draft = OpenPGPCertificateDraft(
            userID: "x", key: weak.publicKey, created: TestOwner.created, digest: .sha256)
        let weakHandle = try TestKeys.handle(weak, .sha256)
        #expect(CertificateDraftTests.code { try draft.signed(by: weakHandle) } == .draftRefused)
    }

    @Test func onlyKeysOfTheCertificateSign() throws {
        let owner = try TestOwner(.rsa2048, subkey: .ed25519, expires: TestKeys.now + 100)
        func code(_ algorithm: KeyAlgorithm, at time: Int64) throws -> ErrorCode? {
            let key = try TestKeys.key(algorithm).publicKey
            return CertificateDraftTests.code { try owner.certificate.signer(for: key, at: time) }
        }
        #expect(try code(.ed25519, at: TestKeys.now) == nil)
        #expect(try code(.ed25519, at: TestKeys.now + 100) == .draftRefused)
        #expect(try code(.ed25519, at: TestOwner.created - 1) == .draftRefused)
        // The primary certifies alone, and the third is somebody else's.
        #expect(try code(.rsa2048, at: TestKeys.now) == .draftRefused)
        #expect(try code(.p256, at: TestKeys.now) == .signerMismatch)
    }
}
