// SPDX-License-Identifier: Apache-2.0

public import ASN1
public import Bytes

/// The name of a certificate's subject or issuer.
///
/// ```
/// Name                      ::= SEQUENCE OF RelativeDistinguishedName
/// RelativeDistinguishedName ::= SET SIZE (1..MAX) OF AttributeTypeAndValue
/// AttributeTypeAndValue     ::= SEQUENCE { type OBJECT IDENTIFIER, value ANY }
/// ```
/// Two names are equal when their bytes are.
public struct DistinguishedName: Hashable, Sendable, CustomStringConvertible {
    /// One attribute, such as the common name.
    public struct Attribute: Hashable, Sendable {
        public let type: OID
        /// The value when it is text.
        public let text: String?
        /// The value's DER.
        public let encoded: [UInt8]
    }

    /// In the order of the encoding, which is the reverse of the text's.
    public let parts: [[Attribute]]
    /// The whole name's DER.
    public let der: [UInt8]

    public static let commonName: OID = "2.5.4.3"
    public static let organization: OID = "2.5.4.10"
    public static let organizationalUnit: OID = "2.5.4.11"
    public static let country: OID = "2.5.4.6"

    public init(reading reader: inout DERReader) throws {
        let start = reader.offset
        parts = try reader.sequenceOf(limit: 100) { reader in
            let place = reader.offset
            let part = try reader.setOf(limit: 20) { try Self.attribute(&$0) }
            guard !part.isEmpty else { throw ASN1Error(.badValue, at: place) }
            return part
        }
        der = try reader.copy(start..<reader.offset)
    }

    private static func attribute(_ reader: inout DERReader) throws -> Attribute {
        try reader.sequence { reader in
            let type = try reader.oid()
            let start = reader.offset
            var probe = reader
            if let text = try? probe.directoryText() {
                reader = probe
                return Attribute(type: type, text: text, encoded: try reader.copy(start..<reader.offset))
            }
            // Text that is malformed is no text of another sort.
            guard let tag = reader.nextTag, !textTags.contains(tag) else {
                _ = try reader.directoryText()
                throw ASN1Error(.badText, at: start)
            }
            return Attribute(type: type, text: nil, encoded: try reader.element(limit: 1 << 16))
        }
    }

    private static let textTags: [DERTag] = [
        .utf8String, .ia5String, .printableString, .visibleString, .numericString, .t61String, .bmpString,
        .universalString,
    ]

    public var isEmpty: Bool { parts.isEmpty }

    /// The texts of all attributes of one type.
    public func texts(_ type: OID) -> [String] {
        parts.joined().filter { $0.type == type }.compactMap(\.text)
    }

    // MARK: Text

    /// The name as RFC 4514 writes it, the last part first.
    public var description: String {
        parts.reversed().map { part in part.map(Self.text).joined(separator: "+") }.joined(separator: ",")
    }

    private static let keywords: [OID: String] = [
        "2.5.4.3": "CN", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "ST", "2.5.4.9": "STREET",
        "2.5.4.10": "O", "2.5.4.11": "OU", "0.9.2342.19200300.100.1.25": "DC",
        "0.9.2342.19200300.100.1.1": "UID",
    ]

    private static func text(_ attribute: Attribute) -> String {
        if let keyword = keywords[attribute.type], let text = attribute.text {
            return "\(keyword)=\(escape(text))"
        }
        return "\(keywords[attribute.type] ?? "\(attribute.type)")=#\(Hex.encode(attribute.encoded, .upper))"
    }

    /// Characters with a meaning stand behind a backslash; control characters are written as bytes, so that a name
    /// cannot break out of its line.
    private static func escape(_ text: String) -> String {
        let scalars = Array(text.unicodeScalars)
        var escaped = ""
        for (index, scalar) in scalars.enumerated() {
            let isEdge = index == 0 || index == scalars.count - 1
            switch scalar {
            case "\"", "+", ",", ";", "<", ">", "\\": escaped += "\\\(scalar)"
            case "#" where index == 0: escaped += "\\#"
            case " " where isEdge: escaped += "\\ "
            case _ where scalar.value < 0x20 || 0x7f...0x9f ~= scalar.value:
                escaped += String(scalar).utf8.map { "\\" + Hex.encode([$0], .upper) }.joined()
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
