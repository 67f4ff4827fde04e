// SPDX-License-Identifier: Apache-2.0

import HTTP
import TestSupport
import Testing

/// JSON against Python's json, which is told to refuse what this reader refuses by intent.
@Suite struct JSONTests {
    static let seeds = [
        "{\"a\": [1, -2.5e+3, true, false, null], \"b\": {\"c\": \"\\u00e9\\ud83d\\ude00\\n\"}}",
        "{\"a\":1,\"\\u0061\":2}", "[[[[]]]]", "\"\\ud83d\"", "\"\\u0000\"", "01", "-0.0E-1", "true", "nul",
        "{\"a\":1,}",
        " \t\r\n{ } ", "\"\u{e9}\\/\"", "", "[1,2,,3]", "{\"a\" 1}", "1e5", "1.", ".5", "NaN", "Infinity",
        "'a'",
    ]

    static func judge(_ texts: [[UInt8]]) throws -> [Bool] {
        var input: [UInt8] = []
        for text in texts {
            for shift in [24, 16, 8, 0] { input.append(UInt8(truncatingIfNeeded: text.count >> shift)) }
            input += text
        }
        return try Command.python(script, input: input).text.split(separator: "\n").map { $0 == "+" }
    }

    private static let script = """
        import json, re, sys

        def pairs(found):
            keys = [key for key, _ in found]
            if len(set(keys)) != len(keys):
                raise ValueError("a key twice")
            for key in keys:
                text(key)
            return dict(found)

        def text(value):
            value.encode("utf-8")
            if "\\0" in value:
                raise ValueError("NUL")

        def walk(value):
            if isinstance(value, str):
                text(value)
            elif isinstance(value, list):
                for each in value:
                    walk(each)
            elif isinstance(value, dict):
                for each in value.values():
                    walk(each)

        def refuse(constant):
            raise ValueError(constant)

        source = sys.stdin.buffer
        while length := source.read(4):
            data = source.read(int.from_bytes(length, "big"))
            try:
                walk(json.loads(data.decode("utf-8"), object_pairs_hook=pairs, parse_constant=refuse))
                print("+")
            except ValueError:
                print("-")
        """

    @Test func agreesWithPython() throws {
        var generator = Trials.generator("json")
        var texts = Self.seeds.map { Array($0.utf8) }
        let pieces =
            [
                "\"", "\\", "{", "}", "[", "]", ",", ":", "0", "-", ".", "e", "\\u", "d800", "dc00", " ",
                "\n", "\u{7f}", "\u{1}",
            ]
            .map { Array($0.utf8) } + [[0xff], [0xc3]]
        while texts.count < Trials.count(5000, full: 500_000) {
            var text = texts[Int.random(in: 0..<Self.seeds.count, using: &generator)]
            for _ in 0..<Int.random(in: 1...2, using: &generator) {
                let place = Int.random(in: 0...text.count, using: &generator)
                if Bool.random(using: &generator), place < text.count {
                    text.remove(at: place)
                } else {
                    text.insert(contentsOf: pieces.randomElement(using: &generator) ?? [], at: place)
                }
            }
            texts.append(text)
        }
        let theirs = try Self.judge(texts)
        #expect(theirs.count == texts.count)
        for (text, their) in zip(texts, theirs) {
            let own = (try? JSONText.check(text)) != nil
            #expect(own == their, "\(String(decoding: text, as: UTF8.self).debugDescription)")
        }
    }

    @Test func nestsSoDeep() {
        func nested(_ depth: Int) -> [UInt8] {
            Array((String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8)
        }
        #expect(throws: Never.self) { try JSONText.check(nested(JSONText.deepest)) }
        #expect(throws: JSONText.Refusal.self) { try JSONText.check(nested(JSONText.deepest + 1)) }
        #expect(throws: JSONText.Refusal.self) { try JSONText.check(nested(1_000_000)) }
        #expect(throws: JSONText.Refusal.self) { try JSONText.check(Array("\u{feff}{}".utf8)) }
    }
}
