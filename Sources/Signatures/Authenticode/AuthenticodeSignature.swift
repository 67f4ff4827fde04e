// SPDX-License-Identifier: Apache-2.0

internal import ASN1
internal import Bytes
public import Cryptography
internal import Diagnostics

/// The signature of an EFI image (Authenticode), read strictly: `SignedData` whose content is `IndirectData`.
///
/// It refuses content of another type, several signers, and attributes that are not about this content. That its
/// attributes name another type of content than it has makes it a signature of something else, which no verdict takes for
/// one of an image.
public struct AuthenticodeSignature: Hashable, Sendable {
    /// The digest of the image that it is about.
    public let imageDigest: Digest
    public let signer: SignerName
    public let encoded: [UInt8]
    private let data: SignedData
    private let content: IndirectData

    /// More is refused.
    public static let largest = SignedData.largest

    public init(_ bytes: Span<UInt8>) throws {
        data = try SignedData(bytes, of: "an image's signature")
        guard data.contentType == IndirectData.oid, let inside = data.content else {
            throw SignaturesError(.signatureMalformed, "an image's signature: it is not about an image")
        }
        do {
            content = try IndirectData(reading: inside)
        } catch let error as ASN1Error {
            throw SignaturesError(.signatureMalformed, "an image's signature: its content: \(error)")
        }
        imageDigest = content.digest
        signer = data.signer
        encoded = Array(copying: bytes)
    }

    /// The certificates that it brings along, as far as they can be read.
    public var certificates: [Certificate] {
        data.certificates.compactMap { try? Certificate(der: $0.span) }
    }

    /// Whether both name the same signer.
    public func hasSigner(of other: AuthenticodeSignature) -> Bool { signer == other.signer }

    /// Judges it by who is trusted, for an image with this digest, whose algorithm has to
    /// be the signature's own. Nobody looks at the validity of certificates when a machine starts, and neither is it here.
    public func verdict(on digest: Digest, by trust: SignerTrust, at time: Int64) throws -> SignatureVerdict {
        try data.verdict(.image, trust, at: time, refusing: refusal(on: digest))
    }

    private func refusal(on digest: Digest) -> SignatureVerdict.Refusal? {
        guard data.attributes.contentType == IndirectData.oid else { return .wrongType }
        let inner = Digest(hashing: content.contents.span, with: data.digest)
        return inner.bytes == data.attributes.messageDigest && digest == imageDigest ? nil : .mismatch
    }
}
