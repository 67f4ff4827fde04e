// SPDX-License-Identifier: Apache-2.0

import ASN1
import Bytes
import Cryptography
import Diagnostics
import TestSupport
import Testing

@testable import Signatures

/// The structure alone; whole images are signed and judged by other programs in the tests of Artifacts.
@Suite struct AuthenticodeTests {
    static func digest(_ algorithm: DigestAlgorithm = .sha256) -> Digest {
        let image = Array("an image".utf8)
        return Digest(hashing: image.span, with: algorithm)
    }

    @Test(arguments: [DigestAlgorithm.sha256, .sha384, .sha512])
    func isReadBack(_ algorithm: DigestAlgorithm) throws {
        let signer = try TestSigner(.rsa2048, .imageSigner)
        let made = try signer.sign(image: Self.digest(algorithm))
        let read = try AuthenticodeSignature(made.span)
        #expect(read.imageDigest == Self.digest(algorithm))
        #expect(Set(read.certificates) == Set(signer.chain))
        let verdict = try read.verdict(on: Self.digest(algorithm), by: signer.trust, at: TestKeys.now)
        #expect(verdict.isValid && verdict.algorithm == "RSA with \(algorithm.rawValue)")
        #expect(try signer.sign(image: Self.digest(algorithm)) == made)
        // Nobody looks at the clock when a machine starts.
        #expect(try read.verdict(on: Self.digest(algorithm), by: signer.trust, at: 0).isValid)
        #expect(try read.verdict(on: Self.digest(.sha224), by: signer.trust, at: 0).refusal == .mismatch)
        #expect(try read.verdict(on: read.imageDigest, by: SignerTrust(), at: 0).refusal == .signerUnknown)
    }

    /// OpenSSL reads the parts: the content type, its digest among the attributes, both certificates.
    @Test func opensslReadsTheParts() throws {
        let signer = try TestSigner(.rsa2048, .imageSigner)
        let made = try signer.sign(image: Self.digest())
        let text = try Command.check(
            ["openssl", "pkcs7", "-inform", "DER", "-print", "-noout"], input: made
        ).text
        #expect(text.contains("SPC_INDIRECT_DATA_OBJ") || text.contains("1.3.6.1.4.1.311.2.1.4"))
        let names = try Command.check(
            ["openssl", "pkcs7", "-inform", "DER", "-print_certs", "-noout"], input: made
        ).text
        #expect(names.contains("CN = Signer") && names.contains("CN = Issuing"))
    }

    // MARK: One scheme a key

    /// A generic signature over the digest of an image's structure, put around that structure: what it would take to turn
    /// the one into the other. Its attributes say otherwise, and its certificate is not good for code.
    @Test func aGenericSignatureIsNoneOfAnImage() throws {
        let signer = try TestSigner(.rsa2048, .contentSigner)
        let content = IndirectData(Self.digest())
        let made = try signer.sign(content: Digest(hashing: content.contents.span, with: .sha256))
        var data = try SignedData(made.span, of: "a signature")
        data.contentType = IndirectData.oid
        data.content = content.encoded
        let forged = data.encoded
        let read = try AuthenticodeSignature(forged.span)
        #expect(read.imageDigest == Self.digest())
        for trust in [signer.trust, SignerTrust(signers: [signer.certificate])] {
            let verdict = try read.verdict(on: Self.digest(), by: trust, at: TestKeys.now)
            #expect(verdict.refusal == .wrongType)
        }
        // With attributes that lie too, which is what a key of both schemes could be made to sign.
        let image = try TestSigner(.rsa2048, .imageSigner)
        let honest = try SignedData(image.sign(image: Self.digest()), of: "a signature")
        data.attributes = honest.attributes
        data.signature = honest.signature
        let mixed = data.encoded
        let other = try AuthenticodeSignature(mixed.span)
        for trust in [signer.trust, SignerTrust(signers: [signer.certificate])] {
            let verdict = try other.verdict(on: Self.digest(), by: trust, at: TestKeys.now)
            #expect(verdict.refusal == .notAllowed)
        }
    }

