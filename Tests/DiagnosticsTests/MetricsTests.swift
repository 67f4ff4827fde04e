// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Foundation
import TestSupport
import Testing

@Suite struct MetricsTests {
    private func text(_ metrics: Metrics) -> String { String(decoding: metrics.text, as: UTF8.self) }

    /// One of each kind, with values that need care.
    private func sample() -> Metrics {
        let metrics = Metrics()
        let requests = metrics.counters(
            "signet_sign_requests_total", help: "Signing jobs.",
            labels: [.values("key_type", ["rsa2048", "p256"]), .values("result", ["ok", "refused"])])
        requests.at("p256", "ok").add(3)
        requests.at("dsa", "ok").add()
        metrics.gauge("signet_queue_depth", help: "Jobs that wait.\nAll \\ of them.").set(-2.5)
        let age = metrics.gauges(
            "signet_certificate_expiry_seconds", help: "Time left.",
            labels: [.settings("which", ["a\"b\\c\nd"])])
        age.at("a\"b\\c\nd").set(.infinity)
        let duration = metrics.histogram(
            "signet_sign_duration_seconds", help: "Time to sign.", bounds: [0.001, 0.25, 10])
        for value in [0.001, 0.0011, 5, 11, .nan, .infinity] { duration.record(value) }
        duration.record(.milliseconds(250))
        metrics.counter("signet_log_lines_dropped_total", help: "Log lines that nobody will read.") { 7 }
        metrics.gauge("signet_uptime_seconds", help: "Since the start.") { 1e-7 }
        return metrics
    }

    @Test func writesTheTextFormat() {
        #expect(
            text(sample()) == #"""
                # HELP signet_certificate_expiry_seconds Time left.
                # TYPE signet_certificate_expiry_seconds gauge
                signet_certificate_expiry_seconds{which="a\"b\\c\nd"} +Inf
                # HELP signet_log_lines_dropped_total Log lines that nobody will read.
                # TYPE signet_log_lines_dropped_total counter
                signet_log_lines_dropped_total 7
                # HELP signet_queue_depth Jobs that wait.\nAll \\ of them.
                # TYPE signet_queue_depth gauge
                signet_queue_depth -2.5
                # HELP signet_sign_duration_seconds Time to sign.
                # TYPE signet_sign_duration_seconds histogram
                signet_sign_duration_seconds_bucket{le="0.001"} 1
                signet_sign_duration_seconds_bucket{le="0.25"} 3
                signet_sign_duration_seconds_bucket{le="10.0"} 4
                signet_sign_duration_seconds_bucket{le="+Inf"} 5
                signet_sign_duration_seconds_sum 16.2521
                signet_sign_duration_seconds_count 5
                # HELP signet_sign_requests_total Signing jobs.
                # TYPE signet_sign_requests_total counter
                signet_sign_requests_total{key_type="other",result="ok"} 1
                signet_sign_requests_total{key_type="p256",result="ok"} 3
                signet_sign_requests_total{key_type="p256",result="refused"} 0
                signet_sign_requests_total{key_type="rsa2048",result="ok"} 0
                signet_sign_requests_total{key_type="rsa2048",result="refused"} 0
                # HELP signet_uptime_seconds Since the start.
                # TYPE signet_uptime_seconds gauge
                signet_uptime_seconds 1e-07

                """#)
    }

    private static let promtool = Repository.path(".build/tools/usr/bin/promtool")

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: promtool), "needs promtool (make deps)"))
    func promtoolAcceptsIt() throws {
        let output = try Command.run([Self.promtool, "check", "metrics"], input: sample().text)
        #expect(output.status == 0)
        #expect(output.text + output.errorText == "")
        // It would have told.
        let bad = try Command.run([Self.promtool, "check", "metrics"], input: Array("x{a=b} 1\n".utf8))
        #expect(bad.status != 0)
    }

    @Test func valuesThatWereNotDeclaredShareOneSeries() {
        let metrics = Metrics()
        let family = metrics.counters("a_total", help: "A.", labels: [.values("x", ["one"])])
        for number in 0..<1000 { family.at("\(number)").add() }
        #expect(family.at("two").value == 1000)
        #expect(text(metrics).split(separator: "\n").count == 4)
    }

    @Test func anOpenLabelHasABound() {
        let metrics = Metrics()
        let family = metrics.counters("a_total", help: "A.", labels: [.open("key", atMost: 10)])
        for number in 0..<1000 { family.at("key \(number)").add() }
        family.at(String(repeating: "x", count: 129)).add()
        #expect(family.at("key 9").value == 1)
        #expect(family.at("key 10").value == 991)
        #expect(text(metrics).split(separator: "\n").count == 2 + 11)
    }

    @Test func manyThreadsCount() {
        let metrics = Metrics()
        let counter = metrics.counter("a_total", help: "A.")
        let gauge = metrics.gauge("b", help: "B.")
        let histogram = metrics.histogram("c", help: "C.", bounds: [1, 2])
        let open = metrics.counters("d_total", help: "D.", labels: [.open("x", atMost: 3)])
        DispatchQueue.concurrentPerform(iterations: 8) { thread in
            for number in 0..<1000 {
                counter.add()
                gauge.add(0.5)
                histogram.record(Double(number % 4))
                open.at("\(thread)").add()
                if number % 250 == 0 { _ = metrics.text }
            }
        }
        #expect(counter.value == 8000)
        #expect(gauge.value == 4000)
        let written = text(metrics)
        #expect(
            written.contains(
                "c_bucket{le=\"1.0\"} 4000\nc_bucket{le=\"2.0\"} 6000\nc_bucket{le=\"+Inf\"} 8000\n"))
        #expect(written.contains("c_sum 12000.0\nc_count 8000\n"))
        #expect(["0", "1", "2", "3", "4", "5", "6", "7"].reduce(0) { $0 + open.at($1).value } >= 8000)
    }

    @Test func aHandleIsTheSeries() {
        let family = Metrics().counters("a_total", help: "A.", labels: [.values("x", ["one"])])
        #expect(family.at("one") === family.at("one"))
    }

    @Suite struct MistakesOfTheProgramStopIt {
        @Test func twice() async {
            await #expect(processExitsWith: .failure) {
                let metrics = Metrics()
                _ = metrics.counter("a_total", help: "A.")
                _ = metrics.counter("a_total", help: "A.")
            }
        }

        @Test func aCounterWithoutTotal() async {
            await #expect(processExitsWith: .failure) { _ = Metrics().counter("a", help: "A.") }
        }

        @Test func aBadName() async {
            await #expect(processExitsWith: .failure) { _ = Metrics().gauge("aB", help: "A.") }
        }

        @Test func boundsThatFall() async {
            await #expect(processExitsWith: .failure) {
                _ = Metrics().histogram("a", help: "A.", bounds: [2, 1])
            }
        }

        @Test func tooManySeries() async {
            await #expect(processExitsWith: .failure) {
                _ = Metrics().gauges(
                    "a", help: "A.", labels: [.open("x", atMost: 100), .open("y", atMost: 100)])
            }
        }
    }
}
