// SPDX-License-Identifier: Apache-2.0

internal import ASN1
internal import Bytes
package import Cryptography

/// What an Authenticode signature says of an image: its digest.
///
/// ```
/// SpcIndirectDataContent ::= SEQUENCE {
///     data SEQUENCE { 1.3.6.1.4.1.311.2.1.15, SpcPeImageData },
///     messageDigest SEQUENCE { digest AlgorithmIdentifier, OCTET STRING } }
/// SpcPeImageData ::= SEQUENCE {
///     flags BIT STRING, file [0] EXPLICIT CHOICE { [2] EXPLICIT CHOICE { [0] IMPLICIT BMPString } } }
/// ```
/// `flags` and `file` say nothing; written are none and `<<<Obsolete>>>`, as other programs do. The signed message digest
/// is over the contents of the outer SEQUENCE, without its tag and length.
package struct IndirectData: Hashable, Sendable {
    /// Of the content type.
    static let oid: OID = "1.3.6.1.4.1.311.2.1.4"
    private static let image: OID = "1.3.6.1.4.1.311.2.1.15"

    package let digest: Digest
    /// The whole element.
    package let encoded: [UInt8]
    /// What the message digest is over.
    let contents: [UInt8]

    package init(_ digest: Digest) {
        var inner = DERWriter()
        inner.sequence { writer in
            writer.oid(Self.image)
            writer.sequence { writer in
                writer.bitString(BitString(named: []))
                writer.explicit(0) { writer in
                    writer.explicit(2) { writer in
                        writer.octetString("<<<Obsolete>>>".utf8.flatMap { [0, $0] }, .primitive(0))
                    }
                }
            }
        }
        inner.sequence { writer in
            CMSAlgorithms.write(digest.algorithm, hasNull: true, to: &writer)
            writer.octetString(digest.bytes)
        }
        var outer = DERWriter()
        outer.sequence { $0.encoded(inner.bytes) }
        self.digest = digest
        contents = inner.bytes
        encoded = outer.bytes
    }

    package init(reading bytes: [UInt8]) throws {
        var reader = DERReader(bytes.span, DER())
        let (digest, range) = try reader.sequence { reader in
            try reader.located { reader in
                try reader.sequence { reader in
                    try CMSAlgorithms.expect(Self.image, &reader)
                    // Nothing in it counts, but it has to be one.
                    try reader.sequence { while !$0.isAtEnd { try $0.elementRange() } }
                }
                return try reader.sequence { reader in
                    let algorithm = try CMSAlgorithms.readDigest(&reader).0
                    let start = reader.offset
                    let value = try reader.octetString(limit: 64)
                    guard let digest = try? Digest(value.span, of: algorithm) else {
                        throw ASN1Error(.badValue, at: start)
                    }
                    return digest
                }
            }
        }
        try reader.expectEnd()
        self.digest = digest
        contents = try reader.copy(range)
        encoded = bytes
    }
}
