// SPDX-License-Identifier: Apache-2.0

import ASN1
import Artifacts
import Cryptography
import Foundation
import Signatures

/// Who signs in these tests: the owner of an OpenPGP certificate and the holder of a module signer's.
struct Signers {
    static let now = Int64(Date().timeIntervalSince1970)
    static let made = Result { try Signers() }
    static let others = Result { try Signers() }

    let key: PrivateKey
    let owner: OpenPGPCertificate
    let certificate: Certificate
    /// Who certified the module signer.
    let authority: Certificate
    private let root: PrivateKey

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
        certificate = try CertificateDraft(
            subject: DistinguishedName(commonName: "Modules"), key: key.publicKey, serial: .random(),
            notBefore: begin, notAfter: end, profile: .moduleSigner
        ).signed(by: handle, issuer: authority)
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
    func sign(_ path: String, _ digest: DigestAlgorithm = .sha256) throws {
        let artifact = try Artifact(reading: path, digest: digest)
        try artifact.patch(embedding: sign(artifact.claim, digest)).apply()
    }
}
