// SPDX-License-Identifier: Apache-2.0

extension TOMLParser {
    /// Any value; `depth` is that of the key it belongs to.
    mutating func parseValue(depth: Int) throws(TOMLError) -> TOMLValue {
        let start = offset
        let content: TOMLValue.Content
        switch peek() {
        case "\"":
            let bytes =
                peek(1) == "\"" && peek(2) == "\"" ? try parseMultilineBasicString() : try parseBasicString()
            content = .string(String(decoding: bytes, as: UTF8.self))
        case "'":
            let bytes =
                peek(1) == "'" && peek(2) == "'"
                ? try parseMultilineLiteralString() : try parseLiteralString()
            content = .string(String(decoding: bytes, as: UTF8.self))
        case "[": content = .array(try parseArray(depth: depth + 1))
        case "{": content = .table(try parseInlineTable(depth: depth + 1))
        default: content = try parseWord()
        }
        return TOMLValue(content: content, offset: start)
    }

    /// `"[" [ value *( "," value ) [ "," ] ] "]"` with newlines and comments anywhere between.
    private mutating func parseArray(depth: Int) throws(TOMLError) -> [TOMLValue] {
        let start = offset
        try checkDepth(depth, at: start)
        offset += 1
        var values: [TOMLValue] = []
        while true {
            try skipLines()
            if peek() == "]" { break }
            if offset == source.count { throw unclosed("array", "]", at: start) }
            values.append(try parseValue(depth: depth))
            try skipLines()
            if peek() == "]" { break }
            guard peek() == "," else {
                if offset == source.count { throw unclosed("array", "]", at: start) }
                throw fail(at: offset, "an array goes on without a comma", remedy: "write , or ] here")
            }
            offset += 1
        }
        offset += 1
        return values
    }

    /// `"{" [ keyval *( "," keyval ) ] "}"` on one line, without a comma at the end.
    private mutating func parseInlineTable(depth: Int) throws(TOMLError) -> TOMLTable {
        let start = offset
        try checkDepth(depth, at: start)
        offset += 1
        let table = TOMLTableBuilder(.header, offset: start)
        skipBlanks()
        if peek() == "}" {
            offset += 1
            return table.table()
        }
        while true {
            skipBlanks()
            if offset == source.count { throw unclosed("inline table", "}", at: start) }
            if peek() == "}" {
                throw fail(
                    at: offset, "an inline table ends with a comma", remedy: "remove the comma before }")
            }
            if atNewline { throw brokenInlineTable() }
            let keys = try parseKey()
            let inner = depth + keys.count - 1
            try checkDepth(inner, at: keys[0].offset)
            try assign(keys, try parseAssignedValue(depth: inner), in: table)
            skipBlanks()
            switch peek() {
            case ",":
                offset += 1
            case "}":
                offset += 1
                return table.table()
            case nil:
                throw unclosed("inline table", "}", at: start)
            default:
                if atNewline { throw brokenInlineTable() }
                throw fail(at: offset, "an inline table goes on without a comma", remedy: "write , or } here")
            }
        }
    }

    private func unclosed(_ what: String, _ bracket: String, at start: Int) -> TOMLError {
        fail(at: start, "an \(what) does not end", remedy: "close it with \(bracket)")
    }

    private func brokenInlineTable() -> TOMLError {
        fail(
            at: offset, "an inline table runs over the end of its line",
            remedy: "write it on one line, or as a [table]")
    }

    // MARK: Words

    /// Booleans, numbers, dates and times: everything without a mark of its own.
    private mutating func parseWord() throws(TOMLError) -> TOMLValue.Content {
        let start = offset
        skipWord()
        var word = source[start..<offset]
        if Self.isDateShaped(word), word.count == 10, peek() == " ", Self.isDigit(peek(1)),
            Self.isDigit(peek(2)), peek(3) == ":"
        {
            offset += 1
            skipWord()
            word = source[start..<offset]
        }
        guard let first = word.first else {
            throw fail(at: start, "a value is missing here", remedy: "write one after the =")
        }
        if word.elementsEqual("true".utf8) { return .boolean(true) }
        if word.elementsEqual("false".utf8) { return .boolean(false) }
        if Self.isDateShaped(word) { return try parseDateTime(word) }
        if Self.isTimeShaped(word) { return .time(try parseTime(word)) }
        switch first {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "i"),
            UInt8(ascii: "n"), UInt8(ascii: "."):
            return try parseNumber(word)
        default:
            throw fail(
                at: start, "not a value", remedy: "put text in \"quotes\"; booleans are true and false")
        }
    }

    private mutating func skipWord() {
        while offset < source.count {
            switch source[offset] {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"),
                UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: ":"):
                offset += 1
            default: return
            }
        }
    }

    static func isDigit(_ scalar: Unicode.Scalar?) -> Bool {
        guard let scalar else { return false }
        return scalar >= "0" && scalar <= "9"
    }
}
