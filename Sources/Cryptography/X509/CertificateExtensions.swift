// SPDX-License-Identifier: Apache-2.0

public import ASN1
internal import Bytes

/// What a key may be used for.
///
/// ```
/// KeyUsage ::= BIT STRING { digitalSignature(0), nonRepudiation(1), keyEncipherment(2), dataEncipherment(3),
///     keyAgreement(4), keyCertSign(5), cRLSign(6), encipherOnly(7), decipherOnly(8) }
/// ```
public struct KeyUsage: OptionSet, Hashable, Sendable {
    public let rawValue: UInt16

    public init(rawValue: UInt16) { self.rawValue = rawValue }

    public static let digitalSignature = KeyUsage(rawValue: 1 << 0)
    public static let nonRepudiation = KeyUsage(rawValue: 1 << 1)
    public static let keyEncipherment = KeyUsage(rawValue: 1 << 2)
    public static let dataEncipherment = KeyUsage(rawValue: 1 << 3)
    public static let keyAgreement = KeyUsage(rawValue: 1 << 4)
    public static let keyCertSign = KeyUsage(rawValue: 1 << 5)
    public static let crlSign = KeyUsage(rawValue: 1 << 6)
    public static let encipherOnly = KeyUsage(rawValue: 1 << 7)
    public static let decipherOnly = KeyUsage(rawValue: 1 << 8)

    init(reading reader: inout DERReader) throws {
        let start = reader.offset
        let bits = try reader.namedBits()
        guard 1...9 ~= bits.count else { throw ASN1Error(.badValue, at: start) }
        rawValue = (0..<9).reduce(0) { bits[$1] ? $0 | 1 << UInt16($1) : $0 }
    }
}

/// Whether the subject is a certificate authority, and how many further ones may be below it.
///
/// ```
/// BasicConstraints ::= SEQUENCE { cA BOOLEAN DEFAULT FALSE, pathLenConstraint INTEGER (0..MAX) OPTIONAL }
/// ```
public struct BasicConstraints: Hashable, Sendable {
    public let isAuthority: Bool
    public let pathLength: Int?

    init(reading reader: inout DERReader) throws {
        (isAuthority, pathLength) = try reader.sequence { reader in
            let isAuthority = try reader.booleanDefaultingToFalse()
            let start = reader.offset
            let length = try reader.optional(.integer) { try $0.integer() }
            guard length == nil || isAuthority, length ?? 0 >= 0 else {
                throw ASN1Error(.badValue, at: start)
            }
            return (isAuthority, length)
        }
    }
}

/// Which key signed a certificate.
///
/// ```
/// AuthorityKeyIdentifier ::= SEQUENCE { keyIdentifier [0] OCTET STRING OPTIONAL,
///     authorityCertIssuer [1] GeneralNames OPTIONAL, authorityCertSerialNumber [2] INTEGER OPTIONAL }
/// ```
public struct AuthorityKeyIdentifier: Hashable, Sendable {
    public let keyIdentifier: [UInt8]?
    public let issuer: [GeneralName]
    public let serialNumber: [UInt8]?

    init(reading reader: inout DERReader) throws {
        (keyIdentifier, issuer, serialNumber) = try reader.sequence { reader in
            let key = try reader.optional(.primitive(0)) { try $0.octetString(.primitive(0), limit: 255) }
            let start = reader.offset
            let issuer = try reader.optional(.constructed(1)) { reader in
                try reader.sequenceOf(.constructed(1), limit: 100) { try GeneralName(reading: &$0) }
            }
            let serial = try reader.optional(.primitive(2)) { try $0.magnitude(.primitive(2), limit: 20) }
            // Both or none.
            guard (issuer == nil) == (serial == nil) else { throw ASN1Error(.badValue, at: start) }
            return (key, issuer ?? [], serial)
        }
    }
}

/// An extension as it stands in a certificate or list.
///
/// ```
/// Extension ::= SEQUENCE { extnID OBJECT IDENTIFIER, critical BOOLEAN DEFAULT FALSE, extnValue OCTET STRING }
/// ```
public struct CertificateExtension: Hashable, Sendable {
    public let oid: OID
    public let isCritical: Bool
    /// The contents of the OCTET STRING.
    public let value: [UInt8]

    /// `Extensions ::= SEQUENCE SIZE (1..MAX) OF Extension`, each of another type.
    static func list(_ reader: inout DERReader) throws -> [CertificateExtension] {
        let start = reader.offset
        let list = try reader.sequenceOf(limit: 100) { reader in
            try reader.sequence { reader in
                CertificateExtension(
                    oid: try reader.oid(), isCritical: try reader.booleanDefaultingToFalse(),
                    value: try reader.octetString(limit: 1 << 16))
            }
        }
        guard !list.isEmpty, Set(list.map(\.oid)).count == list.count else {
            throw ASN1Error(.badValue, at: start)
        }
        return list
    }
}

extension [CertificateExtension] {
    /// Reads the extension of one type to its end; `nil` when there is none.
    func read<Value>(_ oid: OID, _ body: (inout DERReader) throws -> Value) throws -> Value? {
        guard let found = first(where: { $0.oid == oid }) else { return nil }
        var reader = DERReader(found.value.span, DER())
        let value = try body(&reader)
        try reader.expectEnd()
        return value
    }
}
