// SPDX-License-Identifier: Apache-2.0

import ASN1
import Bytes
import Cryptography
import Foundation
import Secrets
import Signatures
import TestSupport

@testable import Artifacts

/// Who signs images in these tests: the key of a certificate below an intermediate authority below a root.
struct ImageSigner: Sendable {
    let key: PrivateKey
    /// The signer's certificate and the intermediate authority's.
    let chain: [Certificate]
    let root: Certificate
    let folder: TemporaryFolder

    static let now = Int64(Date().timeIntervalSince1970)
    static let made = Result { try ImageSigner("Images", .imageSigner) }
    static let other = Result { try ImageSigner("Others", .imageSigner) }
    static let content = Result { try ImageSigner("Contents", .contentSigner) }

    init(_ name: String, _ profile: CertificateProfile) throws {
        guard let start = ASN1Time(secondsSince1970: Self.now - 86_400),
            let end = ASN1Time(secondsSince1970: Self.now + 86_400)
        else { throw CancellationError() }
        func draft(_ name: String, _ key: PrivateKey, _ profile: CertificateProfile) throws
            -> CertificateDraft
        {
            CertificateDraft(
                subject: try DistinguishedName(commonName: name), key: key.publicKey, serial: try .random(),
                notBefore: start, notAfter: end, profile: profile)
        }
        let (top, middle) = (try PrivateKey.generate(.rsa2048), try PrivateKey.generate(.rsa2048))
        key = try PrivateKey.generate(.rsa2048)
        root = try draft("\(name) root", top, .authority(pathLength: 1))
            .selfSigned(by: SigningHandle(top, .rsaPKCS1(.sha256)))
        let issuing = try draft("\(name) issuing", middle, .authority(pathLength: 0))
            .signed(by: SigningHandle(top, .rsaPKCS1(.sha256)), issuer: root)
        chain = [
            try draft(name, key, profile).signed(
                by: SigningHandle(middle, .rsaPKCS1(.sha256)), issuer: issuing),
            issuing,
        ]
        folder = try TemporaryFolder()
        try folder.write("root.pem", root.pem)
        try folder.write("leaf.pem", chain[0].pem)
        try folder.write("issuing.pem", issuing.pem)
        let secret = try key.pem()
        try folder.write("key.pem", Array(copying: secret.bytes))
    }

    var rootFile: String { folder.path + "/root.pem" }
    var leafFile: String { folder.path + "/leaf.pem" }
    var keyFile: String { folder.path + "/key.pem" }
    var issuingFile: String { folder.path + "/issuing.pem" }

    /// Signs a claim as a server does.
    func sign(_ claim: Claim, at time: Int64 = now) throws -> [UInt8] {
        let draft: any SignatureDraft
        switch claim.content {
        case .image(let image):
            draft = try AuthenticodeDraft(imageDigest: image.digest, signer: chain, created: time)
        case .digest(let digest):
            draft = try CMSSignatureDraft(contentDigest: digest, signer: chain, created: time)
        case .bytes, .midstate: throw CancellationError()
        }
        return try draft.signed(by: SigningHandle(key, draft.algorithm))
    }

    @available(*, noasync)
    func sign(_ path: String, as kind: SigningKind? = nil, replacing: Bool = false, at time: Int64 = now)
        throws
    {
        let artifact = try Artifact(reading: path, as: kind)
        try artifact.patch(embedding: sign(artifact.claim, at: time), replacing: replacing).apply()
    }
}
