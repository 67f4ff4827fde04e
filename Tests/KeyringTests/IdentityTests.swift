// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Keyring
import TestSupport
import Testing

@Suite struct IdentityTests {
    @Test(arguments: [
        ("spiffe://farm/builder/7", ClientIdentity.Sort.uri, "spiffe://farm/builder/7", true),
        ("spiffe://farm/builder/7", .uri, "spiffe://farm/builder/8", false),
        ("spiffe://farm/builder/*", .uri, "spiffe://farm/builder/7", true),
        ("spiffe://farm/builder/*", .uri, "spiffe://farm/builder/", false),
        ("spiffe://farm/builder/*", .uri, "spiffe://farm/builder/7/root", false),
        ("spiffe://farm/*/7", .uri, "spiffe://farm/builder/7", true),
        ("spiffe://farm/*/7", .uri, "spiffe://farm/a/b/7", false),
        ("spiffe://*/builder", .uri, "spiffe://evil.example/builder", true),
        ("*.farm.example", .dns, "b7.farm.example", true),
        ("*.farm.example", .dns, "a.b7.farm.example", false),
        ("*.farm.example", .dns, "farm.example", false),
        ("*.farm.example", .dns, ".farm.example", false),
        ("B7.Farm.Example", .dns, "b7.farm.example", true),
        ("b*-x86-*.farm", .dns, "b-b-x86-7-x86-9.farm", true),
        ("b*-x86-*.farm", .dns, "b1-x86-9.farm", true),
        ("builder *", .cn, "builder 7 / rack.3", true),
        ("a*b*c", .cn, "aXbXbYc", true),
        ("a*b*c", .cn, "abc", false),
    ])
    func patterns(_ pattern: String, _ sort: ClientIdentity.Sort, _ name: String, _ matches: Bool) throws {
        let pattern = try IdentityPattern(authority: Samples.authority, sort: sort, value: pattern)
        let client = try ClientIdentity(authority: Samples.authority, sort: sort, value: name)
        #expect(pattern.matches(client) == matches)
    }

    @Test func sortsAndAuthoritiesAreNeverMixed() throws {
        let pattern = try IdentityPattern(authority: Samples.authority, sort: .dns, value: "builder")
        for sort in ClientIdentity.Sort.allCases {
            for authority in [Samples.authority, Samples.otherAuthority] {
                let client = try ClientIdentity(authority: authority, sort: sort, value: "builder")
                #expect(pattern.matches(client) == (sort == .dns && authority == Samples.authority))
            }
        }
    }

    @Test(arguments: ["*", "***", "*/*", "a**", "", " a", "a ", "a\nb", "a*b*c*d*e*f*g*h*i*j", "\u{e9}"])
    func patternsThatAreRefused(_ value: String) {
        #expect(throws: KeyringError.self) {
            try IdentityPattern(authority: Samples.authority, sort: .uri, value: value)
        }
    }

    /// Against a matcher that tries all ways.
    @Test func randomPatterns() throws {
        var generator = Trials.generator("identity patterns")
        func random(_ letters: String, _ count: ClosedRange<Int>) -> String {
            String(
                (0..<Int.random(in: count, using: &generator)).map { _ in
                    letters.randomElement(using: &generator) ?? "a"
                })
        }
        var agreed = 0
        for _ in 0..<Trials.count(2000, full: 100_000) {
            let text = random("ab*/", 1...6)
            let name = random("ab/", 1...8)
            guard let pattern = try? IdentityPattern(authority: Samples.authority, sort: .uri, value: text)
            else { continue }
            let client = try ClientIdentity(authority: Samples.authority, sort: .uri, value: name)
            #expect(pattern.matches(client) == slow(text[...], name[...]), "\(text) \(name)")
            agreed += 1
        }
        #expect(agreed > 100)
    }

    private func slow(_ pattern: Substring, _ name: Substring) -> Bool {
        guard let sign = pattern.first else { return name.isEmpty }
        let rest = pattern.dropFirst()
        guard sign == "*" else { return name.first == sign && slow(rest, name.dropFirst()) }
        let longest = name.prefix { $0 != "/" }.count
        return longest > 0 && (1...longest).contains { slow(rest, name.dropFirst($0)) }
    }

    @Test func whichNameOfACertificateCounts() throws {
        func identity(_ uris: [String], _ dns: [String], _ cn: [String], allowing: Bool = false) throws
            -> String
        {
            let identity = try ClientIdentity(
                authority: Samples.authority, uris: uris, dnsNames: dns, commonNames: cn,
                allowingCommonNames: allowing)
            return "\(identity.sort):\(identity.value)"
        }
        #expect(try identity(["spiffe://a/b"], ["b.farm"], ["b"]) == "uri:spiffe://a/b")
        #expect(try identity([], ["b.farm"], ["b", "c"]) == "dns:b.farm")
        #expect(try identity([], [], ["b"], allowing: true) == "cn:b")
        func code(_ uris: [String], _ dns: [String], _ cn: [String], allowing: Bool = false) -> ErrorCode? {
            do {
                _ = try identity(uris, dns, cn, allowing: allowing)
                return nil
            } catch { return (error as? KeyringError)?.code }
        }
        #expect(code(["spiffe://a/b", "spiffe://a/c"], [], []) == .identityAmbiguous)
        #expect(code(["spiffe://a/b"], ["b.farm", "c.farm"], []) == .identityAmbiguous)
        #expect(code([], [], ["b", "c"], allowing: true) == .identityAmbiguous)
        #expect(code([], [], ["b"]) == .identityMissing)
        #expect(code([], [], []) == .identityMissing)
    }
}
