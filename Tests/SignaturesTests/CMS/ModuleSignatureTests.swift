// SPDX-License-Identifier: Apache-2.0

import Bytes
import Cryptography
import Diagnostics
import TestSupport
import Testing

@testable import Signatures

@Suite struct ModuleSignatureTests {
    static let module = (0..<5_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
    static let digests: [DigestAlgorithm] = [.sha256, .sha384, .sha512]
    static let keys: [KeyAlgorithm] = [.rsa2048, .rsa3072, .rsa4096, .p256, .p384]

    struct Signer {
        var key: PrivateKey
        var certificate: Certificate

        init(_ algorithm: KeyAlgorithm) throws {
            key = try TestKeys.key(algorithm)
            certificate = try TestAuthority(.p256).issue("Module signer", key.publicKey, .moduleSigner)
        }

        func sign(
            _ digest: DigestAlgorithm, _ naming: ModuleSignatureDraft.Naming = .issuerAndSerial
        ) throws -> [UInt8] {
            let draft = try ModuleSignatureDraft(
                content: ModuleSignatureTests.module, digest: digest, signer: certificate, naming: naming)
            return try draft.signed(by: SigningHandle(key, draft.algorithm))
        }
    }

    /// The program of Debian's kernel headers.
    static let signFile = Repository.path(".build/tools/usr/lib/linux-kbuild-6.1/scripts/sign-file")

    // MARK: Foreign eyes

    /// With RSA every byte is the one that `sign-file` writes; with ECDSA all but the signature itself.
    @Test(arguments: keys, digests)
    func signFileWritesTheSame(_ algorithm: KeyAlgorithm, _ digest: DigestAlgorithm) throws {
        let signer = try Signer(algorithm)
        let folder = try TemporaryFolder()
        let key = try folder.write("key.pem", TestKeys.pem(signer.key))
        let certificate = try folder.write("certificate.pem", signer.certificate.pem)
        for naming in [ModuleSignatureDraft.Naming.issuerAndSerial, .keyIdentifier] {
            let file = try folder.write("module.ko", Self.module)
            let options = naming == .keyIdentifier ? ["-k"] : []
            try Command.check([Self.signFile, "-dp"] + options + [digest.rawValue, key, certificate, file])
            let theirs = try folder.read("module.ko.p7s")
            let ours = try signer.sign(digest, naming)
            if algorithm.family == .rsa {
                #expect(ours == theirs)
            } else {
                // Their structure around our signature is ours.
                let (mine, other) = (try ModuleSignature(ours), try ModuleSignature(theirs))
                let moved = ModuleSignature(
                    signer: other.signer, digest: other.digest, family: other.family,
                    signature: mine.signature)
                #expect(moved.encoded == ours && other.hasNull == [false, false])
            }
            let read = try ModuleSignature(theirs)
            #expect(read.encoded == theirs)
            #expect(try read.verdict(content: Self.module, signers: [signer.certificate]).isValid)
        }
    }

    @Test(arguments: keys, digests)
    func opensslVerifies(_ algorithm: KeyAlgorithm, _ digest: DigestAlgorithm) throws {
        let signer = try Signer(algorithm)
        let folder = try TemporaryFolder()
        let certificate = try folder.write("certificate.pem", signer.certificate.pem)
        let namings: [ModuleSignatureDraft.Naming] =
            digest == .sha384 ? [.keyIdentifier] : [.issuerAndSerial]
        for naming in namings {
            let signature = try folder.write("signature", signer.sign(digest, naming))
            var changed = Self.module
            changed[4_999] ^= 1
            for (content, isGood) in [(Self.module, true), (changed, false)] {
                let output = try Command.run([
                    "openssl", "cms", "-verify", "-inform", "DER", "-binary", "-noverify", "-in", signature,
                    "-certfile", certificate, "-content", try folder.write("module", content), "-out",
                    "/dev/null",
                ])
                #expect((output.status == 0) == isGood, "\(output.errorText)")
            }
        }
    }

    // MARK: Our own

    @Test func verdicts() throws {
        let signer = try Signer(.rsa2048)
        let other = try Signer(.p256)
        let read = try ModuleSignature(signer.sign(.sha256))
        let module = Self.module
        let verdict = try read.verdict(
            content: module.span, signers: [other.certificate, signer.certificate])
        #expect(verdict.isValid && verdict.algorithm == "RSA with sha256" && verdict.created == nil)
        #expect(verdict.signer == signer.certificate.fingerprint.description.uppercased())
        let unknown = try read.verdict(content: module.span, signers: [other.certificate])
        #expect(unknown.refusal == .signerUnknown)
        let changed = Array(module.dropLast())
        #expect(
            try read.verdict(content: changed.span, signers: [signer.certificate]).refusal == .mismatch)
        // Another key under the same name and number.
        let impostor = ModuleSignature(
            signer: .issuer(
                other.certificate.issuer.der, serialNumber: other.certificate.serialNumber),
            digest: .sha256, family: .rsa, signature: read.signature)
        #expect(
            try impostor.verdict(content: module.span, signers: [other.certificate]).refusal == .mismatch)
    }

    /// The midway of a computation is all that a draft needs.
    @Test func runningDigestsAreSigned() throws {
        let signer = try Signer(.rsa3072)
        var running = RunningDigest(.sha512)
        running.update(Array(Self.module[..<77]))
        running.update(Array(Self.module[77...]))
        let draft = try ModuleSignatureDraft(after: running, signer: signer.certificate)
        #expect(draft.contentDigest == Digest(hashing: Self.module, with: .sha512))
        #expect(try draft.signed(by: TestKeys.handle(.rsa3072, .sha512)) == signer.sign(.sha512))
    }

    @Test func refusals() throws {
        let authority = try TestAuthority(.rsa2048)
        let edwards = try authority.issue(
            "x", TestKeys.key(.ed25519).publicKey, .transport(.client, [.uri("a:b")]))
        let good = try Signer(.rsa2048).certificate
        func code(_ certificate: Certificate, _ digest: DigestAlgorithm) -> ErrorCode? {
            CertificateDraftTests.code {
                try ModuleSignatureDraft(content: Self.module, digest: digest, signer: certificate)
            }
        }
        #expect(code(good, .sha256) == nil)
        #expect(code(good, .weakSHA1) == .draftRefused)
        #expect(code(good, .sha224) == .draftRefused)
        #expect(code(edwards, .sha256) == .draftRefused)
        #expect(code(authority.certificate, .sha256) == .draftRefused)
        let draft = try ModuleSignatureDraft(content: Self.module, digest: .sha256, signer: good)
        for handle in [try TestKeys.handle(.rsa2048, .sha512), try TestKeys.handle(.rsa3072)] {
            #expect(CertificateDraftTests.code { try draft.signed(by: handle) } == .signerMismatch)
        }
    }

    /// Signed attributes, certificates or another content type make it another sort of CMS.
    @Test(arguments: [
        (["-noattr", "-nocerts"], true), (["-nocerts"], false), (["-noattr"], false),
        (["-noattr", "-nocerts", "-nodetach"], false), (["-noattr", "-nocerts", "-md", "sha1"], false),
        (["-noattr", "-nocerts", "-econtent_type", "1.2.3.4"], false),
        (["-noattr", "-nocerts", "-keyopt", "rsa_padding_mode:pss"], false),
    ])
    func otherForms(_ options: [String], _ isRead: Bool) throws {
        let signer = try Signer(.rsa2048)
        let folder = try TemporaryFolder()
        let output = try Command.check(
            [
                "openssl", "cms", "-sign", "-binary", "-outform", "DER", "-in",
                try folder.write("module", Self.module), "-signer",
                try folder.write("certificate", signer.certificate.pem), "-inkey",
                try folder.write("key", TestKeys.pem(signer.key)),
            ] + options)
        let read = try? ModuleSignature(output.stdout)
        #expect((read != nil) == isRead)
        if let read {
            #expect(read.encoded == output.stdout)
            #expect(try read.verdict(content: Self.module, signers: [signer.certificate]).isValid)
        }
    }

    @Test func noChangedByteIsAccepted() throws {
        let signer = try Signer(.p256)
        let good = try signer.sign(.sha256)
        for place in good.indices {
            var bad = good
            bad[place] ^= 1
            guard let read = try? ModuleSignature(bad.span) else { continue }
            #expect(try !read.verdict(content: Self.module, signers: [signer.certificate]).isValid)
        }
    }
}
