// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import TestSupport
import Testing

@Suite struct TraceParentTests {
    private static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    private static let span = "00f067aa0ba902b7"

    @Test(arguments: [
        ("00-\(trace)-\(span)-01", "00-\(trace)-\(span)-01"),
        ("00-\(trace)-\(span)-00", "00-\(trace)-\(span)-00"),
        ("00-\(trace)-\(span)-03", "00-\(trace)-\(span)-03"),
        ("00-\(trace)-\(span)-ff", "00-\(trace)-\(span)-03"),
        ("cc-\(trace)-\(span)-01", "00-\(trace)-\(span)-01"),
        ("cc-\(trace)-\(span)-01-what-comes-later", "00-\(trace)-\(span)-01"),
        ("fe-\(trace)-\(span)-01-", "00-\(trace)-\(span)-01"),
    ])
    func reads(_ header: String, _ again: String) throws {
        let parent = try #require(TraceParent(header))
        #expect(parent.description == again)
        #expect(parent.traceID == Self.trace)
        #expect(parent.spanID == Self.span)
    }

    @Test(arguments: [
        ("empty", ""),
        ("short", "00-\(trace)-\(span)-0"),
        ("version 00 with more", "00-\(trace)-\(span)-01-x"),
        ("version 00 with a digit more", "00-\(trace)-\(span)-011"),
        ("later version with more, unseparated", "cc-\(trace)-\(span)-01x"),
        ("forbidden version", "ff-\(trace)-\(span)-01"),
        ("upper case version", "0A-\(trace)-\(span)-01"),
        ("upper case trace", "00-4BF92F3577B34DA6A3CE929D0E0E4736-\(span)-01"),
        ("upper case span", "00-\(trace)-00F067AA0BA902B7-01"),
        ("not a digit", "00-\(trace)-00f067aa0ba902bg-01"),
        ("zero trace", "00-00000000000000000000000000000000-\(span)-01"),
        ("zero span", "00-\(trace)-0000000000000000-01"),
        ("bad flags", "00-\(trace)-\(span)-0x"),
        ("wrong separator", "00_\(trace)-\(span)-01"),
        ("space before", " 00-\(trace)-\(span)-01"),
        ("wide digits", "00-\(trace)-00f067aa0ba902\u{ff12}-01"),
    ])
    func refuses(_ what: String, _ header: String) {
        #expect(TraceParent(header) == nil, "\(what)")
    }

    @Test func aChildKeepsTheTrace() throws {
        var generator = Trials.generator("traceparent")
        let parent = try #require(TraceParent("00-\(Self.trace)-\(Self.span)-01"))
        let child = parent.child(using: &generator)
        #expect(child.traceID == parent.traceID)
        #expect(child.spanID != parent.spanID)
        #expect(child.isSampled)
        #expect(TraceParent(child.description) == child)
    }

    @Test(arguments: [true, false])
    func aNewOneIsWellFormed(_ sampled: Bool) {
        var generator = Trials.generator("traceparent new")
        for _ in 0..<200 {
            let parent = TraceParent.random(sampled: sampled, using: &generator)
            #expect(TraceParent(parent.description) == parent)
            #expect(parent.isSampled == sampled)
        }
    }

    @Test(arguments: [
        ("abc-DEF_0.9", true), (String(repeating: "x", count: 64), true), ("", false),
        (String(repeating: "x", count: 65), false), ("a b", false), ("a\nb", false), ("é", false),
        ("a\"", false),
    ])
    func requestIDsOfPeers(_ text: String, _ accepted: Bool) {
        #expect((RequestID(text)?.text == text) == accepted)
    }

    @Test func requestIDsDiffer() {
        let some = (0..<100).map { _ in RequestID.random() }
        #expect(Set(some).count == 100)
        #expect(some.allSatisfy { RequestID($0.text) == $0 && $0.text.utf8.count == 32 })
    }
}
