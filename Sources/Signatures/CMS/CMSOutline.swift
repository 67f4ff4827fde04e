// SPDX-License-Identifier: Apache-2.0

internal import ASN1
internal import Bytes
internal import Cryptography
internal import Diagnostics

/// What a CMS signature is made of, for those who only look. It is told of forms that nothing here verifies too, such as a
/// module's signature with attributes, and judges none.
///
/// ```
/// SignedData ::= SEQUENCE {
///     version INTEGER, SET OF ANY, contentInfo SEQUENCE { ... },
///     certificates [0] ANY OPTIONAL, crls [1] ANY OPTIONAL, signerInfos SET SIZE (1..32) OF SignerInfo }
/// SignerInfo ::= SEQUENCE {
///     version INTEGER, signer ANY, digest AlgorithmIdentifier, signedAttrs [0] ANY OPTIONAL,
///     signatureAlgorithm AlgorithmIdentifier, signature OCTET STRING, ... }
/// ```
public struct CMSOutline: Hashable, Sendable {
    /// Of one signer.
    public struct Part: Hashable, Sendable {
        /// Such as `sha256`; of what has no name here its number.
        public let digest: String
        /// `RSA`, `ECDSA`, or a number.
        public let algorithm: String
        public let hasAttributes: Bool
        /// Bytes; with RSA as many as the key has.
        public let signatureCount: Int
    }

    public let parts: [Part]
    public let hasCertificates: Bool

    public init(_ bytes: Span<UInt8>) throws {
        guard bytes.count <= SignedData.largest else {
            throw SignaturesError(.signatureMalformed, "a CMS signature of \(bytes.count) bytes")
        }
        do {
            var reader = DERReader(bytes, DER())
            (parts, hasCertificates) = try reader.sequence { reader in
                try CMSAlgorithms.expect(CMSAlgorithms.signedData, &reader)
                return try reader.explicit(0) { try $0.sequence { try Self.read(&$0) } }
            }
            try reader.expectEnd()
        } catch let error as ASN1Error {
            throw SignaturesError(.signatureMalformed, "a CMS signature: \(error)")
        }
    }

    private static func read(_ reader: inout DERReader) throws -> ([Part], Bool) {
        _ = try reader.integer()
        _ = try reader.setOf(limit: 32) { try $0.elementRange() }
        try reader.elementRange()
        let hasCertificates = reader.isNext(.constructed(0))
        for tag in [DERTag.constructed(0), .constructed(1)] where reader.isNext(tag) {
            try reader.elementRange()
        }
        let start = reader.offset
        let parts = try reader.setOf(limit: 32) { try $0.sequence { try Part(reading: &$0) } }
        guard !parts.isEmpty else { throw ASN1Error(.badValue, at: start) }
        return (parts, hasCertificates)
    }

    fileprivate static func name(of oid: OID) -> String {
        let known = CMSAlgorithms.digests.first { $0.oid == oid }?.algorithm.rawValue
        return known ?? others["\(oid)"] ?? "\(oid)"
    }

    private static let others = [
        "1.2.840.113549.2.5": "md5", "1.3.14.3.2.26": "sha1", "2.16.840.1.101.3.4.2.4": "sha224",
    ]
}

extension CMSOutline.Part {
    fileprivate init(reading reader: inout DERReader) throws {
        _ = try reader.integer()
        try reader.elementRange()
        digest = CMSOutline.name(of: try Self.identifier(&reader))
        hasAttributes = reader.isNext(.constructed(0))
        if hasAttributes { try reader.elementRange() }
        let oid = try Self.identifier(&reader)
        let text = "\(oid)"
        // Each names the digest or leaves that to the field before.
        algorithm =
            text.hasPrefix("1.2.840.113549.1.1.")
            ? "RSA" : text.hasPrefix("1.2.840.10045.4.") ? "ECDSA" : text
        signatureCount = try reader.octetString(limit: 1 << 16).count
        while !reader.isAtEnd { try reader.elementRange() }
    }

    private static func identifier(_ reader: inout DERReader) throws -> OID {
        try reader.sequence { reader in
            let oid = try reader.oid()
            while !reader.isAtEnd { try reader.elementRange() }
            return oid
        }
    }
}
