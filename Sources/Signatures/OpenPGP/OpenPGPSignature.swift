// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import Cryptography
internal import Diagnostics

/// A signature packet (RFC 4880, 5.2), read strictly. Nothing about it is verified: see `OpenPGPCertificate.verdict`.
///
/// ```
/// version4 = %x04 type key-algorithm digest count hashed count unhashed left material   ; counts: 2 octets
/// version3 = %x03 %x05 type created key-id key-algorithm digest left material           ; read, never written
/// left     = 2OCTET                                     ; the first two of the digest
/// material = mpi / mpi mpi                              ; RSA; ECDSA and EdDSA: r, s
/// ```
/// What is signed: what stands before, then the packet from its version to the end of `hashed`, then `%x04 %xFF` and
/// the count of those octets in 4 octets; in version 3 only type and time.
public struct OpenPGPSignature: Hashable, Sendable {
    public let version: UInt8
    /// 0x00 is over bytes, 0x01 over text; the others are over keys.
    public let type: UInt8
    /// The algorithms' numbers in OpenPGP.
    public let keyAlgorithmNumber: UInt8
    public let digestNumber: UInt8
    let fields: SignatureFields
    /// What is hashed after the content.
    let suffix: [UInt8]
    let left: [UInt8]
    /// `nil` for an algorithm that is not used here.
    let numbers: [[UInt8]]?
    let body: [UInt8]

    /// One packet and nothing else.
    public init(_ bytes: Span<UInt8>) throws {
        var reader = ByteReader(bytes)
        do throws(BytesError) {
            let packet = try OpenPGPPacket(reading: &reader)
            try reader.expectEnd()
            guard packet.tag == PacketTag.signature else { throw BytesError(.badCharacter, at: 0) }
            try self.init(body: packet.body)
        } catch {
            throw SignaturesError(.signatureMalformed, "an OpenPGP signature: \(error)")
        }
    }

    /// All signatures of a file, armored or not; at least one, at most `limit`.
    public static func all(in bytes: Span<UInt8>, limit: Int = 100) throws -> [OpenPGPSignature] {
        guard !bytes.isEmpty else { throw SignaturesError(.signatureMalformed, "an empty file") }
        let isBinary = bytes[0] & 0x80 != 0
        let blocks =
            isBinary ? [Array(copying: bytes)] : try OpenPGPArmor.signature.decode(bytes, limit: limit)
        var found: [OpenPGPSignature] = []
        for block in blocks {
            var reader = ByteReader(block.span)
            while !reader.isAtEnd {
                guard found.count < limit else {
                    throw SignaturesError(.signatureMalformed, "more than \(limit) signatures")
                }
                let start = reader.offset
                do throws(BytesError) {
                    let packet = try OpenPGPPacket(reading: &reader)
                    if packet.isMarker { continue }
                    guard packet.tag == PacketTag.signature else {
                        throw BytesError(.badCharacter, at: start)
                    }
                    found.append(try OpenPGPSignature(body: packet.body))
                } catch {
                    throw SignaturesError(.signatureMalformed, "an OpenPGP signature: \(error)")
                }
            }
        }
        guard !found.isEmpty else { throw SignaturesError(.signatureMalformed, "no OpenPGP signature") }
        return found
    }

    init(body: [UInt8]) throws(BytesError) {
        var reader = ByteReader(body.span)
        version = try reader.readUInt8()
        switch version {
        case 4:
            type = try reader.readUInt8()
            keyAlgorithmNumber = try reader.readUInt8()
            digestNumber = try reader.readUInt8()
            let hashed = try Self.readArea(&reader)
            let prefix = Array(body[..<reader.offset])
            let unhashed = try Self.readArea(&reader)
            fields = try SignatureFields(hashed: hashed, unhashed: unhashed)
            suffix = Self.suffix(prefix)
        case 3:
            guard try reader.readUInt8() == 5 else { throw BytesError(.badLength, at: 1) }
            type = try reader.readUInt8()
            var fields = SignatureFields()
            fields.created = try reader.readUInt32()
            fields.issuerKeyID = try reader.readArray(8)
            self.fields = fields
            suffix = Array(body[2..<7])
            keyAlgorithmNumber = try reader.readUInt8()
            digestNumber = try reader.readUInt8()
        default: throw BytesError(.badCharacter, at: 0)
        }
        left = try reader.readArray(2)
        numbers = try Self.readNumbers(keyAlgorithmNumber, &reader)
        self.body = body
    }

    private static func readArea(_ reader: inout ByteReader) throws(BytesError) -> [UInt8] {
        let length = Int(try reader.readUInt16())
        return try reader.readArray(length)
    }

