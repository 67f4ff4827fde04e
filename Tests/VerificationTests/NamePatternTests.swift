// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Verification

@Suite struct NamePatternTests {
    @Test(
        arguments: [
            ("*", ["", "a", "a/b"], []),
            ("a", ["a"], ["", "b", "aa"]),
            ("?", ["a", "é"], ["", "aa"]),
            ("*.rpm", [".rpm", "a.rpm", "a.rpm.rpm"], ["a.rpm ", "rpm", "a.rpmx"]),
            ("kernel*", ["kernel", "kernel-core"], ["a-kernel", "kerne"]),
            ("a*b*c", ["abc", "aXbYc", "abbcc"], ["ab", "acb", "abcd"]),
            ("*a?c", ["abc", "xxabc", "aacabc"], ["ac", "abcd"]),
            ("**", ["", "anything"], []),
            ("a.b", ["a.b"], ["axb"]),
        ] as [(String, [String], [String])])
    func matches(_ text: String, _ good: [String], _ bad: [String]) throws {
        let pattern = try #require(NamePattern(text))
        for name in good { #expect(pattern.matches(name), "\(name)") }
        for name in bad { #expect(!pattern.matches(name), "\(name)") }
    }

    @Test(arguments: ["", "a/b", "[ab]", "{a,b}", "a\\*", "a\n", String(repeating: "a", count: 256)])
    func refuses(_ text: String) { #expect(NamePattern(text) == nil) }

    /// What makes others try every way of placing the stars takes the product of both lengths.
    @Test func staysQuick() throws {
        let pattern = try #require(NamePattern(String(repeating: "*a", count: 120) + "b"))
        #expect(!pattern.matches(String(repeating: "a", count: 4000)))
    }
}
