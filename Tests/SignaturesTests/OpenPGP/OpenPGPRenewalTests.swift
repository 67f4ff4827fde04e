// SPDX-License-Identifier: Apache-2.0

import Bytes
import Cryptography
import Diagnostics
import TestSupport
import Testing

@testable import Signatures

@Suite struct OpenPGPRenewalTests {
    static let owners: [(KeyAlgorithm, KeyAlgorithm?)] = [
        (.rsa2048, nil), (.p384, nil), (.ed25519, nil), (.rsa3072, .rsa2048), (.ed25519, .p256),
    ]

    // MARK: The end

    /// A later, an earlier and no end: GnuPG sees it, and that nothing else changed.
    @Test(arguments: owners)
    func theEndMoves(_ algorithm: KeyAlgorithm, _ subkey: KeyAlgorithm?) throws {
        let owner = try TestOwner(algorithm, subkey: subkey, expires: TestKeys.now + 86_400)
        let gpg = try GnuPG()
        let before = try gpg.shown(owner.certificate.encoded)
        let words = try Self.words(gpg, owner.certificate)
        var certificate = owner.certificate
        let ends: [Int64?] = [TestKeys.now + 400 * 86_400, TestKeys.now + 3_600, nil]
        for (number, end) in ends.enumerated() {
            certificate = try OpenPGPRenewalDraft(
                of: certificate, until: end, at: TestKeys.now - 100 + Int64(number)
            ).signed(by: TestKeys.handle(owner.primary, .sha512))
            let seen = try gpg.shown(certificate.encoded)
            #expect(seen.keys == certificate.shown)
            #expect(seen.userIDs == before.userIDs)
            var same = seen.keys
            for index in same.indices { same[index].expires = before.keys[index].expires }
            #expect(same == before.keys)
            // The subkey's own end goes with it; one that had none is bounded by the primary's.
            #expect(certificate.primary.expires == end)
            #expect(certificate.subkeys.allSatisfy { $0.expires == end })
            #expect(try Self.words(gpg, certificate) == words)
            if end == nil { break }
        }
        // GnuPG takes it over the old one.
        try gpg.run(["--import"], input: owner.certificate.encoded)
        try gpg.run(["--import"], input: certificate.encoded)
        #expect(try gpg.certificate("farm@example.com").primary.expires == nil)
        let packet = try owner.sign([1, 2, 3], .sha384)
        #expect(try Verifier.sqv.accepts(packet, [1, 2, 3], certificate))
        #expect(try Verifier.gpgv.accepts(packet, [1, 2, 3], certificate))
    }

    /// The subpackets that GnuPG lists, but for times and ends.
    static func words(_ gpg: GnuPG, _ certificate: OpenPGPCertificate) throws -> [Substring] {
        let text = try gpg.run(["--list-packets"], input: certificate.encoded).text
        return text.split(separator: "\n").filter { line in
            line.contains("subpkt") && !["subpkt 2 ", "subpkt 9 "].contains { line.contains($0) }
        }.sorted()
    }

    /// A document that was signed after the old end counts with the new certificate, and with the old it does not.
    @Test func laterSignaturesCount() throws {
        let owner = try TestOwner(.ed25519, subkey: .rsa2048, expires: TestKeys.now - 1_000)
        let longer = try OpenPGPRenewalDraft(
            of: owner.certificate, until: TestKeys.now + 1_000, at: TestKeys.now - 2_000
        ).signed(by: TestKeys.handle(owner.primary, .sha512))
        let signer = try longer.signer(for: owner.signingKey.publicKey, at: TestKeys.now)
        let content: [UInt8] = [1]
        let draft = try OpenPGPSignatureDraft(
            content: content, digest: .sha256, signer: signer, created: TestKeys.now)
        let signature = try OpenPGPSignature(draft.signed(by: TestKeys.handle(owner.signingKey)))
        #expect(try longer.verdict(on: signature, content: content, at: TestKeys.now).isValid)
        let old = try owner.certificate.verdict(on: signature, content: content, at: TestKeys.now)
        #expect(old.refusal == .outsideValidity)
    }

    /// What others signed, and what was revoked, stays byte for byte.
    @Test func keepsWhatIsNotItsOwn() throws {
        let gpg = try GnuPG()
        let owner = try TestOwner(.rsa2048, subkey: .ed25519, expires: TestKeys.now + 86_400)
        try gpg.run(["--quick-generate-key", "Q <q@x>", "ed25519", "cert", "never"])
        try gpg.run(["--import"], input: owner.certificate.encoded)
        let print = Hex.encode(owner.certificate.fingerprint, .upper)
        try gpg.run(["--local-user", "q@x", "--quick-sign-key", print])
        let certified = try gpg.certificate("farm@example.com")
        #expect(certified.encoded.count > owner.certificate.encoded.count)
        let made = try OpenPGPRenewalDraft(of: certified, until: nil, at: TestKeys.now)
            .signed(by: TestKeys.handle(owner.primary, .sha512))
        let foreign = try Self.signatures(certified).filter { $0.issuerKeyID != owner.certificate.keyID }
        #expect(foreign.count == 1)
        #expect(try Self.signatures(made).filter { $0.issuerKeyID != owner.certificate.keyID } == foreign)
        #expect(try Self.signatures(made).count == Self.signatures(certified).count)
    }

