// SPDX-License-Identifier: Apache-2.0

internal import ASN1
internal import Bytes
public import Cryptography

/// How a CMS structure names its signer.
///
/// ```
/// SignerIdentifier ::= CHOICE {
///     SEQUENCE { issuer Name, serialNumber INTEGER },   -- in a SignerInfo of version 1
///     [0] OCTET STRING }                                -- the key's identifier, in one of version 3
/// ```
public enum SignerName: Hashable, Sendable {
    /// DER of the issuer's name, and the serial number without zeros in front.
    case issuer([UInt8], serialNumber: [UInt8])
    case keyIdentifier([UInt8])

    init(of certificate: Certificate) {
        self = .issuer(certificate.issuer.der, serialNumber: certificate.serialNumber)
    }

    /// Whether it is the certificate's.
    public func names(_ certificate: Certificate) -> Bool {
        switch self {
        case .issuer(let name, let serial):
            certificate.issuer.der == name && certificate.serialNumber == serial
        case .keyIdentifier(let identifier): certificate.subjectKeyIdentifier == identifier
        }
    }

    /// The serial number or the identifier: what there is to say of a signer without certificate.
    var text: String {
        switch self {
        case .issuer(_, let serial): Hex.encode(serial, .upper)
        case .keyIdentifier(let identifier): Hex.encode(identifier, .upper)
        }
    }

    // MARK: DER

    /// Version and name, with which a SignerInfo begins.
    static func read(_ reader: inout DERReader) throws -> SignerName {
        let start = reader.offset
        switch try reader.integer() {
        case 1:
            return try reader.sequence { reader in
                let name = try reader.located { reader in
                    try reader.sequence { while !$0.isAtEnd { try $0.elementRange() } }
                }.range
                return .issuer(try reader.copy(name), serialNumber: try reader.magnitude(limit: 20))
            }
        case 3: return .keyIdentifier(try reader.octetString(.primitive(0), limit: 255))
        default: throw ASN1Error(.badValue, at: start)
        }
    }

    var version: Int { if case .keyIdentifier = self { 3 } else { 1 } }

    func write(to writer: inout DERWriter) {
        writer.integer(version)
        switch self {
        case .issuer(let name, let serial):
            writer.sequence { writer in
                writer.encoded(name)
                writer.integer(magnitude: serial)
            }
        case .keyIdentifier(let identifier): writer.octetString(identifier, .primitive(0))
        }
    }
}
