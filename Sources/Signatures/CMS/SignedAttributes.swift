// SPDX-License-Identifier: Apache-2.0

internal import ASN1
internal import Bytes
internal import Cryptography

/// What a CMS signer signs besides the content's digest, which is one of them.
///
/// ```
/// SignedAttributes ::= SET SIZE (1..MAX) OF SEQUENCE { type OBJECT IDENTIFIER, values SET OF ANY }
/// contentType   1.2.840.113549.1.9.3   OBJECT IDENTIFIER
/// messageDigest 1.2.840.113549.1.9.4   OCTET STRING
/// signingTime   1.2.840.113549.1.9.5   Time
/// ```
/// The signature is over the SET as a structure of its own, whatever tag it has in the SignerInfo. Others than these three
/// are passed over when read and never written.
struct SignedAttributes: Hashable, Sendable {
    let contentType: OID
    let messageDigest: [UInt8]
    let signingTime: ASN1Time?
    /// What is signed.
    let encoded: [UInt8]

    private static let contentTypeOID: OID = "1.2.840.113549.1.9.3"
    private static let messageDigestOID: OID = "1.2.840.113549.1.9.4"
    private static let signingTimeOID: OID = "1.2.840.113549.1.9.5"

    init(contentType: OID, messageDigest: [UInt8], signingTime: ASN1Time) {
        self.contentType = contentType
        self.messageDigest = messageDigest
        self.signingTime = signingTime
        var values: [(OID, [UInt8])] = []
        func add(_ type: OID, _ value: (inout DERWriter) -> Void) {
            var writer = DERWriter()
            value(&writer)
            values.append((type, writer.bytes))
        }
        add(Self.contentTypeOID) { $0.oid(contentType) }
        add(Self.messageDigestOID) { $0.octetString(messageDigest) }
        add(Self.signingTimeOID) { $0.time(signingTime) }
        var writer = DERWriter()
        writer.setOf(values) { writer, attribute in
            writer.sequence { writer in
                writer.oid(attribute.0)
                writer.element(.set) { $0.encoded(attribute.1) }
            }
        }
        encoded = writer.bytes
    }

    /// Reads them with the tag that they have in a SignerInfo.
    init(reading reader: inout DERReader) throws {
        let start = reader.offset
        let (all, range) = try reader.located { reader in
            try reader.setOf(.constructed(0), limit: 64) { reader in
                try reader.sequence { ($0.offset, try $0.oid(), try $0.element(limit: 1 << 16)) }
            }
        }
        guard Set(all.map(\.1)).count == all.count else { throw ASN1Error(.badValue, at: start) }
        func value<Value>(_ type: OID, _ body: (inout DERReader) throws -> Value) throws -> Value? {
            guard let (place, _, values) = all.first(where: { $0.1 == type }) else { return nil }
            do {
                var reader = DERReader(values.span, DER())
                let value = try reader.sequence(.set) { try body(&$0) }
                try reader.expectEnd()
                return value
            } catch let error as ASN1Error {
                throw ASN1Error(error.code, at: place)
            }
        }
        guard let contentType = try value(Self.contentTypeOID, { try $0.oid() }),
            let digest = try value(Self.messageDigestOID, { try $0.octetString(limit: 64) })
        else { throw ASN1Error(.badValue, at: start) }
        self.contentType = contentType
        messageDigest = digest
        signingTime = try value(Self.signingTimeOID) { try $0.time() }
        encoded = try [0x31] + reader.copy(range).dropFirst()
    }

    /// With the tag of a SignerInfo.
    func write(to writer: inout DERWriter) { writer.encoded([0xa0] + encoded.dropFirst()) }

    func digest(_ algorithm: DigestAlgorithm) -> Digest { Digest(hashing: encoded.span, with: algorithm) }
}
