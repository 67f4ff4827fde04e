// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import Cryptography
internal import Diagnostics

/// A public key or subkey as a packet (RFC 4880, 5.5.2, version 4).
///
/// ```
/// body     = %x04 created algorithm material            ; created: 4 octets, seconds since 1970
/// material = mpi mpi                                    ; RSA: modulus, exponent
///          / length oid mpi                             ; ECDSA: %x04 x y; EdDSA: %x40 and the 32 octets of RFC 8032
/// ```
/// Material of other algorithms is kept and not looked at.
public struct OpenPGPKey: Hashable, Sendable {
    /// Seconds since 1970.
    public let created: Int64
    /// The algorithm's number in OpenPGP.
    public let algorithmNumber: UInt8
    /// `nil` for a key of an algorithm or size that is not used here.
    public let publicKey: PublicKey?
    /// SHA-1 of the packet, 20 bytes.
    public let fingerprint: [UInt8]
    let body: [UInt8]

    /// The end of the fingerprint, 8 bytes.
    public var keyID: [UInt8] { Array(fingerprint.suffix(8)) }

    /// A new packet for a key.
    init(_ key: PublicKey, created: UInt32) throws {
        var writer = ByteWriter()
        writer.write(UInt8(4))
        writer.write(created)
        writer.write(PublicKeyNumber.of(key.algorithm))
        switch try key.components() {
        case .rsa(let modulus, let exponent):
            MPI.write(modulus, to: &writer)
            MPI.write(exponent, to: &writer)
        case .ecdsa(let algorithm, let x, let y):
            let oid = algorithm == .p256 ? CurveOID.p256 : CurveOID.p384
            writer.write(UInt8(oid.count))
            writer.write(oid)
            MPI.write([4] + x + y, to: &writer)
        case .ed25519(let point):
            writer.write(UInt8(CurveOID.ed25519.count))
            writer.write(CurveOID.ed25519)
            MPI.write([0x40] + point, to: &writer)
        }
        self.created = Int64(created)
        algorithmNumber = PublicKeyNumber.of(key.algorithm)
        publicKey = key
        body = writer.bytes
        fingerprint = Self.fingerprint(body)
    }

    init(body: [UInt8]) throws {
        // Where a key is signed, its length stands in two octets.
        guard body.count <= UInt16.max else { throw BytesError(.overLimit, at: 0) }
        var reader = ByteReader(body.span)
        let version = try reader.readUInt8()
        guard version == 4 else {
            throw SignaturesError(.openPGPCertificateMalformed, "a key of version \(version); 4 is read here")
        }
        created = Int64(try reader.readUInt32())
        algorithmNumber = try reader.readUInt8()
        switch algorithmNumber {
        case PublicKeyNumber.rsa, PublicKeyNumber.rsaSign:
            let (modulus, exponent) = (try MPI.read(&reader), try MPI.read(&reader))
            try reader.expectEnd()
            publicKey = try Self.key(.rsa(modulus: modulus, exponent: exponent))
        case PublicKeyNumber.ecdsa, PublicKeyNumber.eddsa:
            let length = try reader.readUInt8()
            let oid = try reader.readArray(Int(length))
            let point = try MPI.read(&reader)
            try reader.expectEnd()
            publicKey = try Self.components(algorithmNumber, oid, point).flatMap { try Self.key($0) }
        default:
            guard !reader.isAtEnd else { throw BytesError(.truncated, at: reader.offset) }
            publicKey = nil
        }
        self.body = body
        fingerprint = Self.fingerprint(body)
    }

    private static func components(
        _ number: UInt8, _ oid: [UInt8], _ point: [UInt8]
    ) throws -> PublicKeyComponents? {
        let algorithm: KeyAlgorithm
        switch (number, oid) {
        case (PublicKeyNumber.eddsa, CurveOID.ed25519):
            guard point.count == 33, point.first == 0x40 else { throw malformed }
            return .ed25519(Array(point.dropFirst()))
        case (PublicKeyNumber.ecdsa, CurveOID.p256): algorithm = .p256
        case (PublicKeyNumber.ecdsa, CurveOID.p384): algorithm = .p384
        default: return nil
        }
        let width = algorithm.bits / 8
        guard point.count == 2 * width + 1, point.first == 4 else { throw malformed }
        return .ecdsa(algorithm, x: Array(point[1...width]), y: Array(point[(width + 1)...]))
    }

    /// `nil` for sizes that are not used.
    private static func key(_ components: PublicKeyComponents) throws -> PublicKey? {
        if case .rsa(let modulus, let exponent) = components {
            let isUsed = KeyAlgorithm.allCases.contains {
                $0.family == .rsa && $0.bits == 8 * modulus.count && modulus[0] >= 0x80
            }
            guard isUsed, !exponent.isEmpty else { return nil }
        }
        return try PublicKey(components)
    }

    private static var malformed: SignaturesError {
        SignaturesError(.openPGPCertificateMalformed, "a key whose point has another form than its curve's")
    }

    // MARK: Hashing

    /// What stands for the key where it is signed: `%x99`, two octets of length, the body.
    var hashed: [UInt8] {
        [0x99, UInt8(truncatingIfNeeded: body.count >> 8), UInt8(truncatingIfNeeded: body.count)] + body
    }

    private static func fingerprint(_ body: [UInt8]) -> [UInt8] {
        let bytes =
            [0x99, UInt8(truncatingIfNeeded: body.count >> 8), UInt8(truncatingIfNeeded: body.count)] + body
        return Digest(hashing: bytes.span, with: .weakSHA1).bytes
    }

    public static func == (one: OpenPGPKey, other: OpenPGPKey) -> Bool { one.body == other.body }
    public func hash(into hasher: inout Hasher) { hasher.combine(body) }
}