    /// The other way round, and each scheme's certificate for each other scheme.
    @Test func aKeyOfOneSchemeServesNoOther() throws {
        let profiles: [(CertificateProfile, SigningScheme)] = [
            (.imageSigner, .authenticode), (.contentSigner, .cms), (.moduleSigner, .module),
            (.timestampSigner, .timestamp), (.authority(pathLength: nil), .ca),
        ]
        for (profile, scheme) in profiles {
            #expect(profile.scheme == scheme)
            let root = try TestAuthority(.p256, pathLength: nil)
            let certificate = try root.issue("x", TestKeys.key(.rsa2048).publicKey, profile)
            let chain = [certificate]
            let image = CertificateDraftTests.code {
                try AuthenticodeDraft(imageDigest: Self.digest(), signer: chain, created: TestKeys.now + 1)
            }
            let content = CertificateDraftTests.code {
                try CMSSignatureDraft(contentDigest: Self.digest(), signer: chain, created: TestKeys.now + 1)
            }
            // The kernel's own profile is that of images with a key usage; their keys are told apart by scheme.
            #expect((image == nil) == [.authenticode, .module].contains(scheme), "\(scheme)")
            #expect((content == nil) == (scheme == .cms), "\(scheme)")
        }
        let signer = try TestSigner(.rsa2048, .imageSigner)
        let made = try signer.sign(image: Self.digest())
        #expect(throws: SignaturesError.self) { try CMSSignature(made.span) }
        #expect(throws: SignaturesError.self) { try ModuleSignature(made.span) }
        let generic = try TestSigner(.rsa2048, .contentSigner).sign(content: Self.digest())
        #expect(throws: SignaturesError.self) { try AuthenticodeSignature(generic.span) }
        #expect(throws: SignaturesError.self) { try ModuleSignature(generic.span) }
    }

    /// Whatever the digest that a client sends, it never is what is signed.
    @Test func noDigestIsSignedAsItIs() throws {
        var random = Trials.generator("digests")
        let (image, content) = (
            try TestSigner(.rsa2048, .imageSigner), try TestSigner(.rsa2048, .contentSigner)
        )
        let key = try TestKeys.key(.rsa2048).publicKey
        let verifying = try VerifyingHandle(key, .rsaPKCS1(.sha256))
        for _ in 0..<Trials.count(10, full: 1000) {
            let bytes = (0..<32).map { _ in UInt8.random(in: 0...255, using: &random) }
            let digest = try Digest(bytes.span, of: .sha256)
            for made in [try image.sign(image: digest), try content.sign(content: digest)] {
                let data = try SignedData(made.span, of: "a signature")
                #expect(try !verifying.isValid(data.signature.span, for: digest))
                #expect(try verifying.isValid(data.signature.span, for: data.attributes.digest(.sha256)))
                #expect(data.attributes.encoded[0] == 0x31)
            }
        }
    }

    @Test func noChangedByteIsAccepted() throws {
        let signer = try TestSigner(.rsa2048, .imageSigner)
        let good = try signer.sign(image: Self.digest())
        for place in stride(from: 0, to: good.count, by: Trials.count(7, full: 1)) {
            var bad = good
            bad[place] ^= 1
            guard let read = try? AuthenticodeSignature(bad.span) else { continue }
            let verdict = try read.verdict(on: Self.digest(), by: signer.trust, at: TestKeys.now)
            #expect(!verdict.isValid, "byte \(place)")
        }
    }

    @Test func refusals() throws {
        func code(_ algorithm: KeyAlgorithm, _ profile: CertificateProfile, _ digest: DigestAlgorithm)
            -> ErrorCode?
        {
            CertificateDraftTests.code {
                let signer = try TestSigner(algorithm, profile)
                return try AuthenticodeDraft(
                    imageDigest: Self.digest(digest), signer: signer.chain, created: TestKeys.now + 1)
            }
        }
        #expect(code(.rsa3072, .imageSigner, .sha384) == nil)
        #expect(code(.rsa2048, .contentSigner, .sha256) == .draftRefused)
        #expect(code(.rsa2048, .timestampSigner, .sha256) == .draftRefused)
        #expect(code(.p256, .imageSigner, .sha256) == .draftRefused)
        #expect(code(.rsa2048, .imageSigner, .weakSHA1) == .draftRefused)
        #expect(code(.rsa2048, .imageSigner, .sha224) == .draftRefused)
    }
}
