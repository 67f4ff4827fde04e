// SPDX-License-Identifier: Apache-2.0

internal import ASN1
internal import Bytes

/// A name of the subject alternative name extension.
///
/// ```
/// GeneralName ::= CHOICE {
///     otherName [0] SEQUENCE { type-id OBJECT IDENTIFIER, value [0] EXPLICIT ANY },
///     rfc822Name [1] IA5String, dNSName [2] IA5String, x400Address [3] ORAddress,
///     directoryName [4] EXPLICIT Name, ediPartyName [5] EDIPartyName,
///     uniformResourceIdentifier [6] IA5String, iPAddress [7] OCTET STRING, registeredID [8] OBJECT IDENTIFIER }
/// ```
public enum GeneralName: Hashable, Sendable, CustomStringConvertible {
    case email(String)
    case dns(String)
    case uri(String)
    /// 4 or 16 bytes.
    case ip([UInt8])
    case directory(DistinguishedName)
    /// Any other sort: its number and its DER.
    case other(UInt32, [UInt8])

    init(reading reader: inout DERReader) throws {
        let start = reader.offset
        guard let tag = reader.nextTag, tag.class == .context, tag.number <= 8 else {
            throw ASN1Error(reader.isAtEnd ? .truncated : .unexpectedTag, at: start)
        }
        switch tag {
        case .primitive(1): self = .email(try Self.text(tag, &reader))
        case .primitive(2): self = .dns(try Self.text(tag, &reader))
        case .primitive(6): self = .uri(try Self.text(tag, &reader))
        case .constructed(4):
            self = .directory(try reader.explicit(4) { try DistinguishedName(reading: &$0) })
        case .primitive(7):
            let address = try reader.octetString(tag, limit: 16)
            guard address.count == 4 || address.count == 16 else { throw ASN1Error(.badValue, at: start) }
            self = .ip(address)
        default:
            // The other text-like and structured sorts have one form each.
            guard tag.isConstructed == [0, 3, 5].contains(tag.number) else {
                throw ASN1Error(.unexpectedTag, at: start)
            }
            self = .other(tag.number, try reader.element(limit: 1 << 16))
        }
    }

    /// Names are compared as text, so what would make two texts look alike is refused: emptiness, spaces, control
    /// characters.
    private static func text(_ tag: DERTag, _ reader: inout DERReader) throws -> String {
        let start = reader.offset
        let text = try reader.ia5String(tag)
        guard !text.isEmpty, text.utf8.allSatisfy({ 0x21...0x7e ~= $0 }) else {
            throw ASN1Error(.badText, at: start)
        }
        return text
    }

    /// Such as `dns:example.com`.
    public var description: String {
        switch self {
        case .email(let text): "email:\(text)"
        case .dns(let text): "dns:\(text)"
        case .uri(let text): "uri:\(text)"
        case .ip(let bytes): "ip:\(Self.text(ofAddress: bytes))"
        case .directory(let name): "directory:\(name)"
        case .other(let number, let der): "other[\(number)]:\(Hex.encode(der))"
        }
    }

    private static func text(ofAddress bytes: [UInt8]) -> String {
        guard bytes.count == 16 else { return bytes.map { String($0) }.joined(separator: ".") }
        return stride(from: 0, to: 16, by: 2)
            .map { String(UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]), radix: 16) }
            .joined(separator: ":")
    }
}
