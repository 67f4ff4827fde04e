// SPDX-License-Identifier: Apache-2.0

internal import ASN1
internal import Cryptography
internal import Diagnostics

/// SignedData before it is signed: the attributes are built here, whatever the content.
struct SignedDataDraft: Sendable {
    let signerKey: PublicKey
    let algorithm: SignatureAlgorithm
    private let unsigned: SignedData

    /// `signer` comes first and is followed by the authorities between it and a root, which need not be there itself.
    init(
        _ rules: SignerRules, contentType: OID, content: [UInt8]?, digest: Digest, hasNull: Bool,
        chain: [Certificate], created: Int64
    ) throws {
        guard let signer = chain.first, chain.count <= 8 else {
            throw SignaturesError(
                .draftRefused, "a signer's certificate and at most 7 authorities are needed")
        }
        for (one, next) in zip(chain, chain.dropFirst()) where one.issuer != next.subject {
            throw SignaturesError(.draftRefused, "\(next.subject) did not issue \(one.subject)")
        }
        let key = try rules.check(signer, digest.algorithm)
        guard let time = ASN1Time(secondsSince1970: created), signer.isValid(at: time) else {
            throw SignaturesError(
                .draftRefused,
                "\(signer.subject) is valid from \(signer.notBefore) to \(signer.notAfter) only")
        }
        signerKey = key
        algorithm = CMSAlgorithms.algorithm(key.algorithm.family, digest.algorithm)
        var data = SignedData(
            contentType: contentType, content: content, signer: SignerName(of: signer),
            digest: digest.algorithm, hasNull: hasNull,
            attributes: SignedAttributes(
                contentType: contentType, messageDigest: digest.bytes, signingTime: time),
            family: key.algorithm.family, signature: [])
        data.certificates = chain.map(\.der)
        unsigned = data
    }

    /// DER of the ContentInfo.
    func signed(by handle: SigningHandle) throws -> [UInt8] {
        var data = unsigned
        data.signature = try handle.raw(data.attributes.digest(data.digest))
        return data.encoded
    }
}
