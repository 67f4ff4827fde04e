// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

/// The closing line of `make test`, from the events of a run.
@Suite struct ClosingLineTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var events: [String]
        var status = 0
        var strict = ""
        var line: String
        var succeeds: Bool
    }

    static func test(_ id: String) -> String {
        #"{"kind": "test", "payload": {"kind": "function", "id": "\#(id)"}}"#
    }

    static func event(_ kind: String, _ id: String, issue: String = "") -> String {
        let issue = issue.isEmpty ? "" : #", "issue": {"isFailure": \#(issue)}"#
        let message = #""messages": [{"text": "\#(kind) \#(id)"}]"#
        return
            #"{"kind": "event", "payload": {"kind": "\#(kind)", "testID": "\#(id)", \#(message)\#(issue)}}"#
    }

    static let end = #"{"kind": "event", "payload": {"kind": "runEnded"}}"#
    static let good = [test("a"), event("testStarted", "a"), event("testEnded", "a")]
    static let skip = [test("s"), event("testSkipped", "s")]
    static let bad = [
        test("b"), event("testStarted", "b"), event("issueRecorded", "b", issue: "true"),
        event("testEnded", "b"),
    ]
    static let known = [
        test("k"), event("testStarted", "k"), event("issueRecorded", "k", issue: "false"),
        event("testEnded", "k"),
    ]
    static let lost = [test("l"), event("testStarted", "l")]
    static let suite = [
        #"{"kind": "test", "payload": {"kind": "suite", "id": "S"}}"#, event("testStarted", "S"),
        event("testEnded", "S"),
    ]

    @Test(arguments: [
        Case(
            testDescription: "good", events: good + suite + [end], line: "1 passed, 0 failed", succeeds: true),
        Case(
            testDescription: "known", events: good + known + [end], line: "2 passed, 0 failed", succeeds: true
        ),
        Case(
            testDescription: "bad", events: good + bad + [end], status: 1, line: "1 passed, 1 failed",
            succeeds: false),
        Case(
            testDescription: "skipped", events: good + skip + [end], line: "1 passed, 0 failed, 1 skipped",
            succeeds: true),
        Case(
            testDescription: "skipped, strict", events: good + skip + [end], strict: "1",
            line: "1 passed, 1 failed", succeeds: false),
        Case(
            testDescription: "crashed", events: good + lost + [#"{"kind": "eve"#], status: 1,
            line: "1 passed, 1 failed", succeeds: false),
        Case(
            testDescription: "crashed after the last test", events: good + [end], status: 1,
            line: "1 passed, 1 failed", succeeds: false),
        Case(testDescription: "cut short", events: good, line: "1 passed, 1 failed", succeeds: false),
        Case(
            testDescription: "not built", events: [], status: 1, line: "0 passed, 1 failed", succeeds: false),
        Case(testDescription: "nothing matched", events: [end], line: "0 passed, 1 failed", succeeds: false),
    ])
    func counts(_ example: Case) throws {
        let folder = try TemporaryFolder()
        let events = try folder.write("events", example.events.joined(separator: "\n"))
        let output = try Command.run([
            "/usr/bin/python3", "-B", Repository.path("Scripts/count-tests"), events, String(example.status),
            example.strict,
        ])
        #expect(
            output.text.hasSuffix(example.line + "\n") && !output.text.hasSuffix(" " + example.line + "\n"))
        #expect((output.status == 0) == example.succeeds)
    }
}
