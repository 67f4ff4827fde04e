// SPDX-License-Identifier: Apache-2.0

internal import ASN1
internal import Cryptography

// The names of algorithms in CMS (RFC 5754, RFC 8017, RFC 5753).
//
// DigestAlgorithm    ::= SEQUENCE { OBJECT IDENTIFIER, NULL OPTIONAL }
// SignatureAlgorithm ::= SEQUENCE { OBJECT IDENTIFIER, NULL }         -- of RSA: rsaEncryption, or with the digest
//                      / SEQUENCE { OBJECT IDENTIFIER }               -- of ECDSA, with the digest
enum CMSAlgorithms {
    static let data: OID = "1.2.840.113549.1.7.1"
    static let signedData: OID = "1.2.840.113549.1.7.2"
    static let rsaEncryption: OID = "1.2.840.113549.1.1.1"

    static let digests: [(algorithm: DigestAlgorithm, oid: OID)] = [
        (.sha256, "2.16.840.1.101.3.4.2.1"), (.sha384, "2.16.840.1.101.3.4.2.2"),
        (.sha512, "2.16.840.1.101.3.4.2.3"),
    ]

    /// Reads an identifier that has to be this one.
    static func expect(_ oid: OID, _ reader: inout DERReader) throws {
        let start = reader.offset
        guard try reader.oid() == oid else { throw ASN1Error(.badValue, at: start) }
    }

    /// The digest, and whether NULL stands behind it.
    static func readDigest(_ reader: inout DERReader) throws -> (DigestAlgorithm, hasNull: Bool) {
        let start = reader.offset
        return try reader.sequence { reader in
            let oid = try reader.oid()
            guard let digest = digests.first(where: { $0.oid == oid })?.algorithm else {
                throw ASN1Error(.badValue, at: start)
            }
            let hasNull = !reader.isAtEnd
            if hasNull { try reader.null() }
            return (digest, hasNull)
        }
    }

    static func write(_ digest: DigestAlgorithm, hasNull: Bool, to writer: inout DERWriter) {
        writer.sequence { writer in
            if let oid = digests.first(where: { $0.algorithm == digest })?.oid { writer.oid(oid) }
            if hasNull { writer.null() }
        }
    }

    /// The family of the key. Some programs name the digest with RSA too, which has to be the same then.
    static func readFamily(
        _ reader: inout DERReader, _ digest: DigestAlgorithm, takesDigestWithRSA: Bool = false
    ) throws -> KeyAlgorithm.Family {
        let start = reader.offset
        return try reader.sequence { reader in
            let oid = try reader.oid()
            if oid == rsaEncryption
                || takesDigestWithRSA && oid == SignatureAlgorithm.rsaPKCS1(digest).identifier
            {
                try reader.null()
                return .rsa
            }
            guard oid == SignatureAlgorithm.ecdsa(digest).identifier else {
                throw ASN1Error(.badValue, at: start)
            }
            return .ecdsa
        }
    }

    static func write(_ family: KeyAlgorithm.Family, _ digest: DigestAlgorithm, to writer: inout DERWriter) {
        writer.sequence { writer in
            if family == .ecdsa, let oid = SignatureAlgorithm.ecdsa(digest).identifier {
                writer.oid(oid)
            } else {
                writer.oid(rsaEncryption)
                writer.null()
            }
        }
    }

    static func algorithm(_ family: KeyAlgorithm.Family, _ digest: DigestAlgorithm) -> SignatureAlgorithm {
        family == .rsa ? .rsaPKCS1(digest) : .ecdsa(digest)
    }
}
