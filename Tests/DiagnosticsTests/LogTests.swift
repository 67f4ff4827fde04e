// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Foundation
import TestSupport
import Testing

/// Lines that were written to a pipe, with a fixed clock.
private func lines(
    form: LogForm = .json, level: LogLevel = .debug, at seconds: Int64 = 1_772_323_199, _ write: (Log) -> Void
) throws -> [String] {
    let pipe = Pipe()
    let sink = try LogSink(
        program: "test", descriptor: pipe.fileHandleForWriting.fileDescriptor, form: form, level: level
    ) { WallTime(seconds: seconds, nanoseconds: 7_000) }
    write(Log(to: sink))
    try #require(sink.flush(within: .seconds(60)))
    try pipe.fileHandleForWriting.close()
    let text = String(decoding: try pipe.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    try #require(text.isEmpty || text.hasSuffix("\n"))
    return text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
}

private func object(_ line: String) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
}

@Suite struct LogTests {
    @Test func aLineIsOneObject() throws {
        let request = try #require(RequestID("r-1"))
        let trace = try #require(TraceParent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"))
        let line = try lines { log in
            log.with(["peer": "east"]).with(request: request, trace: trace).info(
                "key opened",
                [
                    "version": 3, "cached": true, "ratio": 0.5, "kind": "rsa",
                    "took": .duration(.milliseconds(20)),
                    "name": .public("Jürgen's \"key\"", because: "key names are listed publicly"),
                    "size": .integer(UInt64.max), "body": .redacted([1, 2, 3]),
                    "cause": .error(DiagnosticsErrorSample()),
                ])
        }
        #expect(
            line == [
                #"{"time":"2026-02-28T23:59:59.000007Z","level":"info","program":"test","message":"key opened","#
                    + #""request":"r-1","trace":"4bf92f3577b34da6a3ce929d0e0e4736","span":"00f067aa0ba902b7","#
                    + #""attributes":{"peer":"east","version":3,"cached":true,"ratio":0.5,"kind":"rsa","took":0.02,"#
                    + #""name":"Jürgen's \"key\"","size":18446744073709551615,"body":"<redacted 3 bytes>","#
                    + #""cause":"not-found: no key \"x\""}}"#
            ])
    }

    private struct DiagnosticsErrorSample: CodedError {
        let code = ErrorCode.notFound
        let message = "no key \"x\""
    }

    @Test func levelsBelowAreNotMade() throws {
        var made = 0
        func count() -> Int {
            made += 1
            return made
        }
        let written = try lines(level: .warning) { log in
            log.debug("one", ["n": .integer(count())])
            log.info("two", ["n": .integer(count())])
            log.warning("three", ["n": .integer(count())])
            log.error("four")
            log.sink.level = .debug
            log.debug("five")
        }
        #expect(made == 1)
        #expect(try written.map { try object($0)["message"] as? String } == ["three", "four", "five"])
    }

    @Test func theLaterOfTwoAttributesCounts() throws {
        let line = try #require(try lines { $0.with(["a": 1, "b": 2]).info("x", ["a": 3]) }.first)
        #expect(line.hasSuffix(#""attributes":{"b":2,"a":3}}"#))
    }

    /// Whatever a peer sends stays within its value: each line parses, and nothing unseen or obeyed by a terminal
    /// is left in it.
    @Test(arguments: [
        ("newline", "a\nb\r\nc\u{2028}d\u{2029}e\u{85}f"),
        ("forged line", "x\"}\n{\"level\":\"error\",\"message\":\"forged\"}"),
        ("terminal", "\u{1b}[2J\u{9b}31m\u{7}\u{8}\u{7f}"),
        ("bidi", "abc\u{202e}fed\u{202c}\u{2066}x\u{2069}\u{200f}\u{061c}"),
        ("invisible", "a\u{200b}b\u{feff}c\u{ad}d\u{e0041}e\u{2060}f\u{fe0f}"),
        ("nul", "a\0b"), ("backslash", "\\u0041\\"), ("quotes", "\"\"\""),
        (
            "invalid UTF-8",
            String(decoding: [0x61, 0xff, 0xc0, 0x80, 0xed, 0xa0, 0x80, 0x62] as [UInt8], as: UTF8.self)
        ),
        ("plain", "Größe 漢字 🔑"),
    ])
    func staysInItsValue(_ what: String, _ text: String) throws {
        for form in [LogForm.json, .pretty(colours: false)] {
            let written = try lines(form: form) { $0.info("m", ["v": .public(text, because: "test")]) }
            #expect(written.count == 1)
            let line = try #require(written.first)
            let hidden = line.unicodeScalars.filter {
                $0.properties.generalCategory == .control || $0.properties.generalCategory == .format
                    || $0.properties.generalCategory == .lineSeparator
                    || $0.properties.generalCategory == .paragraphSeparator
            }
            #expect(hidden.isEmpty, "\(what)")
            if form == .json {
                #expect((try object(line)["attributes"] as? [String: String]) == ["v": text], "\(what)")
            }
        }
    }

    @Test func randomTextStaysInItsValue() throws {
        var generator = Trials.generator("log values")
        for _ in 0..<Trials.count(20, full: 2000) {
            let bytes = (0..<Int.random(in: 0...80, using: &generator)).map { _ in
                UInt8.random(in: .min ... .max, using: &generator)
            }
            let text = String(decoding: bytes, as: UTF8.self)
            let written = try lines { $0.info("m", ["v": .public(text, because: "test")]) }
            #expect(written.count == 1)
            let back = try object(try #require(written.first))["attributes"] as? [String: String]
            #expect(back == ["v": text])
        }
    }

    @Test(arguments: [(2048, 0), (2049, 1), (1_000_000, 997_952)])
    func longTextIsCut(_ count: Int, _ missing: Int) throws {
        let text = String(repeating: "x", count: count)
        let line = try #require(try lines { $0.info("m", ["v": .public(text, because: "test")]) }.first)
        let value = try #require((try object(line)["attributes"] as? [String: String])?["v"])
        #expect(value.prefix { $0 == "x" }.count == 2048)
        #expect(missing == 0 || value.hasSuffix("…(\(missing) bytes more)"))
    }

    @Test func textIsCutBetweenCharacters() throws {
        let text = String(repeating: "x", count: 2047) + "é"
        let line = try #require(try lines { $0.info("m", ["v": .public(text, because: "test")]) }.first)
        let value = try #require((try object(line)["attributes"] as? [String: String])?["v"])
        #expect(value.hasSuffix("x…(2 bytes more)"))
    }

    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000007Z"), (-1, "1969-12-31T23:59:59.000007Z"),
            (951_782_400, "2000-02-29T00:00:00.000007Z"), (4_107_542_399, "2100-02-28T23:59:59.000007Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000007Z"), (1_735_689_600, "2025-01-01T00:00:00.000007Z"),
        ] as [(Int64, String)])
    func timesAreInUTC(_ seconds: Int64, _ text: String) throws {
        let line = try #require(try lines(at: seconds) { $0.info("m") }.first)
        #expect(try object(line)["time"] as? String == text)
    }

    @Test func numbersThatJSONLacksAreText() throws {
        let line = try #require(
            try lines { $0.info("m", ["a": .number(.nan), "b": .number(-.infinity)]) }.first)
        #expect((try object(line)["attributes"] as? [String: String]) == ["a": "nan", "b": "-inf"])
    }

    @Test func prettyLinesAreForPeople() throws {
        let plain = try lines(form: .pretty(colours: false)) { $0.warning("queue is full", ["depth": 3]) }
        #expect(plain == ["2026-02-28T23:59:59.000007Z WARNING queue is full depth=3"])
        let coloured = try lines(form: .pretty(colours: true)) { $0.error("x") }
        #expect(coloured == ["2026-02-28T23:59:59.000007Z \u{1b}[31mERROR   \u{1b}[0mx"])
    }

    @Test(arguments: LogLevel.allCases)
    func levelsHaveNames(_ level: LogLevel) {
        #expect(LogLevel(name: level.name) == level)
        #expect(LogLevel(name: level.name.uppercased()) == nil)
    }
}
