// SPDX-License-Identifier: Apache-2.0

/// Reads a document statement by statement.
///
/// ```text
/// document   = *( ws [ keyval / table / tables ] ws [ comment ] newline )
/// keyval     = key ws "=" ws value
/// table      = "[" ws key ws "]"
/// tables     = "[[" ws key ws "]]"
/// key        = part *( ws "." ws part )
/// part       = 1*( ALPHA / DIGIT / "-" / "_" ) / one-line string
/// value      = string / number / boolean / date / array / inline table
/// comment    = "#" *( any character but controls; a tab is fine )
/// newline    = LF / CRLF
/// ```
///
/// The source is UTF-8 already. Every method begins at `offset` and leaves it behind what it read.
struct TOMLParser {
    let source: [UInt8]
    let depthLimit: Int
    var offset = 0
    private let root = TOMLTableBuilder(.header, offset: 0)
    private var current: TOMLTableBuilder
    /// How deep `current` stands.
    private var currentDepth = 0

    init(_ source: [UInt8], depthLimit: Int) {
        self.source = source
        self.depthLimit = depthLimit
        current = root
    }

    mutating func parseDocument() throws(TOMLError) -> TOMLTable {
        if source.starts(with: [0xef, 0xbb, 0xbf]) {
            throw fail(
                at: 0, "the file begins with a byte order mark", remedy: "save it as UTF-8 without one")
        }
        while offset < source.count {
            skipBlanks()
            switch peek() {
            case nil, "#", "\n", "\r": break
            case "[": try parseHeader()
            default: try parseAssignment()
            }
            try endLine()
        }
        return root.table()
    }

    // MARK: Statements

    private mutating func parseHeader() throws(TOMLError) {
        let start = offset
        offset += 1
        let many = peek() == "["
        if many { offset += 1 }
        skipBlanks()
        let keys = try parseKey()
        skipBlanks()
        for _ in 0..<(many ? 2 : 1) {
            guard peek() == "]" else {
                throw fail(
                    at: offset, "a table header does not end",
                    remedy: many ? "write [[name]] on one line" : "write [name] on one line")
            }
            offset += 1
        }
        try checkDepth(keys.count, at: start)
        try open(keys, many: many, at: start)
        currentDepth = keys.count
    }

    private mutating func open(_ keys: [TOMLKey], many: Bool, at start: Int) throws(TOMLError) {
        var table = root
        for key in keys.dropLast() {
            switch table[key] {
            case .table(let next):
                table = next
            case .tables(let list):
                guard let last = list.tables.last else { return }
                table = last
            case .value:
                throw fail(
                    at: key.offset, "\(key.shown) is a complete value and cannot be extended",
                    remedy: "put the new keys where it is set, or rename one of the two")
            case nil:
                let next = TOMLTableBuilder(.way, offset: key.offset)
                table.set(key, .table(next))
                table = next
            }
        }
        guard let last = keys.last else { return }
        switch (table[last], many) {
        case (nil, false):
            current = TOMLTableBuilder(.header, offset: start)
            table.set(last, .table(current))
        case (.table(let found), false) where found.maker == .way:
            found.maker = .header
            current = found
        case (nil, true):
            current = TOMLTableBuilder(.header, offset: start)
            table.set(last, .tables(TOMLTableList(current)))
        case (.tables(let list), true):
            current = TOMLTableBuilder(.header, offset: start)
            list.append(current)
        default:
            throw fail(
                at: last.offset, "\(last.shown) is defined twice",
                remedy: "give all its keys in one place, or rename one of the two")
        }
    }

    private mutating func parseAssignment() throws(TOMLError) {
        let keys = try parseKey()
        let depth = currentDepth + keys.count
        try checkDepth(depth, at: keys[0].offset)
        try assign(keys, try parseAssignedValue(depth: depth), in: current)
    }

    /// `= value`, shared by statements and inline tables.
    mutating func parseAssignedValue(depth: Int) throws(TOMLError) -> TOMLValue {
        skipBlanks()
        guard peek() == "=" else {
            throw fail(at: offset, "a key without a value", remedy: "write key = value")
        }
        offset += 1
        skipBlanks()
        return try parseValue(depth: depth)
    }

    /// Sets a dotted key below `table`.
    func assign(_ keys: [TOMLKey], _ value: TOMLValue, in table: TOMLTableBuilder) throws(TOMLError) {
        var table = table
        for key in keys.dropLast() {
            switch table[key] {
            case .table(let next) where next.maker != .header:
                next.maker = .dottedKey
                table = next
            case nil:
                let next = TOMLTableBuilder(.dottedKey, offset: key.offset)
                table.set(key, .table(next))
                table = next
            default:
                throw fail(
                    at: key.offset, "\(key.shown) is complete and cannot be extended by a dotted key",
                    remedy: "put the new key where it is defined")
            }
        }
        guard let last = keys.last else { return }
        guard table[last] == nil else {
            throw fail(
                at: last.offset, "\(last.shown) is set twice", remedy: "remove one of the two")
        }
        table.set(last, .value(value))
    }

    // MARK: Keys

    /// At least one part.
    mutating func parseKey() throws(TOMLError) -> [TOMLKey] {
        var parts = [try parseKeyPart()]
        while true {
            skipBlanks()
            guard peek() == "." else { return parts }
            offset += 1
            skipBlanks()
            parts.append(try parseKeyPart())
            try checkDepth(parts.count, at: parts[0].offset)
        }
    }

    private mutating func parseKeyPart() throws(TOMLError) -> TOMLKey {
        let start = offset
        switch peek() {
        case "\"": return TOMLKey(bytes: try parseBasicString(), offset: start)
        case "'": return TOMLKey(bytes: try parseLiteralString(), offset: start)
        default: break
        }
        while offset < source.count, Self.isBareKey(source[offset]) { offset += 1 }
        guard offset > start else {
            throw fail(
                at: start, "a key is missing here",
                remedy: "write it in letters, digits, - and _, or put it in quotes")
        }
        return TOMLKey(bytes: Array(source[start..<offset]), offset: start)
    }

    private static func isBareKey(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
