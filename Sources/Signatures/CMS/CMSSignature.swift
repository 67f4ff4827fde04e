// SPDX-License-Identifier: Apache-2.0

internal import ASN1
internal import Bytes
public import Cryptography
internal import Diagnostics

/// The detached CMS signature of any file (`.p7s`), read strictly: `SignedData` over plain data that is elsewhere, with
/// signed attributes.
public struct CMSSignature: Hashable, Sendable {
    /// The digest of the content that it is about.
    public let contentDigest: Digest
    public let signer: SignerName
    /// Seconds since 1970, as its signer says.
    public var created: Int64? { data.attributes.signingTime?.secondsSince1970 }
    public let encoded: [UInt8]
    private let data: SignedData

    /// More is refused.
    public static let largest = SignedData.largest

    public init(_ bytes: Span<UInt8>) throws {
        let data = try SignedData(bytes, of: "a CMS signature")
        guard data.contentType == CMSAlgorithms.data, data.content == nil else {
            throw SignaturesError(.signatureMalformed, "a CMS signature: it is not detached from plain data")
        }
        let value = data.attributes.messageDigest
        guard let digest = try? Digest(value.span, of: data.digest) else {
            throw SignaturesError(.signatureMalformed, "a CMS signature: a digest of another length")
        }
        self.data = data
        contentDigest = digest
        signer = data.signer
        encoded = Array(copying: bytes)
    }

    /// The certificates that it brings along, as far as they can be read.
    public var certificates: [Certificate] {
        data.certificates.compactMap { try? Certificate(der: $0.span) }
    }

    /// The revocation lists that it brings along, as far as they can be read.
    public var revocationLists: [CertificateRevocationList] {
        data.revocationLists.compactMap { try? CertificateRevocationList(der: $0.span) }
    }

    /// The same signature with these revocation lists beside it, in place of those that it has; they are not signed.
    public func bringing(_ lists: [CertificateRevocationList]) throws -> CMSSignature {
        var data = data
        data.revocationLists = lists.map(\.der)
        let encoded = data.encoded
        return try CMSSignature(encoded.span)
    }

    /// Judges it by who is trusted, for content with this digest, whose algorithm has to be
    /// the signature's own. `time` is now, in seconds since 1970: the certificates have to be valid then.
    public func verdict(on digest: Digest, by trust: SignerTrust, at time: Int64) throws -> SignatureVerdict {
        let refusal: SignatureVerdict.Refusal? =
            data.attributes.contentType != CMSAlgorithms.data
            ? .wrongType : digest == contentDigest ? nil : .mismatch
        return try data.verdict(.content, trust, at: time, refusing: refusal)
    }
}
