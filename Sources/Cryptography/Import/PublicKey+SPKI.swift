// SPDX-License-Identifier: Apache-2.0

internal import ASN1
internal import Bytes
internal import Diagnostics

// A public key as X.509 carries it.
//
// SubjectPublicKeyInfo ::= SEQUENCE { algorithm AlgorithmIdentifier, subjectPublicKey BIT STRING }
// RSAPublicKey         ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER }
//
// The bits are an RSAPublicKey, an uncompressed point, or the 32 bytes of Ed25519. Since a key has one such encoding,
// its hash identifies the key; compressed points are refused for that reason.
extension PublicKeyComponents {
    /// Reads a SubjectPublicKeyInfo.
    public init(spki bytes: Span<UInt8>) throws {
        do {
            var reader = DERReader(bytes, DER())
            self = try PublicKeyComponents(reading: &reader)
            try reader.expectEnd()
        } catch let error as ASN1Error {
            throw CryptographyError(.keyMalformed, "a public key: \(error)")
        }
    }

    init(reading reader: inout DERReader) throws {
        self = try reader.sequence { reader in
            switch try KeyIdentifier(reading: &reader) {
            case .rsa:
                return try reader.bitStringHolding { reader in
                    try reader.sequence { reader in
                        .rsa(
                            modulus: try reader.magnitude(limit: 2048),
                            exponent: try reader.magnitude(limit: 512))
                    }
                }
            case .ecdsa(let algorithm):
                let point = try Self.wholeBytes(&reader)
                let width = algorithm.bits / 8
                guard point.count == 2 * width + 1, point[0] == 4 else {
                    throw CryptographyError(
                        .keyMalformed, "a public point that is not in the uncompressed form of its curve")
                }
                return .ecdsa(algorithm, x: Array(point[1...width]), y: Array(point[(width + 1)...]))
            case .ed25519:
                let point = try Self.wholeBytes(&reader)
                guard point.count == 32 else {
                    throw CryptographyError.wrongLength("an Ed25519 public key", point.count, expected: "32")
                }
                return .ed25519(point)
            }
        }
    }

    /// The SubjectPublicKeyInfo.
    public var spki: [UInt8] {
        var writer = DERWriter()
        writer.sequence { writer in
            switch self {
            case .rsa(let modulus, let exponent):
                KeyIdentifier.rsa.write(to: &writer)
                writer.bitStringHolding { writer in
                    writer.sequence { writer in
                        writer.integer(magnitude: modulus)
                        writer.integer(magnitude: exponent)
                    }
                }
            case .ecdsa(let algorithm, let x, let y):
                KeyIdentifier.ecdsa(algorithm).write(to: &writer)
                writer.octetString([0, 4] + x + y, .bitString)
            case .ed25519(let bytes):
                KeyIdentifier.ed25519.write(to: &writer)
                writer.octetString([0] + bytes, .bitString)
            }
        }
        return writer.bytes
    }

    private static func wholeBytes(_ reader: inout DERReader) throws -> [UInt8] {
        let start = reader.offset
        let bits = try reader.bitString(limit: 1024)
        guard bits.unusedBits == 0 else { throw ASN1Error(.badValue, at: start) }
        return bits.bytes
    }
}

extension PublicKey {
    /// Reads a SubjectPublicKeyInfo. Points have to be on their curve; `PublicKeyComponents.flaws` says more.
    public convenience init(spki bytes: Span<UInt8>) throws {
        try self.init(PublicKeyComponents(spki: bytes))
    }

    /// The SubjectPublicKeyInfo.
    public func spki() throws -> [UInt8] { try components().spki }

    /// SHA-256 of the SubjectPublicKeyInfo, which identifies the key whatever certificate is around it.
    public func fingerprint() throws -> Digest {
        let encoded = try spki()
        return Digest(hashing: encoded.span, with: .sha256)
    }
}
