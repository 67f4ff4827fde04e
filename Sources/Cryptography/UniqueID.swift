// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// 16 random bytes that nothing else was given, such as the id of a row or a job.
///
/// ```
/// text = 8hexdig "-" 4hexdig "-" 4hexdig "-" 4hexdig "-" 12hexdig     ; lower case
/// ```
/// `random()` makes a UUID of version 4 (RFC 9562), so 122 of its bits are random. Any 16 bytes are taken from others.
public struct UniqueID: Hashable, Comparable, Sendable, CustomStringConvertible {
    private let high: UInt64
    private let low: UInt64

    public static let count = 16

    public static func random() throws -> UniqueID {
        var bytes = try Random.bytes(count)
        bytes[6] = bytes[6] & 0x0f | 0x40
        bytes[8] = bytes[8] & 0x3f | 0x80
        return try UniqueID(bytes.span)
    }

    public init(_ bytes: Span<UInt8>) throws(CryptographyError) {
        guard bytes.count == Self.count else {
            throw .wrongLength("an id", bytes.count, expected: "\(Self.count)")
        }
        var words: (UInt64, UInt64) = (0, 0)
        for index in 0..<8 {
            words.0 = words.0 << 8 | UInt64(bytes[index])
            words.1 = words.1 << 8 | UInt64(bytes[index + 8])
        }
        (high, low) = words
    }

    /// Reads the text form; `nil` for any other text.
    public init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.map(\.utf8.count) == [8, 4, 4, 4, 12],
            let bytes = try? Hex.decode(parts.joined()), let id = try? UniqueID(bytes.span)
        else { return nil }
        self = id
    }

    public var bytes: [UInt8] {
        var writer = ByteWriter(reserving: Self.count)
        writer.write(high)
        writer.write(low)
        return writer.bytes
    }

    public var description: String {
        let bytes = bytes
        return [0..<4, 4..<6, 6..<8, 8..<10, 10..<16].map { Hex.encode(Array(bytes[$0])) }.joined(
            separator: "-")
    }

    public static func < (one: UniqueID, other: UniqueID) -> Bool {
        (one.high, one.low) < (other.high, other.low)
    }
}
