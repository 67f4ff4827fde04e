// SPDX-License-Identifier: Apache-2.0

internal import ASN1
internal import Cryptography

/// Extensions of a certificate or list as they are written.
///
/// ```
/// Extension ::= SEQUENCE { extnID OBJECT IDENTIFIER, critical BOOLEAN DEFAULT FALSE, extnValue OCTET STRING }
/// ```
struct ExtensionList {
    /// One extension after the other.
    private(set) var encoded: [UInt8] = []

    mutating func add(
        _ oid: OID, isCritical: Bool = false, _ value: (inout DERWriter) throws -> Void
    ) rethrows {
        var writer = DERWriter()
        try writer.sequence { writer in
            writer.oid(oid)
            if isCritical { writer.boolean(true) }
            try writer.octetStringHolding(.octetString, value)
        }
        encoded += writer.bytes
    }

    mutating func addNotAuthority() {
        add("2.5.29.19", isCritical: true) { $0.sequence { _ in } }
    }

    mutating func add(_ usage: KeyUsage) {
        let bits = (0..<9).filter { usage.rawValue & 1 << UInt16($0) != 0 }
        add("2.5.29.15", isCritical: true) { $0.bitString(BitString(named: bits)) }
    }

    mutating func addExtendedKeyUsage(_ use: OID, isCritical: Bool = false) {
        add("2.5.29.37", isCritical: isCritical) { $0.sequence { $0.oid(use) } }
    }

    mutating func addSubjectKey(_ identifier: [UInt8]) {
        add("2.5.29.14") { $0.octetString(identifier) }
    }

    /// `AuthorityKeyIdentifier ::= SEQUENCE { keyIdentifier [0], authorityCertIssuer [1], authorityCertSerialNumber [2] }`
    mutating func addAuthorityKey(_ identifier: [UInt8], of issuer: Certificate? = nil) {
        add("2.5.29.35") { writer in
            writer.sequence { writer in
                writer.octetString(identifier, .primitive(0))
                if let issuer {
                    writer.element(.constructed(1)) { $0.explicit(4) { $0.encoded(issuer.issuer.der) } }
                    writer.integer(magnitude: issuer.serialNumber, .primitive(2))
                }
            }
        }
    }
}

extension GeneralName {
    func write(to writer: inout DERWriter) throws {
        switch self {
        case .email(let text): try writer.ia5String(text, .primitive(1))
        case .dns(let text): try writer.ia5String(text, .primitive(2))
        case .uri(let text): try writer.ia5String(text, .primitive(6))
        case .ip(let bytes): writer.octetString(bytes, .primitive(7))
        case .directory(let name): writer.explicit(4) { $0.encoded(name.der) }
        case .other(_, let der): writer.encoded(der)
        }
    }
}
