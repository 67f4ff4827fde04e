// SPDX-License-Identifier: Apache-2.0

/// Text between double quotes as JSON has it, so that whatever it holds stays within its line and within itself.
///
/// Beside what JSON demands, everything that a terminal obeys or a reader cannot see is written as `\uXXXX`: control
/// characters (C0, DEL, C1), line and paragraph separators, characters that change the direction of the text,
/// characters without width, variation selectors and tags. Invalid UTF-8 became U+FFFD when the bytes became a `String`.
enum EscapedText {
    /// Longer text is cut at a character's end and says how many bytes are missing.
    static let limit = 2048

    static func append(_ text: String, to line: inout [UInt8], limit: Int = limit) {
        line.append(UInt8(ascii: "\""))
        var taken = 0
        for scalar in text.unicodeScalars {
            let width = UTF8.width(scalar)
            if taken + width > limit {
                line += Array("…(\(text.utf8.count - taken) bytes more)".utf8)
                break
            }
            taken += width
            append(scalar, to: &line)
        }
        line.append(UInt8(ascii: "\""))
    }

    private static func append(_ scalar: Unicode.Scalar, to line: inout [UInt8]) {
        switch scalar {
        case "\"": line += [UInt8(ascii: "\\"), UInt8(ascii: "\"")]
        case "\\": line += [UInt8(ascii: "\\"), UInt8(ascii: "\\")]
        case "\n": line += [UInt8(ascii: "\\"), UInt8(ascii: "n")]
        case "\t": line += [UInt8(ascii: "\\"), UInt8(ascii: "t")]
        case _ where isHidden(scalar.value):
            for unit in UTF16.encode(scalar) ?? UTF16.encodedReplacementCharacter {
                line += [UInt8(ascii: "\\"), UInt8(ascii: "u")]
                for shift: UInt16 in [12, 8, 4, 0] { line.append(hexDigit(UInt8(unit >> shift & 0xf))) }
            }
        default: line += Array(UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
        }
    }

    private static func isHidden(_ value: UInt32) -> Bool {
        switch value {
        case 0..<0x20, 0x7f...0x9f, 0xad, 0x034f, 0x061c, 0x115f...0x1160, 0x17b4...0x17b5, 0x180b...0x180f,
            0x200b...0x200f, 0x2028...0x202e, 0x2060...0x206f, 0x3164, 0xfe00...0xfe0f, 0xfeff, 0xffa0,
            0xfff0...0xfffb, 0xe0000...0xe0fff:
            true
        default: false
        }
    }

    static func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }
}
