// SPDX-License-Identifier: Apache-2.0

/// Bytes reads and writes binary formats, and turns bytes into text and back.
///
/// `ByteReader` walks over a borrowed `Span<UInt8>`: every read is checked against what is left, and every announced
/// length against the limit that the caller names, before anything is allocated. `ByteWriter` grows an array.
/// `Hex` and `Base64` take the canonical form alone and refuse every other spelling of the same bytes.
///
/// ```swift
/// var reader = ByteReader(packet.span)
/// let kind = try reader.readUInt8()
/// let name = try reader.readArray(try Int(reader.readUInt16()), limit: 255)
/// try reader.expectEnd()
/// ```
public struct BytesError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong with the bytes.
    public enum Code: Hashable, Sendable {
        case truncated
        case overLimit
        case trailing
        case badVarint
        case notCanonical
        case badCharacter
        case badPadding
        case badLength
    }

    public var code: Code
    /// Where, counted from the first byte that the reader was given.
    public var offset: Int

    public init(_ code: Code, at offset: Int) {
        self.code = code
        self.offset = offset
    }

    public var description: String {
        switch code {
        case .truncated: "truncated at byte \(offset)"
        case .overLimit: "a length at byte \(offset) exceeds the limit"
        case .trailing: "unexpected bytes from byte \(offset)"
        case .badVarint: "malformed variable-length integer at byte \(offset)"
        case .notCanonical: "not the canonical form at byte \(offset)"
        case .badCharacter: "unexpected character at byte \(offset)"
        case .badPadding: "wrong padding at byte \(offset)"
        case .badLength: "wrong length of \(offset) characters"
        }
    }
}
