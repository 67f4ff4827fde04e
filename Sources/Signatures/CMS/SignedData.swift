// SPDX-License-Identifier: Apache-2.0

internal import ASN1
internal import Bytes
internal import Cryptography
internal import Diagnostics

/// CMS SignedData (RFC 5652) with one signer and signed attributes: what generic files and EFI images are signed with.
///
/// ```
/// ContentInfo ::= SEQUENCE { signedData 1.2.840.113549.1.7.2, [0] EXPLICIT SignedData }
/// SignedData  ::= SEQUENCE {
///     version INTEGER, digestAlgorithms SET { digest },
///     encapContentInfo SEQUENCE { contentType OBJECT IDENTIFIER, content [0] EXPLICIT ANY OPTIONAL },
///     certificates [0] IMPLICIT SET OF Certificate OPTIONAL, crls [1] IMPLICIT SET OF CertificateList OPTIONAL,
///     signerInfos SET { SignerInfo } }
/// SignerInfo  ::= SEQUENCE {
///     version INTEGER, sid SignerIdentifier, digest, signedAttrs [0] IMPLICIT SignedAttributes,
///     signatureAlgorithm, signature OCTET STRING, unsignedAttrs [1] IMPLICIT SET OF ANY OPTIONAL }
/// ```
/// Read strictly but for the order of the certificates, which many programs do not keep. Unsigned attributes prove
/// nothing and are passed over.
struct SignedData: Hashable, Sendable {
    var contentType: OID
    /// The element that is the content, where it is inside.
    var content: [UInt8]?
    /// DER of each, the signer's own wherever it stands.
    var certificates: [[UInt8]] = []
    var revocationLists: [[UInt8]] = []
    var signer: SignerName
    var digest: DigestAlgorithm
    /// Whether NULL stands behind the digest's name: Authenticode has it, the kernel and OpenSSL do not.
    var hasNull: Bool
    var attributes: SignedAttributes
    /// RSA or ECDSA.
    var family: KeyAlgorithm.Family
    var signature: [UInt8]

    /// More is refused.
    static let largest = 1 << 18

    init(
        contentType: OID, content: [UInt8]?, signer: SignerName, digest: DigestAlgorithm, hasNull: Bool,
        attributes: SignedAttributes, family: KeyAlgorithm.Family, signature: [UInt8]
    ) {
        self.contentType = contentType
        self.content = content
        self.signer = signer
        self.digest = digest
        self.hasNull = hasNull
        self.attributes = attributes
        self.family = family
        self.signature = signature
    }

    // MARK: Reading

    init(_ bytes: Span<UInt8>, of name: String) throws {
        guard bytes.count <= Self.largest else {
            throw SignaturesError(.signatureMalformed, "\(name) of \(bytes.count) bytes")
        }
        do {
            var reader = DERReader(bytes, DER())
            self = try reader.sequence { reader in
                try CMSAlgorithms.expect(CMSAlgorithms.signedData, &reader)
                return try reader.explicit(0) { try SignedData(reading: &$0) }
            }
            try reader.expectEnd()
        } catch let error as ASN1Error {
            throw SignaturesError(.signatureMalformed, "\(name): \(error)")
        }
    }

    private init(reading reader: inout DERReader) throws {
        self = try reader.sequence { reader in
            let start = reader.offset
            let version = try reader.integer()
            let digests = try reader.setOf(limit: 1) { try CMSAlgorithms.readDigest(&$0).0 }
            let (type, content) = try reader.sequence { reader in
                let type = try reader.oid()
                return (
                    type, try reader.optionalExplicit(0) { try $0.element(limit: Self.largest) }
                )
            }
            let certificates = try Self.elements(.constructed(0), &reader)
            let lists = try Self.elements(.constructed(1), &reader)
            let signers = try reader.setOf(limit: 1) { try Signer(reading: &$0) }
            guard 1...5 ~= version, let info = signers.first, digests == [info.digest.0] else {
                throw ASN1Error(.badValue, at: start)
            }
            var data = SignedData(
                contentType: type, content: content, signer: info.name, digest: info.digest.0,
                hasNull: info.digest.hasNull, attributes: info.attributes, family: info.family,
                signature: info.signature)
            data.certificates = certificates
            data.revocationLists = lists
            return data
        }
    }

    private struct Signer {
        var name: SignerName
        var digest: (DigestAlgorithm, hasNull: Bool)
        var attributes: SignedAttributes
        var family: KeyAlgorithm.Family
        var signature: [UInt8]

        init(reading reader: inout DERReader) throws {
            (name, digest, attributes, family, signature) = try reader.sequence { reader in
                let name = try SignerName.read(&reader)
                let digest = try CMSAlgorithms.readDigest(&reader)
                let attributes = try SignedAttributes(reading: &reader)
                let family = try CMSAlgorithms.readFamily(&reader, digest.0, takesDigestWithRSA: true)
                let signature = try reader.octetString(limit: 2048)
                if reader.isNext(.constructed(1)) { try reader.elementRange() }
                return (name, digest, attributes, family, signature)
            }
        }
    }

    /// The elements of a set that may be missing.
    static func elements(_ tag: DERTag, _ reader: inout DERReader) throws -> [[UInt8]] {
        guard reader.isNext(tag) else { return [] }
        return try reader.sequenceOf(tag, limit: 32) { reader in
            let start = reader.offset
            guard reader.isNext(.sequence) else { throw ASN1Error(.unexpectedTag, at: start) }
            return try reader.element(limit: Self.largest)
        }
    }

    // MARK: Writing

    /// DER of the ContentInfo.
    var encoded: [UInt8] {
        var writer = DERWriter()
        writer.sequence { writer in
            writer.oid(CMSAlgorithms.signedData)
            writer.explicit(0) { $0.sequence { write(to: &$0) } }
        }
        return writer.bytes
    }

    private func write(to writer: inout DERWriter) {
        writer.integer(1)
        writer.setOf([digest]) { CMSAlgorithms.write($1, hasNull: hasNull, to: &$0) }
        writer.sequence { writer in
            writer.oid(contentType)
            if let content { writer.explicit(0) { $0.encoded(content) } }
        }
        if !certificates.isEmpty { writer.setOf(certificates, .constructed(0)) { $0.encoded($1) } }
        if !revocationLists.isEmpty { writer.setOf(revocationLists, .constructed(1)) { $0.encoded($1) } }
        writer.setOf([signer]) { writer, signer in
            writer.sequence { writer in
                signer.write(to: &writer)
                CMSAlgorithms.write(digest, hasNull: hasNull, to: &writer)
                attributes.write(to: &writer)
                CMSAlgorithms.write(family, digest, to: &writer)
                writer.octetString(signature)
            }
        }
    }
}
