// SPDX-License-Identifier: Apache-2.0

import ASN1
import Bytes
import Cryptography
import Diagnostics
import TestSupport
import Testing

@testable import Signatures

@Suite struct CMSSignatureTests {
    static let content =
        Array("All that is signed.\r\n".utf8) + (0..<2000).map { UInt8(truncatingIfNeeded: $0) }
    static let keys: [KeyAlgorithm] = [.rsa2048, .rsa4096, .p256, .p384]
    static let digests: [DigestAlgorithm] = [.sha256, .sha384, .sha512]

    static func digest(_ algorithm: DigestAlgorithm) -> Digest {
        let content = Self.content
        return Digest(hashing: content.span, with: algorithm)
    }

    static func openssl(
        _ signature: [UInt8], _ content: [UInt8], _ authority: String, _ more: [String] = []
    ) throws -> Command.Output {
        let folder = try TemporaryFolder()
        return try Command.run(
            [
                "openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in",
                folder.write("s", signature), "-content", folder.write("c", content), "-CAfile", authority,
                "-out", "/dev/null",
            ] + more)
    }

    // MARK: Foreign eyes

    @Test(arguments: keys, digests)
    func opensslVerifies(_ algorithm: KeyAlgorithm, _ digest: DigestAlgorithm) throws {
        let signer = try TestSigner(algorithm, .contentSigner)
        let signature = try signer.sign(content: Self.digest(digest))
        // Its usual purpose is signed mail, which the certificate is good for; for code it is not.
        for (purpose, isGood) in [
            ([], true), (["-purpose", "any"], true), (["-purpose", "timestampsign"], false),
        ] {
            let output = try Self.openssl(signature, Self.content, signer.file("root.pem"), purpose)
            #expect((output.status == 0) == isGood, "\(output.errorText)")
        }
        var changed = Self.content
        changed[7] ^= 1
        #expect(try Self.openssl(signature, changed, signer.file("root.pem")).status != 0)
        #expect(try Self.openssl(signature, Self.content, signer.file("leaf.pem")).status != 0)
        let text = try Command.check(
            ["openssl", "cms", "-cmsout", "-print", "-noout", "-inform", "DER"], input: signature
        ).text
        for word in ["contentType", "messageDigest", "signingTime", "pkcs7-data (1.2.840.113549.1.7.1)"] {
            #expect(text.contains(word))
        }
    }

    /// Several signers in one file: ours beside OpenSSL's and OpenSSL's beside ours, each as its signer made it.
    @Test(arguments: [[] as [String], ["-keyid"], ["-md", "sha512"]])
    func severalSigners(_ options: [String]) throws {
        let (one, two) = (try TestSigner(.rsa2048, .contentSigner), try TestSigner(.p256, .contentSigner))
        let folder = try TemporaryFolder()
        let content = try folder.write("content", Self.content)
        let roots = try folder.write(
            "roots.pem", one.root.certificate.pem + two.root.certificate.pem)
        func verifies(_ signatures: [UInt8], _ content: [UInt8] = Self.content) throws -> Bool {
            try Self.openssl(signatures, content, roots).status == 0
        }
        let theirs = try Command.check(
            [
                "openssl", "cms", "-sign", "-binary", "-outform", "DER", "-in", content, "-signer",
                one.file("leaf.pem"), "-inkey", one.file("key.pem"), "-certfile", one.file("issuing.pem"),
            ] + options
        ).stdout
        let foreign = try CMSSignatures(theirs.span)
        #expect(foreign.signatures.map(\.encoded) == [theirs])
        let new = try two.sign(content: Self.digest(.sha256))
        let ours = try CMSSignature(new.span)
        let both = try foreign.adding(ours)
        #expect(both.signatures.count == 2)
        #expect(try verifies(both.encoded) && !verifies(both.encoded, [1]))
        let info = Self.signerInfo(of: theirs)
        #expect(info.count > 200 && both.encoded.firstRange(of: info) != nil, "as its signer made it")
        for signature in both.signatures {
            let signer = signature.signer == ours.signer ? two : one
            let verdict = try signature.verdict(
                on: Self.digest(signature.contentDigest.algorithm), by: signer.trust, at: TestKeys.now + 600)
            #expect(verdict.isValid, "\(verdict)")
        }
        // The same signer once more takes the place of his own alone.
        let later = try two.sign(content: Self.digest(.sha256), at: TestKeys.now + 7)
        let again = try both.adding(CMSSignature(later.span))
        #expect(again.signatures.count == 2 && again != both)
        #expect(try verifies(again.encoded))
        // Of other content none comes beside it.
        let other3: [UInt8] = [1, 2, 3]
        let stranger = Digest(hashing: other3.span, with: .sha256)
        let third = try TestSigner(.p384, .contentSigner).sign(content: stranger)
        #expect(throws: SignaturesError.self) { try again.adding(CMSSignature(third.span)) }
    }

