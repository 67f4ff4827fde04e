// SPDX-License-Identifier: Apache-2.0

/// Bytes as base64 (RFC 4648, sections 4 and 5), in the one canonical form that the variant has.
///
/// ```
/// text    = *4character [ end ]
/// end     = 2character "=="  / 3character "="   ; padding: true
///         / 2character       / 3character       ; padding: false
/// ```
/// Padding is required or refused, the bits of the last character that belong to no byte are zero, and nothing stands
/// before, between or after: no white space, no line ends. So each byte string has one text, and each text one byte
/// string. No character is looked up in a table, since the place in the table would show in the cache what a secret
/// holds.
public struct Base64: Hashable, Sendable {
    /// `+`, `/` and padding.
    public static let standard = Base64(forURL: false, padding: true)
    /// `+`, `/` and no padding.
    public static let standardUnpadded = Base64(forURL: false, padding: false)
    /// `-`, `_` and no padding, as JSON web formats write it.
    public static let url = Base64(forURL: true, padding: false)
    /// `-`, `_` and padding.
    public static let urlPadded = Base64(forURL: true, padding: true)

    let forURL: Bool
    let padding: Bool

    // MARK: Encoding

    /// How many characters `count` bytes become.
    public func encodedCount(_ count: Int) -> Int {
        padding ? (count + 2) / 3 * 4 : count / 3 * 4 + [0, 2, 3][count % 3]
    }

    public func encode(_ bytes: [UInt8]) -> String { encode(bytes.span) }

    public func encode(_ bytes: Span<UInt8>) -> String {
        let text = [UInt8](capacity: encodedCount(bytes.count)) { append(bytes, to: &$0) }
        return String(decoding: text, as: UTF8.self)
    }

    /// Appends the characters to `output`, as a secret needs it.
    @_lifetime(output: copy output)
    public func encode(_ bytes: Span<UInt8>, into output: inout OutputSpan<UInt8>) throws(BytesError) {
        guard encodedCount(bytes.count) <= output.freeCapacity else { throw BytesError(.overLimit, at: 0) }
        append(bytes, to: &output)
    }

    @_lifetime(output: copy output)
    private func append(_ bytes: Span<UInt8>, to output: inout OutputSpan<UInt8>) {
        var index = 0
        while index < bytes.count {
            let length = min(3, bytes.count - index)
            var group = UInt32(bytes[index]) << 16
            if length > 1 { group |= UInt32(bytes[index + 1]) << 8 }
            if length > 2 { group |= UInt32(bytes[index + 2]) }
            output.append(character(group >> 18 & 63))
            output.append(character(group >> 12 & 63))
            if length > 1 { output.append(character(group >> 6 & 63)) }
            if length > 2 { output.append(character(group & 63)) }
            if padding, length < 3 { output.append(repeating: 0x3d, count: 3 - length) }
            index += length
        }
    }

    @inline(__always) private func character(_ group: UInt32) -> UInt8 {
        let value = UInt8(truncatingIfNeeded: group)
        return (value &+ 0x41) & mask(value < 26)
            | (value &+ 71) & mask(value > 25 && value < 52)
            | (value &- 4) & mask(value > 51 && value < 62)
            | (forURL ? 0x2d : 0x2b) & mask(value == 62)
            | (forURL ? 0x5f : 0x2f) & mask(value == 63)
    }

    // MARK: Decoding

    /// How many bytes a text of that length has at most.
    public func decodedCapacity(_ characters: Int) -> Int {
        characters / 4 * 3 + [0, 0, 1, 2][characters % 4]
    }

    public func decode(_ text: String) throws(BytesError) -> [UInt8] { try decode(text.utf8Span.span) }

    public func decode(_ text: Span<UInt8>) throws(BytesError) -> [UInt8] {
        try [UInt8](capacity: decodedCapacity(text.count)) { (output) throws(BytesError) in
            try decode(text, into: &output)
        }
    }

    /// Appends the bytes to `output`, as a secret needs it. When the text is refused or its bytes do not fit, the
    /// output counts as many bytes as before.
    @_lifetime(output: copy output)
    public func decode(_ text: Span<UInt8>, into output: inout OutputSpan<UInt8>) throws(BytesError) {
        let characters = try unpaddedCount(text)
        let count = decodedCapacity(characters)
        guard count <= output.freeCapacity else { throw BytesError(.overLimit, at: 0) }
        var wrong: UInt8 = 0
        var index = 0
        while index + 4 <= characters {
            let values = (
                value(text[index]), value(text[index + 1]), value(text[index + 2]), value(text[index + 3])
            )
            wrong |= values.0 | values.1 | values.2 | values.3
            output.append(values.0 << 2 | values.1 >> 4)
            output.append(values.1 << 4 | values.2 >> 2)
            output.append(values.2 << 6 | values.3)
            index += 4
        }
        // The bits of the last character that belong to no byte.
        var unused: UInt8 = 0
        if index < characters {
            let values = (
                value(text[index]), value(text[index + 1]),
                index + 2 < characters ? value(text[index + 2]) : 0
            )
            wrong |= values.0 | values.1 | values.2
            output.append(values.0 << 2 | values.1 >> 4)
            if index + 2 < characters {
                output.append(values.1 << 4 | values.2 >> 2)
                unused = values.2 << 6
            } else {
                unused = values.1 << 4
            }
        }
        guard wrong < 64, unused == 0 else {
            output.removeLast(count)
            let place = (0..<characters).first { value(text[$0]) > 63 }
            if let place { throw BytesError(.badCharacter, at: place) }
            throw BytesError(.notCanonical, at: characters - 1)
        }
    }

    /// The length without the padding, whose form is checked here.
    private func unpaddedCount(_ text: Span<UInt8>) throws(BytesError) -> Int {
        var count = text.count
        if padding {
            guard count.isMultiple(of: 4) else { throw BytesError(.badPadding, at: count) }
            for _ in 0..<2 where count > 0 && text[count - 1] == 0x3d { count -= 1 }
        }
        guard count % 4 != 1 else { throw BytesError(.badLength, at: count) }
        return count
    }

    /// 0 to 63, or 255 for what is not in the alphabet.
    @inline(__always) private func value(_ character: UInt8) -> UInt8 {
        let upper = character &- 0x41
        let lower = character &- 0x61
        let digit = character &- 0x30
        let plus = character == (forURL ? 0x2d : 0x2b)
        let slash = character == (forURL ? 0x5f : 0x2f)
        let known = upper < 26 || lower < 26 || digit < 10 || plus || slash
        return upper & mask(upper < 26) | (lower &+ 26) & mask(lower < 26) | (digit &+ 52) & mask(digit < 10)
            | 62 & mask(plus) | 63 & mask(slash) | mask(!known)
    }
}
