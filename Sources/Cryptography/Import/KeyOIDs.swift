// SPDX-License-Identifier: Apache-2.0

internal import ASN1
internal import Diagnostics

/// The algorithm of a key as PKCS#8 and X.509 name it.
///
/// ```
/// AlgorithmIdentifier ::= SEQUENCE { algorithm OBJECT IDENTIFIER, parameters ANY OPTIONAL }
/// rsaEncryption 1.2.840.113549.1.1.1    NULL
/// ecPublicKey   1.2.840.10045.2.1       the curve's OBJECT IDENTIFIER
/// Ed25519       1.3.101.112             absent
/// ```
enum KeyIdentifier: Equatable {
    case rsa
    case ecdsa(KeyAlgorithm)
    case ed25519

    init(reading reader: inout DERReader) throws {
        self = try reader.sequence { reader in
            switch try reader.oid() {
            case "1.2.840.113549.1.1.1":
                try reader.null()
                return .rsa
            case "1.2.840.10045.2.1":
                return .ecdsa(try Self.curve(&reader))
            case "1.3.101.112":
                return .ed25519
            case let other:
                throw CryptographyError(
                    .keyNotSupported, "a key of the sort \(Self.names[other] ?? "\(other)")")
            }
        }
    }

    /// The curve of `ECParameters`, named; parameters that spell a curve out are refused, since they may be of a curve
    /// made to be weak.
    static func curve(_ reader: inout DERReader) throws -> KeyAlgorithm {
        guard reader.isNext(.oid) else {
            throw CryptographyError(.keyNotSupported, "a key on a curve that is spelled out and not named")
        }
        switch try reader.oid() {
        case "1.2.840.10045.3.1.7": return .p256
        case "1.3.132.0.34": return .p384
        case let other:
            throw CryptographyError(.keyNotSupported, "a key on the curve \(names[other] ?? "\(other)")")
        }
    }

    func write(to writer: inout DERWriter) {
        writer.sequence { writer in
            switch self {
            case .rsa:
                writer.oid("1.2.840.113549.1.1.1")
                writer.null()
            case .ecdsa(let algorithm):
                writer.oid("1.2.840.10045.2.1")
                writer.oid(algorithm == .p256 ? "1.2.840.10045.3.1.7" : "1.3.132.0.34")
            case .ed25519:
                writer.oid("1.3.101.112")
            }
        }
    }

    /// What people call the ones that are not taken.
    private static let names: [OID: String] = [
        "1.2.840.10040.4.1": "DSA", "1.2.840.113549.1.1.10": "RSASSA-PSS", "1.2.840.113549.1.3.1": "DH",
        "1.3.101.110": "X25519", "1.3.101.111": "X448", "1.3.101.113": "Ed448",
        "1.3.132.0.10": "secp256k1", "1.3.132.0.35": "P-521", "1.3.132.0.33": "P-224",
        "1.2.156.10197.1.301": "SM2", "1.3.36.3.3.2.8.1.1.7": "brainpoolP256r1",
    ]
}
