// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Cryptography

/// The tags of packets (RFC 4880, 4.3).
enum PacketTag {
    static let signature: UInt8 = 2
    static let secretKey: UInt8 = 5
    static let publicKey: UInt8 = 6
    static let secretSubkey: UInt8 = 7
    static let marker: UInt8 = 10
    static let trust: UInt8 = 12
    static let userID: UInt8 = 13
    static let publicSubkey: UInt8 = 14
    static let userAttribute: UInt8 = 17
}

/// The types of signatures (RFC 4880, 5.2.1) that are told apart here.
enum SignatureType {
    static let binary: UInt8 = 0x00
    static let text: UInt8 = 0x01
    static let certifications: ClosedRange<UInt8> = 0x10...0x13
    static let positiveCertification: UInt8 = 0x13
    static let subkeyBinding: UInt8 = 0x18
    static let primaryBinding: UInt8 = 0x19
    static let directKey: UInt8 = 0x1f
    static let keyRevocation: UInt8 = 0x20
    static let subkeyRevocation: UInt8 = 0x28
    static let certificationRevocation: UInt8 = 0x30
}

/// The algorithms of public keys (RFC 4880, 9.1, and RFC 6637).
enum PublicKeyNumber {
    static let rsa: UInt8 = 1
    /// RSA keys that only sign; nobody writes them any more.
    static let rsaSign: UInt8 = 3
    static let ecdsa: UInt8 = 19
    /// EdDSA over the octets of a digest, as GnuPG introduced it.
    static let eddsa: UInt8 = 22

    static func of(_ key: KeyAlgorithm) -> UInt8 {
        switch key.family {
        case .rsa: rsa
        case .ecdsa: ecdsa
        case .ed25519: eddsa
        }
    }

    static func name(_ number: UInt8) -> String {
        switch number {
        case rsa, rsaSign: "RSA"
        case 17: "DSA"
        case ecdsa: "ECDSA"
        case eddsa: "EdDSA"
        default: "public-key algorithm \(number)"
        }
    }
}

extension DigestAlgorithm {
    /// The number of a hash function (RFC 4880, 9.4).
    var openPGPNumber: UInt8 {
        switch self {
        case .weakMD5: 1
        case .weakSHA1: 2
        case .sha256: 8
        case .sha384: 9
        case .sha512: 10
        case .sha224: 11
        }
    }

    init?(openPGPNumber number: UInt8) {
        guard let found = Self.allCases.first(where: { $0.openPGPNumber == number }) else { return nil }
        self = found
    }
}

/// Object identifiers of curves, as keys contain them: the DER contents.
enum CurveOID {
    static let p256: [UInt8] = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07]
    static let p384: [UInt8] = [0x2b, 0x81, 0x04, 0x00, 0x22]
    static let ed25519: [UInt8] = [0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x0f, 0x01]
}

/// A big-endian number without sign.
///
/// ```
/// mpi = bits *OCTET   ; bits: 2 octets, the number of the first bit that is set; as many octets as hold them
/// ```
/// So the first octet is not zero, and the number zero has none.
enum MPI {
    static let longest = 2048

    static func read(_ reader: inout ByteReader) throws(BytesError) -> [UInt8] {
        let start = reader.offset
        let bits = Int(try reader.readUInt16())
        let bytes = try reader.readArray((bits + 7) / 8, limit: longest)
        guard bitCount(bytes) == bits else { throw BytesError(.notCanonical, at: start) }
        return bytes
    }

    static func write(_ number: some Sequence<UInt8>, to writer: inout ByteWriter) {
        let bytes = Array(number.drop { $0 == 0 })
        writer.write(UInt16(truncatingIfNeeded: bitCount(bytes)))
        writer.write(bytes)
    }

    /// Without leading zeros; `bytes` with some gives another count than its length tells.
    private static func bitCount(_ bytes: [UInt8]) -> Int {
        guard let first = bytes.first else { return 0 }
        return bytes.count * 8 - first.leadingZeroBitCount
    }

    /// The number with zeros in front, `width` bytes; `nil` when it is longer.
    static func padded(_ number: [UInt8], to width: Int) -> [UInt8]? {
        guard number.count <= width else { return nil }
        return [UInt8](repeating: 0, count: width - number.count) + number
    }
}
