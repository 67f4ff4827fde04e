// SPDX-License-Identifier: Apache-2.0

import Settings
import Testing

@Suite struct TOMLDocumentTests {
    @Test(arguments: TOMLSamples.good)
    func takes(_ name: String, _ text: String) {
        #expect(throws: Never.self, "\(name)") { try TOMLDocument(text) }
    }

    @Test(arguments: TOMLSamples.bad)
    func refuses(_ name: String, _ text: String) {
        #expect(throws: TOMLError.self, "\(name)") { try TOMLDocument(text) }
    }

    /// Each names the place and a remedy, and no value.
    @Test(arguments: [
        ("a = 1\nb =", "line 2, column 4: a value is missing here; write one after the ="),
        ("a = 1\n\nb.c = 2\na = 3", "line 4, column 1: `a` is set twice; remove one of the two"),
        (
            "'é' = 'é' x",
            "line 1, column 11: unexpected text after a complete statement; "
                + "begin a new line, or write # before a comment"
        ),
        (
            "[a]\nx = 1\n[ a ]",
            "line 3, column 3: `a` is defined twice; "
                + "give all its keys in one place, or rename one of the two"
        ),
        (
            "password = hunter2",
            "line 1, column 12: not a value; put text in \"quotes\"; booleans are true and false"
        ),
        ("a = [1,\n 2\n", "line 1, column 5: an array does not end; close it with ]"),
        (
            "a = {b = 1\n}",
            "line 1, column 11: an inline table runs over the end of its line; "
                + "write it on one line, or as a [table]"
        ),
        ("a = \"x\n", "line 1, column 5: a string does not end; close it with \" on the same line"),
        (
            "a = \"\\q\"",
            "line 1, column 6: an unknown escape; "
                + "use \\b \\t \\n \\f \\r \\\" \\\\ \\uXXXX \\UXXXXXXXX, or 'single quotes' for plain text"
        ),
        (
            "a = 007",
            "line 1, column 5: a number with a leading zero; "
                + "remove the zero; octal numbers begin with 0o, text needs \"quotes\""
        ),
        (
            "a = 9223372036854775808",
            "line 1, column 5: an integer beyond 64 bits; "
                + "use one between -9223372036854775808 and 9223372036854775807"
        ),
        (
            "a = 2026-02-30",
            "line 1, column 5: a day that is not in the calendar; check the month and the day"
        ),
        ("a = 1\rb = 2", "line 1, column 6: a control character (U+000d); end lines with LF or CRLF"),
        (
            "\u{feff}a = 1",
            "line 1, column 1: the file begins with a byte order mark; save it as UTF-8 without one"
        ),
        (
            "\"a\\u0007\" = 1\n\"a\\u0007\" = 2",
            "line 2, column 1: `a\\u{07}` is set twice; remove one of the two"
        ),
    ])
    func namesThePlace(_ text: String, _ message: String) {
        #expect(throws: TOMLError.self) { try TOMLDocument(text) }
        do { _ = try TOMLDocument(text) } catch { #expect(error.message == message) }
    }

    @Test func invalidUTF8NamesThePlace() {
        do {
            _ = try TOMLDocument(Array("a = 1\nb = 'é".utf8) + [0xff])
            Issue.record("taken")
        } catch {
            #expect(error.message == "line 2, column 7: not UTF-8; save the file as UTF-8")
        }
    }

    @Test func positionsOfKeysAndValues() throws {
        let document = try TOMLDocument("[a]\n'é' = 'ü'  \nb = [1, {c = 2}]\n")
        let table = try #require(document.root["a"])
        guard case .table(let a) = table.value.content else { return #expect(Bool(false)) }
        let first = try #require(a["é"])
        #expect(document.position(at: first.keyOffset) == TOMLPosition(line: 2, column: 1))
        #expect(document.position(at: first.value.offset) == TOMLPosition(line: 2, column: 7))
        let list = try #require(a["b"])
        guard case .array(let values) = list.value.content else { return #expect(Bool(false)) }
        #expect(document.position(at: values[1].offset) == TOMLPosition(line: 3, column: 9))
    }

    @Test func positionsInLongFiles() throws {
        var text = ""
        for line in 0..<300 { text += "é\(line) = [" + String(repeating: "'é', ", count: line) + "1]\n" }
        text = text.split(separator: "\n").map { "'" + $0.prefix { $0 != " " } + "'" + $0.drop { $0 != " " } }
            .joined(separator: "\n")
        let document = try TOMLDocument(text)
        for (line, entry) in document.root.entries.enumerated() {
            guard case .array(let values) = entry.value.content, let last = values.last else { continue }
            let column = "'é\(line)' = [".count + 5 * line + 1
            #expect(document.position(at: last.offset) == TOMLPosition(line: line + 1, column: column))
        }
        #expect(document.position(at: .max).line == 300)
        #expect(document.position(at: -1) == TOMLPosition(line: 1, column: 1))
    }

    // MARK: Limits

    @Test func size() throws {
        let limits = TOMLDocument.Limits(bytes: 8)
        _ = try TOMLDocument("a = '12'", limits: limits)
        #expect(throws: TOMLError.self) { try TOMLDocument("a = '123'", limits: limits) }
    }

    @Test(arguments: [
        ("arrays", "a=", "[", "]"), ("inline tables", "a=", "{a=", "}"), ("dotted keys", "", "a.", ""),
    ])
    func depth(_ name: String, _ start: String, _ open: String, _ close: String) throws {
        func nested(_ count: Int) -> String {
            let middle = open == "a." ? "a=1" : open == "[" ? "" : "1"
            return start + String(repeating: open, count: count) + middle
                + String(repeating: close, count: count)
        }
        _ = try TOMLDocument(nested(60), limits: .init(depth: 64))
        #expect(throws: TOMLError.self) { try TOMLDocument(nested(65), limits: .init(depth: 64)) }
        #expect(throws: TOMLError.self) { try TOMLDocument(nested(100_000)) }
    }

    /// Headers, keys and values add up.
    @Test func depthAddsUp() {
        let deep = "[a.b.c]\nd.e.f = {g.h = [[{i.j = 1}]]}"
        #expect(throws: Never.self) { try TOMLDocument(deep, limits: .init(depth: 13)) }
        #expect(throws: TOMLError.self) { try TOMLDocument(deep, limits: .init(depth: 8)) }
    }

    @Test func manyTablesStayCheap() throws {
        let document = try TOMLDocument(String(repeating: "[[a]]\n", count: 100_000))
        guard case .array(let tables) = document.root["a"]?.value.content else { return #expect(Bool(false)) }
        #expect(tables.count == 100_000)
    }
}
