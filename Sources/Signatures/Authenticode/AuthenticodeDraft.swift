// SPDX-License-Identifier: Apache-2.0

public import Cryptography
internal import Diagnostics

/// The signature of an EFI image before it is made: CMS around the image's digest, as firmware, shim and `sbverify` take
/// it. The grammar stands at `AuthenticodeSignature`.
///
/// What is signed is built here around the digest: it says of itself that it is about an image, so that the signature is
/// worth nothing for anything else.
///
/// ```swift
/// let draft = try AuthenticodeDraft(imageDigest: digest, signer: [certificate, authority], created: now)
/// let der = try draft.signed(by: SigningHandle(key, draft.algorithm))
/// ```
public struct AuthenticodeDraft: SignatureDraft {
    public let imageDigest: Digest
    private let data: SignedDataDraft

    public var scheme: SigningScheme { .authenticode }
    public var algorithm: SignatureAlgorithm { data.algorithm }
    public var signerKey: PublicKey { data.signerKey }

    /// `signer` is the certificate of the key that signs and then the authorities between it and a root; `created` is in
    /// seconds since 1970.
    public init(imageDigest: Digest, signer: [Certificate], created: Int64) throws {
        let content = IndirectData(imageDigest)
        self.imageDigest = imageDigest
        data = try SignedDataDraft(
            .image, contentType: IndirectData.oid, content: content.encoded,
            digest: Digest(hashing: content.contents.span, with: imageDigest.algorithm), hasNull: true,
            chain: signer, created: created)
    }

    /// DER of the ContentInfo.
    public func signed(by handle: SigningHandle) throws -> [UInt8] {
        try check(handle)
        let made = try data.signed(by: handle)
        // Read back strictly, so that nothing leaves that would be refused here.
        guard try AuthenticodeSignature(made.span).imageDigest == imageDigest else {
            throw SignaturesError(.draftRefused, "the signature that was made is not about the image")
        }
        return made
    }
}