    static func signatures(_ certificate: OpenPGPCertificate) throws -> [OpenPGPSignature] {
        try OpenPGPSections(certificate).sections.flatMap(\.signatures).map {
            try OpenPGPSignature($0.encoded)
        }
    }

    @Test func renewalRefusals() throws {
        let owner = try TestOwner(.ed25519, expires: TestKeys.now + 100)
        func code(
            _ expires: Int64?, at time: Int64, _ certificate: OpenPGPCertificate? = nil,
            by handle: SigningHandle? = nil
        ) -> ErrorCode? {
            CertificateDraftTests.code {
                try OpenPGPRenewalDraft(of: certificate ?? owner.certificate, until: expires, at: time)
                    .signed(by: handle ?? TestKeys.handle(.ed25519, .sha512))
            }
        }
        let now = TestKeys.now
        #expect(code(now + 5, at: now) == nil)
        #expect(code(now, at: now) == .draftRefused)
        #expect(code(now + 5, at: TestOwner.created) == .draftRefused)
        #expect(code(now + 5, at: TestOwner.created - 1) == .draftRefused)
        #expect(code(now + 5, at: -1) == .draftRefused)
        #expect(code(1 << 33, at: now) == .draftRefused)
        #expect(code(.max, at: 1 << 32) == .draftRefused)
        #expect(code(now + 5, at: now, by: try? TestKeys.handle(.p256, .sha512)) == .signerMismatch)
        let revoked = try owner.certificate.revoked(
            by: OpenPGPRevocationDraft(of: owner.certificate, reason: .retired, at: now)
                .signed(by: TestKeys.handle(.ed25519, .sha512)))
        #expect(code(now + 5, at: now + 1, revoked) == .draftRefused)
    }

    // MARK: Revocation

    /// GnuPG and sq take the revocation, and see why.
    @Test(arguments: zip(owners, OpenPGPRevocationDraft.Reason.allCases))
    func othersTakeTheRevocation(
        _ algorithms: (KeyAlgorithm, KeyAlgorithm?), _ reason: OpenPGPRevocationDraft.Reason
    ) throws {
        let owner = try TestOwner(algorithms.0, subkey: algorithms.1)
        let revocation = try OpenPGPRevocationDraft(
            of: owner.certificate, reason: reason, comment: "moved: see the new one", at: TestKeys.now
        ).signed(by: TestKeys.handle(owner.primary, .sha512))
        let revoked = try owner.certificate.revoked(by: revocation)
        #expect(try revoked.revoked(by: revocation) == revoked)
        #expect(revoked.primary.revocation?.isSoft == (reason == .superseded || reason == .retired))
        let gpg = try GnuPG()
        #expect(try gpg.shown(revoked.encoded).keys.allSatisfy(\.isRevoked))
        try gpg.run(["--import"], input: owner.certificate.encoded)
        try gpg.run(["--import"], input: Array(revocation.armored.utf8))
        let taken = try gpg.certificate("farm@example.com")
        #expect(taken.primary.revocation == revoked.primary.revocation)
        let listed = try gpg.run(["--list-packets"], input: revoked.encoded).text
        let word = "revocation reason 0x0\(reason.rawValue) (moved: see the new one)"
        #expect(listed.contains(word), "\(listed)")
        // A soft revocation leaves what was signed before, a hard one nothing; sqv sees it alike.
        let packet = try owner.sign([1], .sha384, at: TestKeys.now - 10)
        let verdict = try revoked.verdict(
            on: OpenPGPSignature(packet), content: [1], at: TestKeys.now + 10)
        #expect(verdict.isValid == (revoked.primary.revocation?.isSoft == true))
        #expect(try Verifier.sqv.accepts(packet, [1], revoked) == verdict.isValid)
    }

