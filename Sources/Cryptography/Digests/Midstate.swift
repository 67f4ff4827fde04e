// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Diagnostics

/// An unfinished hash computation that another machine may go on with.
///
/// ```
/// midstate  = version algorithm chaining count length tail
/// version   = %x01
/// algorithm = %x01 / %x02 / %x03      ; SHA-256, SHA-384, SHA-512
/// chaining  = 32OCTET / 64OCTET       ; the words after the last full block, big endian
/// count     = 8OCTET                  ; bytes hashed so far with the tail, big endian, below 2^61
/// length    = OCTET                   ; count modulo the block length
/// tail      = *OCTET                  ; that many bytes, not yet compressed
/// ```
/// Nothing follows. Before the first full block the chaining words are the algorithm's initial ones. So each state has
/// one encoding, of 43 to 106 bytes for SHA-256 and 75 to 202 for the others.
public struct Midstate: Hashable, Sendable {
    public let algorithm: DigestAlgorithm
    /// How many bytes were hashed, those of the tail included.
    public let count: UInt64
    /// The bytes after the last full block.
    public let tail: [UInt8]
    let chaining: [UInt64]

    /// SHA-256 counts at most 2^64 bits; the same limit does for all.
    static let countLimit: UInt64 = 1 << 61

    /// Decodes a state. `minimumBlocks` is how many full blocks the caller wants to be hashed already.
    public init(decoding bytes: Span<UInt8>, minimumBlocks: UInt64 = 0) throws(CryptographyError) {
        let fields: Fields
        do throws(BytesError) {
            fields = try Fields(bytes)
        } catch {
            throw Self.refused(error.description)
        }
        guard fields.version == 1 else { throw Self.refused("version \(fields.version) is unknown") }
        guard let algorithm = fields.algorithm else {
            throw Self.refused("algorithm \(fields.number) is unknown")
        }
        let count = fields.count
        guard count < Self.countLimit else { throw Self.refused("the byte count \(count) is too large") }
        let block = UInt64(algorithm.blockCount)
        guard UInt64(fields.tail.count) == count % block else {
            throw Self.refused("a tail of \(fields.tail.count) bytes does not fit the byte count \(count)")
        }
        guard count / block >= minimumBlocks else {
            throw Self.refused("\(count) bytes are less than \(minimumBlocks) full blocks")
        }
        if count < block, try RunningDigest(algorithm).midstate().chaining != fields.chaining {
            throw Self.refused("no block was hashed, but the chaining words are not the initial ones")
        }
        self.init(algorithm: algorithm, chaining: fields.chaining, count: count, tail: fields.tail)
    }

    init(algorithm: DigestAlgorithm, chaining: [UInt64], count: UInt64, tail: [UInt8]) {
        self.algorithm = algorithm
        self.chaining = chaining
        self.count = count
        self.tail = tail
    }

    /// The canonical encoding.
    public var encoded: [UInt8] {
        var writer = ByteWriter(reserving: 75 + tail.count)
        writer.write(UInt8(1))
        writer.write(Self.number(of: algorithm))
        for word in chaining {
            if algorithm == .sha256 {
                writer.write(UInt32(truncatingIfNeeded: word))
            } else {
                writer.write(word)
            }
        }
        writer.write(count)
        writer.write(UInt8(truncatingIfNeeded: tail.count))
        writer.write(tail)
        return writer.bytes
    }

    private static func number(of algorithm: DigestAlgorithm) -> UInt8 {
        switch algorithm {
        case .sha256: 1
        case .sha384: 2
        default: 3
        }
    }

    static func refused(_ reason: String) -> CryptographyError {
        CryptographyError(.badMidstate, "midstate: " + reason)
    }

    /// What the encoding says, before it is judged. Of an unknown version or algorithm no more than that is read.
    private struct Fields {
        var version: UInt8
        var number: UInt8
        var algorithm: DigestAlgorithm?
        var chaining: [UInt64] = []
        var count: UInt64 = 0
        var tail: [UInt8] = []

        init(_ bytes: Span<UInt8>) throws(BytesError) {
            var reader = ByteReader(bytes)
            version = try reader.readUInt8()
            number = try reader.readUInt8()
            algorithm =
                switch number {
                case 1: .sha256
                case 2: .sha384
                case 3: .sha512
                default: nil
                }
            guard version == 1, let algorithm else { return }
            for _ in 0..<8 {
                chaining.append(
                    algorithm == .sha256 ? UInt64(try reader.readUInt32()) : try reader.readUInt64())
            }
            count = try reader.readUInt64()
            let length = try reader.readUInt8()
            tail = try reader.readArray(Int(length))
            try reader.expectEnd()
        }
    }
}
