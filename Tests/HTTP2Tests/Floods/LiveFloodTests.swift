// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization
import TestSupport
import Testing

/// Floods against live listeners: the attacker is cut off in time, again and again, the server's memory stays where it
/// was, and a client beside it goes on at half its rate or more. The rates are judged in `make proof`: beside other
/// tests they tell of those.
@Suite(.serialized) struct LiveFloodTests {
    private static let target = Result { try WireTarget() }
    /// KiB that the server may grow by.
    static let mostGrowth = 32 << 10
    /// Five seconds are the promise. In `make test` the machine has a hundred other things to do at the same time.
    static let patience = Duration.seconds(Trials.areFull ? 5 : 15)

    private struct Outcome: Sendable {
        var timeToCut: Duration?
        var ratios: [Double] = []
        var growth = 0
    }

    @Test(arguments: Attack.all, WireTarget.Listener.allCases)
    func holds(_ attack: Attack, _ listener: WireTarget.Listener) async throws {
        let outcome = try await apart { try Self.measure(attack, listener) }
        let time = try #require(outcome.timeToCut, "the attacker was not cut off")
        #expect(time < Self.patience)
        if Trials.areFull { #expect((outcome.ratios.last ?? 0) >= 0.5, "\(outcome.ratios)") }
        #expect(outcome.growth < Self.mostGrowth)
    }

    private static func measure(_ attack: Attack, _ listener: WireTarget.Listener) throws -> Outcome {
        let target = try target.get()
        let port = try target.port(of: listener)
        let client = try HonestClient(port: port)
        _ = try client.rate(over: .milliseconds(20))
        let before = try target.memory("VmRSS")
        try target.forgetPeak()

        var outcome = Outcome(timeToCut: try attack.timeToCut(port: port))
        // What else runs on the machine disturbs single rounds.
        for round in 0..<Trials.count(1, full: 7) where (outcome.ratios.last ?? 0) < 0.5 {
            let alone = try client.rate(over: .milliseconds(Trials.count(20 << round, full: 1000)))
            let crowd = Background(attack, port: port)
            let beside = try client.rate(over: .milliseconds(Trials.count(40 << round, full: 5000)))
            _ = try crowd.end()
            outcome.ratios.append(beside / alone)
        }
        outcome.growth = try target.memory("VmHWM") - before
        return outcome
    }
}

/// An attack on a thread of its own. In life the attacker has machines of its own; here it gets what time of the
/// processors the server and the honest client leave, and a little more.
private final class Background: Sendable {
    private let stop = Atomic(false)
    private let done = DispatchSemaphore(value: 0)
    private let result = Mutex(Result<Int, any Error>.success(0))

    init(_ attack: Attack, port: UInt16) {
        Thread.detachNewThread { [self] in
            setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10)
            let result = Result { try attack.run(port: port, until: stop) }
            self.result.withLock { $0 = result }
            done.signal()
        }
    }

    /// Waits for the last attack's end and returns how many there were.
    func end() throws -> Int {
        stop.store(true, ordering: .relaxed)
        done.wait()
        return try result.withLock { $0 }.get()
    }
}
