// SPDX-License-Identifier: Apache-2.0

/// Walks over the bytes of a script once; the grammar is `SQLScript`'s.
struct SQLSplitter {
    private let bytes: [UInt8]
    private let name: String
    private var offset = 0
    private var line = 1
    private var found: [SQLScript.Statement] = []
    /// Where the present statement began, and behind its last byte that is no blank or comment.
    private var start: (offset: Int, line: Int)?
    private var end = 0
    /// Its words outside strings and comments, in upper case.
    private var words: [String] = []

    init(_ bytes: [UInt8], _ name: String) {
        self.bytes = bytes
        self.name = name
    }

    mutating func statements() throws(MigrationError) -> [SQLScript.Statement] {
        while offset < bytes.count {
            let byte = bytes[offset]
            switch byte {
            case UInt8(ascii: ";"):
                try finish()
                offset += 1
            case UInt8(ascii: "'"), UInt8(ascii: "\""), UInt8(ascii: "`"): try skipString(byte)
            case UInt8(ascii: "#"): skipLine()
            case UInt8(ascii: "-") where isDashComment: skipLine()
            case UInt8(ascii: "/") where peek(1) == UInt8(ascii: "*"): try skipComment()
            case 0x0a:
                line += 1
                offset += 1
            case 0x09, 0x0b, 0x0c, 0x0d, 0x20: offset += 1
            case _ where Self.isWord(byte): takeWord()
            default:
                begin()
                offset += 1
                end = offset
            }
        }
        try finish()
        return found
    }

    private func peek(_ distance: Int) -> UInt8? {
        offset + distance < bytes.count ? bytes[offset + distance] : nil
    }

    private mutating func begin() {
        if start == nil { start = (offset, line) }
    }

    /// `--` is a comment only before a blank: `5--1` is six.
    private var isDashComment: Bool {
        guard peek(1) == UInt8(ascii: "-") else { return false }
        return peek(2).map { $0 <= 0x20 || $0 == 0x7f } ?? true
    }

    private mutating func skipLine() {
        while offset < bytes.count, bytes[offset] != 0x0a { offset += 1 }
    }

    private mutating func skipComment() throws(MigrationError) {
        let opened = line
        if peek(2) == UInt8(ascii: "!") || (peek(2) == UInt8(ascii: "M") && peek(3) == UInt8(ascii: "!")) {
            throw .invalid("\(name):\(line): a comment that only some servers execute; write plain SQL")
        }
        offset += 2
        while offset < bytes.count {
            if bytes[offset] == UInt8(ascii: "*"), peek(1) == UInt8(ascii: "/") {
                offset += 2
                return
            }
            if bytes[offset] == 0x0a { line += 1 }
            offset += 1
        }
        throw .invalid("\(name):\(opened): a comment without end")
    }

    private mutating func skipString(_ quote: UInt8) throws(MigrationError) {
        begin()
        let opened = line
        let takesEscapes = quote != UInt8(ascii: "`")
        offset += 1
        while offset < bytes.count {
            let byte = bytes[offset]
            if byte == 0x0a { line += 1 }
            if byte == UInt8(ascii: "\\"), takesEscapes {
                if peek(1) == 0x0a { line += 1 }
                offset += 2
            } else if byte == quote {
                offset += 1
                // A doubled quote stays inside.
                guard offset < bytes.count, bytes[offset] == quote else {
                    end = offset
                    return
                }
                offset += 1
            } else {
                offset += 1
            }
        }
        throw .invalid("\(name):\(opened): a string without end")
    }

    private mutating func takeWord() {
        begin()
        let from = offset
        while offset < bytes.count, Self.isWord(bytes[offset]) { offset += 1 }
        end = offset
        words.append(String(decoding: bytes[from..<offset], as: UTF8.self).uppercased())
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "$"), 0x80...:
            true
        default: false
        }
    }

    private mutating func finish() throws(MigrationError) {
        defer {
            start = nil
            words = []
        }
        guard let start else { return }
        // At the end of a text the server reads this as a comment.
        if bytes[start.offset..<end].suffix(2).elementsEqual("--".utf8) {
            throw .invalid("\(name):\(start.line): the statement ends in --")
        }
        if let objection { throw .invalid("\(name):\(start.line): \(objection)") }
        found.append(
            SQLScript.Statement(
                text: String(decoding: bytes[start.offset..<end], as: UTF8.self), line: start.line,
                isTransactional: Self.transactional.contains(words.first ?? "")))
    }

    // MARK: What a migration may not say

    private static let transactional: Set = ["INSERT", "UPDATE", "DELETE", "REPLACE"]
    private static let runnersOwn: Set = [
        "BEGIN", "START", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "XA", "LOCK", "UNLOCK", "USE", "SET",
    ]
    private static let storedPrograms: Set = ["TRIGGER", "PROCEDURE", "FUNCTION", "EVENT"]
    private static let compound: Set = ["BEGIN", "THEN", "LOOP", "WHILE", "REPEAT"]

    private var objection: String? {
        guard let first = words.first else { return "no SQL statement" }
        if first == "DELIMITER" {
            return "DELIMITER belongs to another client; split the body into plain statements"
        }
        if Self.runnersOwn.contains(first) { return "\(first) belongs to the runner of migrations" }
        let isProgram =
            ["CREATE", "ALTER"].contains(first)
            && words.prefix(8).contains { Self.storedPrograms.contains($0) }
        if isProgram, words.contains(where: { Self.compound.contains($0) }) {
            return "a stored program with a body of several statements; one statement is allowed"
        }
        return nil
    }
}
