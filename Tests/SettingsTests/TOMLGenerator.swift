// SPDX-License-Identifier: Apache-2.0

import TestSupport

/// Random documents, most of them good or nearly so, and random damage to good ones.
struct TOMLGenerator {
    var random: SeededGenerator

    /// Keys come from a small stock, so that tables and keys meet again and break the rules now and then.
    private static let keys = ["a", "b", "c", "d-1", "\"a\"", "'b c'", "\"\\u0061\"", "1", "\"é\""]
    private static let scalars = [
        "0", "-1", "+7", "1_000", "0xfF", "0o17", "0b1_0", "1.5", "-0.0", "1e3", "6.02E+2_3", "inf", "-nan",
        "true", "false",
        "1979-05-27", "1979-05-27T07:32:00Z", "1979-05-27 07:32:00.25-08:00", "2000-02-29t00:00:00",
        "23:59:59.123456789",
        "\"\"", "''", "\"x\\ty\"", "'x\\y'", "\"\"\"\nx\\\n  y\"\"\"", "'''x\n'y''''", "\"\"\"\"q\"\"\"\"",
        "\"ü🔑\"", "9223372036854775807",
    ]
    private static let fragments = [
        "=", ".", ",", "[", "]", "[[", "]]", "{", "}", "\"", "'", "\"\"\"", "'''", "\\", "#", "\n", "\r\n",
        "\r", " ", "\t", "_", "0",
        "1", "-", "+", ":", "e", "x", "T", "Z", "\\u00e9", "\\n", "a", "b", "true", "inf", "é", "\u{0}",
        "\u{7f}", "a=1\n", "[a]\n",
        "[[b]]\n", "a.b=1\n", "{a=1}", "[1,2]", ":60", "0000-", "99999999999999999999",
    ]

    mutating func document() -> [UInt8] {
        var text = ""
        for _ in 0..<Int.random(in: 0...8, using: &random) {
            switch Int.random(in: 0..<10, using: &random) {
            case 0...4: text += key(1...3) + pick([" = ", "="]) + value(2) + end()
            case 5, 6: text += "[" + key(1...3) + "]" + end()
            case 7: text += "[[" + key(1...2) + "]]" + end()
            case 8: text += pick(["# comment", "#", "", "  "]) + end()
            default: text += pick(["\t", " ", ""]) + key(1...4) + " =\t" + value(3) + " # x" + end()
            }
        }
        return Array(text.utf8)
    }

    /// A few changes to a document: bytes, pieces, whole lines.
    mutating func mutant(of document: [UInt8]) -> [UInt8] {
        var bytes = document
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            let place = Int.random(in: 0...bytes.count, using: &random)
            switch Int.random(in: 0..<6, using: &random) {
            case 0: bytes.insert(contentsOf: pick(Self.fragments).utf8, at: place)
            case 1: bytes.insert(.random(in: 0...255, using: &random), at: place)
            case 2 where place < bytes.count: bytes[place] = pick(Self.fragments).utf8.first ?? 0
            case 3 where place < bytes.count: bytes.remove(at: place)
            case 4 where place < bytes.count:
                let end = Int.random(in: place...bytes.count, using: &random)
                bytes.removeSubrange(place..<min(end, place + 12))
            default:
                let lines = bytes.split(separator: 10, omittingEmptySubsequences: false)
                let line = lines.randomElement(using: &random) ?? []
                bytes += [10] + line
            }
        }
        return bytes
    }

    private mutating func key(_ parts: ClosedRange<Int>) -> String {
        let count = min(Int.random(in: parts, using: &random), Int.random(in: parts, using: &random))
        return (0..<count).map { _ in pick(Self.keys) }.joined(separator: pick([".", ".", " . "]))
    }

    private mutating func value(_ depth: Int) -> String {
        switch Int.random(in: 0..<(depth > 0 ? 8 : 6), using: &random) {
        case 6:
            let values = (0..<Int.random(in: 0...3, using: &random)).map { _ in value(depth - 1) }
            let separator = pick([",", ", ", "\n,", ", # c\n"])
            return "[" + values.joined(separator: separator) + pick(["", " ", "\n"]) + "]"
        case 7:
            let entries = (0..<Int.random(in: 0...3, using: &random)).map { _ in
                key(1...2) + "=" + value(depth - 1)
            }
            return "{" + entries.joined(separator: pick([",", " , "])) + "}"
        default:
            return pick(Self.scalars)
        }
    }

    private mutating func end() -> String { pick(["\n", "\n", "\n", "\r\n"]) }

    private mutating func pick(_ list: [String]) -> String { list.randomElement(using: &random) ?? "" }
}
