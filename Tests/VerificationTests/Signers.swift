// SPDX-License-Identifier: Apache-2.0

import ASN1
import Artifacts
import Bytes
import Cryptography
import Foundation
import Secrets
import Signatures

/// Who signs in these tests: the owner of an OpenPGP certificate and the holder of a module signer's, of an image signer's and
/// of one for other content.
struct Signers {
    static let now = Int64(Date().timeIntervalSince1970)
    /// When whatever other programs have signed until now is no longer of the future.
    static var later: Int64 { Int64(Date().timeIntervalSince1970) + 60 }
    static let made = Result { try Signers() }
    static let others = Result { try Signers() }

    let key: PrivateKey
    let owner: OpenPGPCertificate
    let certificate: Certificate
    /// Who certified the module signer.
    let authority: Certificate
    private let root: PrivateKey
    /// By the kind that they are for.
    private let others: [SigningKind: (key: PrivateKey, certificate: Certificate)]

    /// The OpenPGP key's, in upper case.
    var fingerprint: String { owner.fingerprint.map { String(format: "%02X", $0) }.joined() }

    init(ecdsa: Bool = false) throws {
        key = try PrivateKey.generate(ecdsa ? .p256 : .rsa2048)
        owner = try OpenPGPCertificateDraft(
            userID: "Farm", key: key.publicKey, created: Self.now - 86_400
        ).signed(by: SigningHandle(key, ecdsa ? .ecdsa(.sha512) : .rsaPKCS1(.sha512)))
        guard let begin = ASN1Time(secondsSince1970: Self.now - 86_400),
            let end = ASN1Time(secondsSince1970: Self.now + 86_400)
        else { throw CancellationError() }
        root = try PrivateKey.generate(.p256)
        let handle = try SigningHandle(root, .ecdsa(.sha256))
        authority = try CertificateDraft(
            subject: DistinguishedName(commonName: "Root"), key: root.publicKey, serial: .random(),
            notBefore: begin, notAfter: end, profile: .authority(pathLength: 0)
        ).selfSigned(by: handle)
        let authority = authority
        func issue(
            _ name: String, _ key: PrivateKey, _ profile: CertificateProfile
        ) throws -> Certificate {
            try CertificateDraft(
                subject: DistinguishedName(commonName: name), key: key.publicKey, serial: .random(),
                notBefore: begin, notAfter: end, profile: profile
            ).signed(by: handle, issuer: authority)
        }
        certificate = try issue("Modules", key, .moduleSigner)
        let (images, contents) = (try PrivateKey.generate(.rsa2048), try PrivateKey.generate(.rsa2048))
        others = [
            .efi: (images, try issue("Images", images, .imageSigner)),
            .cms: (contents, try issue("Contents", contents, .contentSigner)),
        ]
    }

    /// Whose signatures bring their certificate along.
    func certificate(for kind: SigningKind) throws -> Certificate {
        guard let other = others[kind] else { throw CancellationError() }
        return other.certificate
    }

    /// A private half in PEM, for other programs.
    func pem(for kind: SigningKind) throws -> [UInt8] {
        let secret = try (others[kind]?.key ?? key).pem()
        return Array(copying: secret.bytes)
    }

    /// The authority's list, which has nobody on it.
    func revocationList() throws -> CertificateRevocationList {
        guard let begin = ASN1Time(secondsSince1970: Self.now - 86_400),
            let end = ASN1Time(secondsSince1970: Self.now + 86_400)
        else { throw CancellationError() }
        return try RevocationListDraft(
            issuer: authority, number: 1, thisUpdate: begin, nextUpdate: end, entries: []
        ).signed(by: SigningHandle(root, .ecdsa(.sha256)))
    }

    /// Signs a claim as a server does.
    func sign(
        _ claim: Claim, _ digest: DigestAlgorithm = .sha256, at time: Int64 = now
    ) throws -> [UInt8] {
        if claim.kind == .module, case .bytes(let content) = claim.content {
            let draft = try ModuleSignatureDraft(content: content.span, digest: digest, signer: certificate)
            return try draft.signed(by: SigningHandle(key, draft.algorithm))
        }
        let signer = try owner.signer(for: key.publicKey, at: time)
        if let (key, certificate) = others[claim.kind] {
            let draft: any SignatureDraft =
                switch claim.content {
                case .image(let image):
                    try AuthenticodeDraft(imageDigest: image.digest, signer: [certificate], created: time)
                case .digest(let digest):
                    try CMSSignatureDraft(contentDigest: digest, signer: [certificate], created: time)
                case .bytes, .midstate: throw CancellationError()
                }
            return try draft.signed(by: SigningHandle(key, draft.algorithm))
        }
        let draft =
            switch claim.content {
            case .bytes(let content) where claim.kind == .cleartext:
                try OpenPGPSignatureDraft(
                    cleartext: content.span, digest: digest, signer: signer, created: time)
            case .bytes(let content):
                try OpenPGPSignatureDraft(
                    content: content.span, digest: digest, signer: signer, created: time)
            case .midstate(let midstate):
                try OpenPGPSignatureDraft(resuming: midstate, signer: signer, created: time)
            case .image, .digest: throw CancellationError()
            }
        return try draft.signed(by: SigningHandle(key, draft.algorithm))
    }

    /// Signs a file in place.
    @available(*, noasync)
    func sign(_ path: String, as kind: SigningKind? = nil, _ digest: DigestAlgorithm = .sha256) throws {
        let artifact = try Artifact(reading: path, as: kind, digest: digest)
        try artifact.patch(embedding: sign(artifact.claim, digest), replacing: kind != nil).apply()
    }
}
