// SPDX-License-Identifier: Apache-2.0

/// The four kinds of strings, each from its opening quote to behind its closing one.
///
/// ```text
/// basic             = '"' *( character / escape ) '"'
/// literal           = "'" *( character but ' ) "'"
/// multiline-basic   = '"""' [ newline ] *( character / escape / newline / line-continuation ) '"""'
/// multiline-literal = "'''" [ newline ] *( character / newline ) "'''"
/// escape            = "\" ( b / t / n / f / r / '"' / "\" / u 4HEX / U 8HEX )
/// ```
///
/// One or two quotes may stand right before the closing three and belong to the text. A newline in the text becomes
/// LF. The results are bytes of UTF-8, since the parts that are taken over are.
extension TOMLParser {
    mutating func parseBasicString() throws(TOMLError) -> [UInt8] {
        let start = offset
        offset += 1
        var text: [UInt8] = []
        while true {
            guard offset < source.count, !atNewline else { throw unclosedString("\"", at: start) }
            switch peek() {
            case "\"":
                offset += 1
                return text
            case "\\": try parseEscape(into: &text)
            default: try takeCharacter(into: &text)
            }
        }
    }

    mutating func parseLiteralString() throws(TOMLError) -> [UInt8] {
        let start = offset
        offset += 1
        var text: [UInt8] = []
        while true {
            guard offset < source.count, !atNewline else { throw unclosedString("'", at: start) }
            if peek() == "'" {
                offset += 1
                return text
            }
            try takeCharacter(into: &text)
        }
    }

    mutating func parseMultilineBasicString() throws(TOMLError) -> [UInt8] {
        let start = offset
        offset += 3
        skipFirstNewline()
        var text: [UInt8] = []
        while true {
            guard offset < source.count else { throw unclosedString("\"\"\"", at: start) }
            switch peek() {
            case "\"":
                if takeQuotes("\"", into: &text) { return text }
            case "\\":
                if !skipContinuation() { try parseEscape(into: &text) }
            default: try takeCharacterOrNewline(into: &text)
            }
        }
    }

    mutating func parseMultilineLiteralString() throws(TOMLError) -> [UInt8] {
        let start = offset
        offset += 3
        skipFirstNewline()
        var text: [UInt8] = []
        while true {
            guard offset < source.count else { throw unclosedString("'''", at: start) }
            if peek() == "'" {
                if takeQuotes("'", into: &text) { return text }
            } else {
                try takeCharacterOrNewline(into: &text)
            }
        }
    }

    // MARK: Parts

    private mutating func takeCharacter(into text: inout [UInt8]) throws(TOMLError) {
        guard !Self.isControl(source[offset]) else { throw controlCharacter() }
        text.append(source[offset])
        offset += 1
    }

    private mutating func takeCharacterOrNewline(into text: inout [UInt8]) throws(TOMLError) {
        guard atNewline else { return try takeCharacter(into: &text) }
        text.append(UInt8(ascii: "\n"))
        offset += peek() == "\r" ? 2 : 1
    }

    private mutating func skipFirstNewline() {
        if atNewline { offset += peek() == "\r" ? 2 : 1 }
    }

    /// A run of quotes inside a multi-line string; true when it ends the string.
    private mutating func takeQuotes(_ quote: Unicode.Scalar, into text: inout [UInt8]) -> Bool {
        var count = 0
        while count < 5, peek(count) == quote { count += 1 }
        offset += count
        let ends = count >= 3
        for _ in 0..<(ends ? count - 3 : count) { text.append(UInt8(ascii: quote)) }
        return ends
    }

    /// A backslash at the end of a line takes the newline and all blanks and newlines behind it away.
    private mutating func skipContinuation() -> Bool {
        let start = offset
        offset += 1
        skipBlanks()
        guard atNewline else {
            offset = start
            return false
        }
        while atNewline || peek() == " " || peek() == "\t" { offset += 1 }
        return true
    }

    private mutating func parseEscape(into text: inout [UInt8]) throws(TOMLError) {
        let start = offset
        offset += 2
        switch peek(-1) {
        case "b": text.append(0x08)
        case "t": text.append(0x09)
        case "n": text.append(0x0a)
        case "f": text.append(0x0c)
        case "r": text.append(0x0d)
        case "\"": text.append(UInt8(ascii: "\""))
        case "\\": text.append(UInt8(ascii: "\\"))
        case "u": try parseUnicodeEscape(digits: 4, at: start, into: &text)
        case "U": try parseUnicodeEscape(digits: 8, at: start, into: &text)
        default:
            throw fail(
                at: start, "an unknown escape",
                remedy:
                    "use \\b \\t \\n \\f \\r \\\" \\\\ \\uXXXX \\UXXXXXXXX, or 'single quotes' for plain text"
            )
        }
    }

    private mutating func parseUnicodeEscape(digits: Int, at start: Int, into text: inout [UInt8])
        throws(TOMLError)
    {
        var value: UInt32 = 0
        for _ in 0..<digits {
            guard offset < source.count, let digit = Self.hexDigit(source[offset]) else {
                throw fail(
                    at: start, "an escape without its \(digits) hexadecimal digits",
                    remedy: "write \\u and 4 digits, or \\U and 8")
            }
            value = value << 4 | digit
            offset += 1
        }
        guard let scalar = Unicode.Scalar(value) else {
            throw fail(
                at: start, "an escape that is no Unicode character",
                remedy: "write the character itself; surrogates are not characters")
        }
        text.append(contentsOf: String(scalar).utf8)
    }

    static func hexDigit(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte - UInt8(ascii: "A") + 10)
        default: nil
        }
    }

    private func unclosedString(_ quote: String, at start: Int) -> TOMLError {
        fail(
            at: start, "a string does not end",
            remedy: quote.utf8.count == 3
                ? "close it with \(quote)" : "close it with \(quote) on the same line")
    }
}
