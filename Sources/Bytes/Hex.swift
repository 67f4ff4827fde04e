// SPDX-License-Identifier: Apache-2.0

/// Bytes as pairs of hexadecimal digits, with nothing before, between or after them.
///
/// ```
/// text  = *( digit digit )
/// digit = "0"-"9" / "a"-"f"      ; letters: .lower, the default
///       / "0"-"9" / "A"-"F"      ; letters: .upper
/// ```
/// So each byte string has one text, and each text one byte string. No digit is looked up in a table, since the place
/// in the table would show in the cache what a secret holds.
public enum Hex {
    public enum Letters: Sendable {
        case lower
        case upper
    }

    public static func encode(_ bytes: Span<UInt8>, _ letters: Letters = .lower) -> String {
        let text = [UInt8](capacity: 2 * bytes.count) { output in
            for index in bytes.indices {
                output.append(digit(bytes[index] >> 4, letters))
                output.append(digit(bytes[index] & 15, letters))
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    public static func encode(_ bytes: [UInt8], _ letters: Letters = .lower) -> String {
        encode(bytes.span, letters)
    }

    public static func decode(_ text: String, _ letters: Letters = .lower) throws(BytesError) -> [UInt8] {
        try decode(text.utf8Span.span, letters)
    }

    public static func decode(_ text: Span<UInt8>, _ letters: Letters = .lower) throws(BytesError) -> [UInt8]
    {
        try [UInt8](capacity: text.count / 2) { (output) throws(BytesError) in
            try decode(text, letters, into: &output)
        }
    }

    /// Appends the bytes to `output`, as a secret needs it. When the text is refused or its bytes do not fit, the
    /// output counts as many bytes as before.
    @_lifetime(output: copy output)
    public static func decode(
        _ text: Span<UInt8>, _ letters: Letters = .lower, into output: inout OutputSpan<UInt8>
    ) throws(BytesError) {
        guard text.count.isMultiple(of: 2) else { throw BytesError(.badLength, at: text.count) }
        let count = text.count / 2
        guard count <= output.freeCapacity else { throw BytesError(.overLimit, at: 0) }
        var wrong: UInt8 = 0
        for index in 0..<count {
            let high = value(text[2 * index], letters)
            let low = value(text[2 * index + 1], letters)
            wrong |= high | low
            output.append(high << 4 | low & 15)
        }
        guard wrong < 16 else {
            output.removeLast(count)
            let place = text.indices.first { value(text[$0], letters) > 15 } ?? 0
            throw BytesError(.badCharacter, at: place)
        }
    }

    /// 0 to 15, or 255 for what is no digit.
    private static func value(_ character: UInt8, _ letters: Letters) -> UInt8 {
        let digit = character &- 0x30
        let letter = character &- (letters == .lower ? 0x61 : 0x41)
        return digit & mask(digit < 10) | (letter &+ 10) & mask(letter < 6) | mask(digit > 9 && letter > 5)
    }

    private static func digit(_ value: UInt8, _ letters: Letters) -> UInt8 {
        value &+ 0x30 &+ (mask(value > 9) & (letters == .lower ? 0x27 : 0x07))
    }
}

/// All ones when true, so that a choice needs no branch.
@inline(__always) func mask(_ condition: Bool) -> UInt8 { condition ? 0xff : 0 }