    private static func readNumbers(
        _ algorithm: UInt8, _ reader: inout ByteReader
    ) throws(BytesError) -> [[UInt8]]? {
        let count: Int
        switch algorithm {
        case PublicKeyNumber.rsa, PublicKeyNumber.rsaSign: count = 1
        case PublicKeyNumber.ecdsa, PublicKeyNumber.eddsa: count = 2
        default: return nil
        }
        var numbers: [[UInt8]] = []
        for _ in 0..<count { numbers.append(try MPI.read(&reader)) }
        try reader.expectEnd()
        return numbers
    }

    /// What is hashed after the content in version 4; `prefix` is the packet up to the end of its hashed area.
    static func suffix(_ prefix: [UInt8]) -> [UInt8] {
        prefix + [4, 0xff] + SignatureFields.octets(UInt32(truncatingIfNeeded: prefix.count))
    }

    /// The hashed area of version 4.
    var hashedArea: [UInt8] { Array(suffix.dropFirst(6).dropLast(6)) }

    // MARK: What it says

    /// Seconds since 1970.
    public var created: Int64? { fields.created.map { Int64($0) } }
    /// Until when it holds, in seconds since 1970; `nil` without end.
    public var expires: Int64? { fields.lifetime == 0 ? nil : created.map { $0 + Int64(fields.lifetime) } }
    /// 20 bytes.
    public var issuerFingerprint: [UInt8]? { fields.issuerFingerprint }
    /// 8 bytes.
    public var issuerKeyID: [UInt8]? {
        fields.issuerFingerprint.map { Array($0.suffix(8)) } ?? fields.issuerKeyID
    }
    public var digestAlgorithm: DigestAlgorithm? { DigestAlgorithm(openPGPNumber: digestNumber) }
    /// Whether it is over bytes or text, and not over a key.
    public var isOverDocument: Bool { type == SignatureType.binary || type == SignatureType.text }

    /// Whether what it is over went through `CanonicalText`.
    public var isOverText: Bool { type == SignatureType.text }

    /// The packet. Its length is in the shortest old form, whatever it was read from.
    public var encoded: [UInt8] { OpenPGPPacket(tag: PacketTag.signature, body: body).encoded }
    public var armored: String { OpenPGPArmor.signature.encode(encoded) }

    // MARK: Checking

    /// Whether it is the key's signature over content that hashes so far; `nil` when the algorithms are not used here.
    func isMade(by key: OpenPGPKey, after running: RunningDigest) throws -> Bool? {
        guard let publicKey = key.publicKey, let numbers, !running.algorithm.isWeak,
            let algorithm = Self.algorithm(publicKey, running.algorithm)
        else { return nil }
        let isFitting =
            keyAlgorithmNumber == key.algorithmNumber
            || publicKey.algorithm.family == .rsa && keyAlgorithmNumber <= PublicKeyNumber.rsaSign
        guard isFitting, let raw = Self.raw(numbers, for: publicKey.algorithm) else { return false }
        var running = running
        running.update(suffix.span)
        let digest = running.finish()
        guard digest.bytes.starts(with: left) else { return false }
        let handle = try VerifyingHandle(publicKey, algorithm)
        if algorithm == .ed25519 {
            return try digest.withBytes { bytes in try handle.isValid(raw.span, forMessage: bytes) }
        }
        return try handle.isValid(raw.span, for: digest)
    }

    static func algorithm(_ key: PublicKey, _ digest: DigestAlgorithm) -> SignatureAlgorithm? {
        switch key.algorithm.family {
        case .rsa: .rsaPKCS1(digest)
        case .ecdsa: .ecdsa(digest)
        case .ed25519: .ed25519
        }
    }

    /// The numbers in the form that the library verifies; `nil` when they are too long.
    private static func raw(_ numbers: [[UInt8]], for key: KeyAlgorithm) -> [UInt8]? {
        let width = key.bits / 8
        let padded = numbers.compactMap { MPI.padded($0, to: width) }
        guard padded.count == numbers.count, padded.count == (key.family == .rsa ? 1 : 2) else { return nil }
        let all = Array(padded.joined())
        guard key.family == .ecdsa else { return all }
        return try? ECDSASignature(raw: all.span, for: key).der
    }

    /// The numbers of a signature as OpenPGP carries them.
    static func writeNumbers(_ raw: [UInt8], of key: KeyAlgorithm, to writer: inout ByteWriter) throws {
        switch key.family {
        case .rsa: MPI.write(raw, to: &writer)
        case .ecdsa:
            let signature = try ECDSASignature(der: raw.span, for: key)
            MPI.write(signature.r, to: &writer)
            MPI.write(signature.s, to: &writer)
        case .ed25519:
            MPI.write(raw.prefix(32), to: &writer)
            MPI.write(raw.dropFirst(32), to: &writer)
        }
    }

    public static func == (one: OpenPGPSignature, other: OpenPGPSignature) -> Bool { one.body == other.body }
    public func hash(into hasher: inout Hasher) { hasher.combine(body) }
}
