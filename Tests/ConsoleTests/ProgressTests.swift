// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import Console

@Suite struct ProgressTests {
    /// A meter of so many files, one of which is done at each of these times.
    static func meter(_ total: Int, done times: [Double], failed: Int = 0) -> ProgressMeter {
        var meter = ProgressMeter(at: .zero)
        meter.found(total)
        for (place, time) in times.enumerated() {
            meter.finished(failed: place < failed, at: .milliseconds(Int64(time * 1000)))
        }
        return meter
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var meter: ProgressMeter
        var time: Duration
        var line: String
    }

    static let cases: [Case] = [
        Case(
            testDescription: "nothing yet", meter: meter(200, done: []), time: .seconds(3),
            line: "0 of 200 files"),
        Case(
            testDescription: "half", meter: meter(200, done: (1...100).map { Double($0) / 50 }),
            time: .seconds(2),
            line: "100 of 200 files, 50/s, 2s left"),
        Case(
            testDescription: "slow", meter: meter(10, done: [1, 2, 3], failed: 2), time: .seconds(4),
            line: "3 of 10 files, 0.8/s, 9s left, 2 failed"),
        Case(
            testDescription: "all", meter: meter(4, done: [1, 1, 2, 2]), time: .seconds(2),
            line: "4 of 4 files, 2.0/s"),
        Case(
            testDescription: "what lies far back does not count",
            meter: meter(10_000, done: (1...1000).map { Double($0) / 1000 } + [19, 20]), time: .seconds(20),
            line: "1002 of 10000 files, 0.1/s, 23h59m left"),
    ]

    /// A walk tells how many it has met so far, again and again.
    @Test func theTotalIsWhatWasMetSoFar() {
        var meter = ProgressMeter(at: .zero)
        for files in [1, 2, 3] { meter.found(files) }
        #expect(meter.total == 3)
    }

    @Test(arguments: cases) func tellsRateAndRemainingTime(_ example: Case) {
        #expect(example.meter.line(at: example.time) == example.line)
    }

    @Test(arguments: [20, 40, 60, 80, 200]) func aBarFitsItsTerminal(_ columns: Int) {
        let meter = Self.meter(200, done: (1...150).map { Double($0) / 50 }, failed: 3)
        let bar = meter.bar(columns: columns, at: .seconds(3))
        #expect(bar.count < columns)
        if columns >= 60 {
            #expect(bar.contains("75%  150/200  50/s  1s left  3 failed"))
            #expect(bar.hasPrefix("[###"))
        }
    }

    @Test func aRunWithoutFilesHasABar() {
        #expect(ProgressMeter(at: .zero).bar(columns: 80, at: .zero).contains("0/0"))
    }

    @Test(arguments: [
        (Duration.milliseconds(3), "1s"), (.seconds(59), "59s"), (.seconds(61), "1m01s"),
        (.seconds(3600), "1h00m"),
    ]) func showsTime(_ time: Duration, _ text: String) { #expect(ProgressMeter.shown(time) == text) }
}