    /// What OpenSSL signs at once for two, and adds to ours.
    @Test func readsSeveralSignersOfOpenssl() throws {
        let (one, two) = (try TestSigner(.rsa2048, .contentSigner), try TestSigner(.p256, .contentSigner))
        let folder = try TemporaryFolder()
        let content = try folder.write("content", Self.content)
        let mine = try folder.write("mine", one.sign(content: Self.digest(.sha256)))
        for command in [
            [
                "-sign", "-in", content, "-signer", one.file("leaf.pem"), "-inkey", one.file("key.pem"),
                "-signer", two.file("leaf.pem"), "-inkey", two.file("key.pem"),
            ],
            [
                "-resign", "-inform", "DER", "-in", mine, "-signer", two.file("leaf.pem"), "-inkey",
                two.file("key.pem"),
            ],
        ] {
            let made = try Command.check(["openssl", "cms", "-binary", "-outform", "DER"] + command).stdout
            let read = try CMSSignatures(made.span)
            #expect(read.signatures.count == 2, "\(command[0])")
            #expect(read.encoded == made)
        }
    }

    /// The last element of the structure's last set.
    static func signerInfo(of signature: [UInt8]) -> [UInt8] {
        // It ends with the file; its beginning is found by the version and name that a SignerInfo has.
        for start in signature.indices.reversed() where signature[start] == 0x30 {
            let rest = Array(signature[start...])
            var reader = DERReader(rest.span, DER())
            let isInfo =
                (try? reader.sequence { reader -> Bool in
                    _ = try SignerName.read(&reader)
                    while !reader.isAtEnd { try reader.elementRange() }
                    return true
                }) == true
            if isInfo, reader.isAtEnd { return rest }
        }
        return []
    }

    /// Made by OpenSSL, in the forms that it has.
    @Test(arguments: [
        (["-md", "sha256"], true), (["-md", "sha512", "-keyid"], true),
        (["-md", "sha384", "-nosmimecap"], true),
        (["-md", "sha256", "-nocerts"], true), (["-md", "sha1"], false),
        (["-md", "sha256", "-noattr"], false),
        (["-md", "sha256", "-nodetach"], false), (["-md", "sha256", "-econtent_type", "1.2.3.4"], false),
        (["-md", "sha256", "-keyopt", "rsa_padding_mode:pss"], false),
        (["-md", "sha256", "-stream", "-indef"], false),
    ])
    func readsWhatOpensslWrites(_ options: [String], _ isRead: Bool) throws {
        for algorithm in [KeyAlgorithm.rsa2048, .p256]
        where algorithm == .rsa2048 || !options.contains("-keyopt") {
            let signer = try TestSigner(algorithm, .contentSigner)
            let folder = try TemporaryFolder()
            let made = try Command.check(
                [
                    "openssl", "cms", "-sign", "-binary", "-outform", "DER", "-in",
                    folder.write("content", Self.content), "-signer", signer.file("leaf.pem"), "-inkey",
                    signer.file("key.pem"), "-certfile", signer.file("issuing.pem"),
                ] + options
            ).stdout
            guard let read = try? CMSSignature(made.span) else {
                #expect(!isRead, "\(options)")
                continue
            }
            #expect(isRead, "\(options)")
            let digest = Self.digest(read.contentDigest.algorithm)
            let trust =
                options.contains("-nocerts") ? SignerTrust(signers: [signer.certificate]) : signer.trust
            let verdict = try read.verdict(on: digest, by: trust, at: TestKeys.now + 60)
            #expect(verdict.isValid, "\(options) \(verdict)")
            #expect(verdict.name == "CN=Signer" && verdict.created != nil)
        }
    }

