// SPDX-License-Identifier: Apache-2.0

/// Characters, blanks, comments and line ends, and the errors that point at them.
extension TOMLParser {
    /// The byte `distance` ahead as a character; a byte above ASCII is no character of the grammar.
    func peek(_ distance: Int = 0) -> Unicode.Scalar? {
        let place = offset + distance
        return place < source.count ? Unicode.Scalar(source[place]) : nil
    }

    mutating func skipBlanks() {
        while peek() == " " || peek() == "\t" { offset += 1 }
    }

    /// Blanks, a comment, and the end of the line or of the file.
    mutating func endLine() throws(TOMLError) {
        skipBlanks()
        try skipComment()
        guard offset < source.count else { return }
        guard try skipNewline() else {
            throw fail(
                at: offset, "unexpected text after a complete statement",
                remedy: "begin a new line, or write # before a comment")
        }
    }

    /// Blanks, comments and newlines, as arrays allow them between their elements.
    mutating func skipLines() throws(TOMLError) {
        repeat {
            skipBlanks()
            try skipComment()
        } while try skipNewline()
    }

    private mutating func skipComment() throws(TOMLError) {
        guard peek() == "#" else { return }
        while offset < source.count, !atNewline {
            guard !Self.isControl(source[offset]) else { throw controlCharacter() }
            offset += 1
        }
    }

    private mutating func skipNewline() throws(TOMLError) -> Bool {
        guard atNewline else {
            if peek() == "\r" { throw controlCharacter() }
            return false
        }
        offset += peek() == "\r" ? 2 : 1
        return true
    }

    /// LF or CRLF.
    var atNewline: Bool { peek() == "\n" || peek() == "\r" && peek(1) == "\n" }

    /// Control characters but the tab.
    static func isControl(_ byte: UInt8) -> Bool { byte < 0x20 && byte != 0x09 || byte == 0x7f }

    // MARK: Errors

    func fail(at place: Int, _ problem: String, remedy: String) -> TOMLError {
        TOMLError(TOMLPosition(of: place, in: source), problem, remedy: remedy)
    }

    func controlCharacter() -> TOMLError {
        let byte = offset < source.count ? source[offset] : 0
        return fail(
            at: offset, "a control character (U+00\(byte < 16 ? "0" : "")\(String(byte, radix: 16)))",
            remedy: byte == 0x0d
                ? "end lines with LF or CRLF" : "remove it, or write it as an escape in a \"string\"")
    }

    func checkDepth(_ depth: Int, at place: Int) throws(TOMLError) {
        guard depth <= depthLimit else {
            throw fail(
                at: place, "tables and arrays are nested deeper than \(depthLimit)", remedy: "flatten them")
        }
    }
}

/// A name for a message: control characters escaped, the middle of a long one left out.
func shownName(_ name: String) -> String {
    var text = ""
    for scalar in name.unicodeScalars.prefix(60) {
        text += scalar.properties.generalCategory == .control ? scalar.escaped(asASCII: true) : String(scalar)
    }
    return "`\(text)\(name.unicodeScalars.count > 60 ? "…" : "")`"
}
