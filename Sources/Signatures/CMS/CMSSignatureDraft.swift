// SPDX-License-Identifier: Apache-2.0

public import Cryptography
internal import Diagnostics

/// A detached CMS signature before it is made. The grammar stands at `CMSSignature`.
///
/// The attributes are built here and always name plain data as what was signed, so that over no digest at all it is the
/// signature of an image, a time stamp or a certificate.
public struct CMSSignatureDraft: SignatureDraft {
    public let contentDigest: Digest
    private let data: SignedDataDraft

    public var scheme: SigningScheme { .cms }
    public var algorithm: SignatureAlgorithm { data.algorithm }
    public var signerKey: PublicKey { data.signerKey }

    /// `signer` is the certificate of the key that signs and then the authorities between it and a root; `created` is in
    /// seconds since 1970.
    public init(contentDigest: Digest, signer: [Certificate], created: Int64) throws {
        self.contentDigest = contentDigest
        data = try SignedDataDraft(
            .content, contentType: CMSAlgorithms.data, content: nil, digest: contentDigest, hasNull: false,
            chain: signer, created: created)
    }

    /// DER of the ContentInfo.
    public func signed(by handle: SigningHandle) throws -> [UInt8] {
        try check(handle)
        let made = try data.signed(by: handle)
        // Read back strictly, so that nothing leaves that would be refused here.
        guard try CMSSignature(made.span).contentDigest == contentDigest else {
            throw SignaturesError(.draftRefused, "the signature that was made is not about the content")
        }
        return made
    }
}