    /// The list stands beside the signature, and OpenSSL takes it from there.
    @Test func bringsARevocationList() throws {
        let signer = try TestSigner(.rsa2048, .contentSigner)
        let handle = try TestKeys.handle(TestKeys.other.get())
        func list(_ entries: [RevocationListDraft.Entry]) throws -> CertificateRevocationList {
            try RevocationListDraft(
                issuer: signer.issuing, number: 7, thisUpdate: TestKeys.time(days: 0),
                nextUpdate: TestKeys.time(days: 7), entries: entries
            ).signed(by: handle)
        }
        let above = try RevocationListDraft(
            issuer: signer.root.certificate, number: 1, thisUpdate: TestKeys.time(days: 0),
            nextUpdate: TestKeys.time(days: 7), entries: []
        ).signed(by: signer.root.handle)
        let bare = try CMSSignature(signer.sign(content: Self.digest(.sha256)))
        let revoked = try list([
            .init(
                serialNumber: signer.certificate.serialNumber, date: TestKeys.time(days: 0),
                reason: .superseded)
        ])
        for (lists, isGood) in [([try list([]), above], true), ([revoked, above], false)] {
            let with = try bare.bringing(lists)
            #expect(
                with.revocationLists.map(\.number).sorted { $0?.last ?? 0 < $1?.last ?? 0 } == [[1], [7]])
            let output = try Self.openssl(
                with.encoded, Self.content, signer.file("root.pem"), ["-crl_check_all"])
            #expect((output.status == 0) == isGood, "\(output.errorText)")
            var trust = signer.trust
            trust.revocationLists = lists
            let verdict = try with.verdict(on: Self.digest(.sha256), by: trust, at: TestKeys.now + 1)
            #expect(verdict.refusal == (isGood ? nil : .revoked))
        }
    }

    // MARK: Our own

    @Test func sameTimeSameBytes() throws {
        let signer = try TestSigner(.rsa2048, .contentSigner)
        #expect(
            try signer.sign(content: Self.digest(.sha256)) == signer.sign(content: Self.digest(.sha256)))
    }

    @Test func verdicts() throws {
        let signer = try TestSigner(.rsa2048, .contentSigner)
        let other = try TestSigner(.p256, .contentSigner)
        let read = try CMSSignature(signer.sign(content: Self.digest(.sha256), at: TestKeys.now + 100))
        func refusal(
            _ trust: SignerTrust, _ digest: Digest = Self.digest(.sha256), days: Int64 = 1
        ) throws -> SignatureVerdict.Refusal? {
            try read.verdict(on: digest, by: trust, at: TestKeys.now + days * 86_400).refusal
        }
        #expect(try refusal(signer.trust) == nil)
        #expect(try refusal(SignerTrust(signers: [signer.certificate])) == nil)
        #expect(try refusal(SignerTrust()) == .signerUnknown)
        #expect(try refusal(SignerTrust(signers: [other.certificate])) == .signerUnknown)
        #expect(try refusal(signer.trust, Self.digest(.sha512)) == .mismatch)
        #expect(try refusal(signer.trust, days: 0) == .fromFuture)
        #expect(try refusal(signer.trust, days: 60) == .outsideValidity)
        // A list is asked for once there is one.
        var trust = signer.trust
        trust.revocationLists = [
            try RevocationListDraft(
                issuer: signer.root.certificate, number: 1, thisUpdate: TestKeys.time(days: 0),
                nextUpdate: TestKeys.time(days: 7), entries: []
            ).signed(by: signer.root.handle)
        ]
        #expect(try refusal(trust) != nil)
    }

    @Test func noChangedByteIsAccepted() throws {
        let signer = try TestSigner(.p256, .contentSigner)
        let good = try signer.sign(content: Self.digest(.sha256))
        let step = Trials.count(7, full: 1)
        for place in stride(from: 0, to: good.count, by: step) {
            var bad = good
            bad[place] ^= 1
            guard let read = try? CMSSignature(bad.span) else { continue }
            let verdict = try read.verdict(on: Self.digest(.sha256), by: signer.trust, at: TestKeys.now + 1)
            #expect(!verdict.isValid, "byte \(place)")
        }
    }

    @Test func refusals() throws {
        func code(_ algorithm: KeyAlgorithm, _ profile: CertificateProfile, _ digest: DigestAlgorithm)
            -> ErrorCode?
        {
            CertificateDraftTests.code {
                let signer = try TestSigner(algorithm, profile)
                return try CMSSignatureDraft(
                    contentDigest: Self.digest(digest), signer: signer.chain, created: TestKeys.now + 1)
            }
        }
        #expect(code(.rsa2048, .contentSigner, .sha256) == nil)
        for profile in [
            CertificateProfile.imageSigner, .moduleSigner, .timestampSigner, .authority(pathLength: nil),
        ] {
            #expect(code(.rsa2048, profile, .sha256) == .draftRefused)
        }
        #expect(code(.rsa2048, .contentSigner, .weakSHA1) == .draftRefused)
        #expect(code(.rsa2048, .contentSigner, .sha224) == .draftRefused)
        #expect(code(.ed25519, .contentSigner, .sha256) == .draftRefused)
        let signer = try TestSigner(.rsa2048, .contentSigner)
        let digest = Self.digest(.sha256)
        for (chain, time) in [
            ([], TestKeys.now), ([signer.certificate, signer.root.certificate], TestKeys.now),
            (signer.chain, TestKeys.now - 86_400), (signer.chain, TestKeys.now + 40 * 86_400),
            (signer.chain, .max),
        ] as [([Certificate], Int64)] {
            let made = CertificateDraftTests.code {
                try CMSSignatureDraft(contentDigest: digest, signer: chain, created: time)
            }
            #expect(made == .draftRefused)
        }
        let draft = try CMSSignatureDraft(contentDigest: digest, signer: signer.chain, created: TestKeys.now)
        for handle in [try TestKeys.handle(.rsa2048, .sha512), try TestKeys.handle(.rsa3072)] {
            #expect(CertificateDraftTests.code { try draft.signed(by: handle) } == .signerMismatch)
        }
    }
}
