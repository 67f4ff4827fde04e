// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Testing

@testable import Console

@Suite struct ExitStatusTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var done: Int
        var failures: [ErrorCode]
        var status: Int32
    }

    static let cases: [Case] = [
        Case(testDescription: "nothing to do", done: 0, failures: [], status: 0),
        Case(testDescription: "all done", done: 3, failures: [], status: 0),
        Case(testDescription: "some failed", done: 3, failures: [.fileUnreadable], status: 1),
        Case(testDescription: "some not allowed", done: 1, failures: [.permissionDenied], status: 1),
        Case(
            testDescription: "all not allowed", done: 0, failures: [.permissionDenied, .unauthenticated],
            status: 3),
        Case(testDescription: "no such key", done: 0, failures: [.notFound, .notFound], status: 4),
        Case(
            testDescription: "servers away", done: 0, failures: [.unavailable, .deadlineExceeded], status: 5),
        Case(testDescription: "two causes", done: 0, failures: [.unavailable, .permissionDenied], status: 1),
        Case(testDescription: "all unreadable", done: 0, failures: [.fileUnreadable], status: 1),
        Case(
            testDescription: "a bad signature", done: 5, failures: [.fileUnreadable, .badSignature], status: 6
        ),
    ]

    @Test(arguments: cases) func judges(_ example: Case) {
        #expect(ExitStatus.of(done: example.done, failures: example.failures) == example.status)
    }

    @Test func judgesErrors() {
        #expect(ExitStatus.of(ConsoleError(.badArguments, "x")) == 2)
        #expect(ExitStatus.of(CancellationError()) == 130)
        struct Strange: Error {}
        #expect(ExitStatus.of(Strange()) == 1)
    }
}