    @Test func aSubkeyIsRevokedAlone() throws {
        let owner = try TestOwner(.rsa2048, subkey: .ed25519)
        let draft = OpenPGPRevocationDraft(
            of: owner.certificate, subkey: owner.signingKey.publicKey, reason: .compromised, at: TestKeys.now)
        let revoked = try owner.certificate.revoked(
            by: draft.signed(by: TestKeys.handle(owner.primary, .sha512)))
        #expect(revoked.primary.revocation == nil)
        #expect(revoked.subkeys.map { $0.revocation != nil } == [true])
        let gpg = try GnuPG()
        #expect(try gpg.shown(revoked.encoded).keys.map(\.isRevoked) == [false, true])
        let packet = try owner.sign([1], .sha256)
        #expect(try !Verifier.sqv.accepts(packet, [1], revoked))
        #expect(
            try revoked.verdict(on: OpenPGPSignature(packet), content: [1], at: TestKeys.now).refusal
                == .revoked)
    }

    @Test func revocationRefusals() throws {
        let (owner, other) = (try TestOwner(.ed25519), try TestOwner(.rsa2048))
        func code(_ change: (inout OpenPGPRevocationDraft) -> Void, by key: KeyAlgorithm = .ed25519)
            -> ErrorCode?
        {
            var draft = OpenPGPRevocationDraft(of: owner.certificate, reason: .retired, at: TestKeys.now)
            change(&draft)
            return CertificateDraftTests.code { try draft.signed(by: TestKeys.handle(key, .sha512)) }
        }
        #expect(code { _ in } == nil)
        #expect(code({ _ in }, by: .rsa2048) == .signerMismatch)
        #expect(code { $0.comment = "a\nb" } == .draftRefused)
        #expect(code { $0.comment = String(repeating: "a", count: 1025) } == .draftRefused)
        #expect(code { $0.time = TestOwner.created - 1 } == .draftRefused)
        #expect(code { $0.time = 1 << 32 } == .draftRefused)
        #expect(code { $0.digest = .weakSHA1 } == .draftRefused)
        let key = other.primary.publicKey
        #expect(code { $0.subkey = key } == .draftRefused)
        // Somebody else's does nothing here.
        let foreign = try OpenPGPRevocationDraft(of: other.certificate, reason: .retired, at: TestKeys.now)
            .signed(by: TestKeys.handle(.rsa2048, .sha512))
        #expect(CertificateDraftTests.code { try owner.certificate.revoked(by: foreign) } == .draftRefused)
    }

    // MARK: Certificates of others

    /// Those of GnuPG and sq, with ends, revocations and bindings: GnuPG and we say the same of them.
    @Test(.needs(.program("sq"))) func othersCertificates() throws {
        let gpg = try GnuPG()
        let place = gpg.folder.path
        var files: [(String, [UInt8])] = []
        for (name, suite, options) in [
            ("plain", "cv25519", []), ("rsa", "rsa3k", []), ("bare", "cv25519", ["--cannot-sign"]),
            ("end", "cv25519", ["--expires-in", "2y"]),
        ] {
            let key = "\(place)/\(name).pgp"
            try Command.check(
                ["sq", "key", "generate", "-c", suite, "--userid", "A <a@\(name)>", "--userid", "B: <b@x>"]
                    + options + ["--export", key])
            let certificate = try Command.check(["sq", "key", "extract-cert", "--binary", key]).stdout
            files.append((name, certificate))
            let cert = try gpg.folder.write("\(name).cert", certificate)
            // sq writes the revocation alone, for the keyring to put it behind the primary key.
            let gone = try Command.check([
                "sq", "revoke", "certificate", "--binary", "--certificate", cert, "--revocation-key", key,
                "retired", "enough",
            ]).stdout
            var parts = try OpenPGPSections(OpenPGPCertificate(certificate))
            parts.sections[0].signatures.insert(
                OpenPGPPacket(tag: PacketTag.signature, body: try OpenPGPSignature(gone).body), at: 0)
            files.append((name + " revoked", try parts.certificate().encoded))
        }
        for (name, algorithm, end) in [("g", "rsa2048", "never"), ("h", "ed25519", "20990101T000000")] {
            try gpg.run(["--quick-generate-key", "One <\(name)@x>", algorithm, "cert", end])
            let certificate = try gpg.certificate("\(name)@x")
            let print = Hex.encode(certificate.fingerprint, .upper)
            try gpg.run(["--quick-add-key", print, "ed25519", "sign", "3y"])
            try gpg.run(["--quick-add-key", print, "rsa2048", "sign", "never"])
            files.append((name, try gpg.run(["--export", "\(name)@x"]).stdout))
            try gpg.run(["--quick-set-expire", print, "5y"])
            try gpg.run(["--quick-set-expire", print, "4y", "*"])
            files.append((name + " longer", try gpg.run(["--export", "\(name)@x"]).stdout))
        }
        for (name, bytes) in files {
            let ours = try OpenPGPCertificate(bytes)
            let theirs = try gpg.shown(bytes)
            #expect(ours.shown == theirs.keys, "\(name)")
            // GnuPG calls the user ids of a revoked key revoked too.
            let isRevoked = ours.primary.revocation != nil
            #expect((isRevoked ? [] : ours.userIDs.sorted()) == theirs.userIDs.sorted(), "\(name)")
            #expect(isRevoked == name.hasSuffix("revoked"))
        }
        #expect(files.count == 12)
    }
}
