// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization
import TestPeers
import TestSupport
import Testing

/// Floods against live listeners: the attacker is cut off in time, again and again, the server's memory stays where it
/// was, and a client beside it goes on at half its rate or more.
@Suite(.serialized, .needs(.noSanitizer)) struct LiveFloodTests {
    private static let target = Result { try WireTarget() }
    /// KiB that the server may grow by.
    static let mostGrowth = 32 << 10
    static let patience = Duration.seconds(5)

    private struct Outcome: Sendable {
        var timeToCut: Duration?
        var best = 0.0
        var growth = 0
    }

    @Test(arguments: Attack.all, WireTarget.Listener.allCases)
    func holds(_ attack: Attack, _ listener: WireTarget.Listener) async throws {
        let outcome = try await apart { try Self.measure(attack, listener) }
        let time = try #require(outcome.timeToCut, "the attacker was not cut off")
        #expect(time < Self.patience)
        #expect(outcome.best >= 0.5)
        #expect(outcome.growth < Self.mostGrowth)
    }

    private static func measure(_ attack: Attack, _ listener: WireTarget.Listener) throws -> Outcome {
        let target = try target.get()
        let (port, honestPort) = try (target.port(of: listener), target.honestPort(of: listener))
        let client = try HonestClient(port: honestPort)
        _ = try client.rate(over: .milliseconds(20))
        let before = try target.memory("VmRSS")
        try target.forgetPeak()

        // What else runs on the machine can hold up a process for seconds: a time is taken again, and the shortest is
        // the attacker's.
        var outcome = Outcome()
        for _ in 0..<5 where outcome.timeToCut.map({ $0 >= Self.patience }) ?? true {
            let time = try attack.timeToCut(port: port)
            outcome.timeToCut = [outcome.timeToCut, time].compactMap(\.self).min()
        }
        // It disturbs single rounds as well, and the best is nearest to what the server does to the client.
        for round in 0..<Trials.count(10, full: 7) where outcome.best < 0.5 {
            let ratio = try compare(client, attack, port, honestPort, round: min(round, 4))
            outcome.best = max(outcome.best, ratio)
        }
        outcome.growth = try target.memory("VmHWM") - before
        return outcome
    }

    /// The client's rate beside the attack as part of the rate that it has otherwise: alone in `make proof`, and beside a
    /// second client that is as honest in `make test`, where the machine may be busy enough to have nothing to spare.
    private static func compare(
        _ client: HonestClient, _ attack: Attack, _ port: UInt16, _ honestPort: UInt16, round: Int
    ) throws -> Double {
        let usual: Double
        if Trials.areFull {
            usual = try client.rate(over: .milliseconds(1000))
        } else {
            let other = Background { stop in
                let other = try HonestClient(port: honestPort)
                while !stop.load(ordering: .relaxed) { _ = try other.rate(over: .milliseconds(5)) }
            }
            usual = try client.rate(over: .milliseconds(20 << round))
            try other.end()
        }
        let crowd = Background { stop in
            while !stop.load(ordering: .relaxed) { _ = try attack.timeToCut(port: port) }
        }
        let beside = try client.rate(over: .milliseconds(Trials.count(20 << round, full: 5000)))
        try crowd.end()
        return beside / usual
    }
}

/// The same without a measure, so that the sanitizers look at it too: behind every attack the server serves on.
@Suite struct SurvivedFloodTests {
    @Test(arguments: WireTarget.Listener.allCases)
    func serverServesOn(_ listener: WireTarget.Listener) async throws {
        let (refused, isDrained) = try await apart {
            let target = try WireTarget(isPatient: true)
            let refused = try Attack.all.filter { attack in
                _ = try attack.timeToCut(port: target.port(of: listener))
                let client = try HonestClient(port: target.honestPort(of: listener))
                return try client.rate(over: .milliseconds(1)) == 0
            }
            return (refused.map(\.testDescription), target.drain())
        }
        #expect(refused == [])
        #expect(isDrained)
    }
}

/// Others on a thread of their own. In life they have machines of their own; here they get what time of the processors
/// the server and the honest client leave, and a little more.
private final class Background: Sendable {
    private let stop = Atomic(false)
    private let done = DispatchSemaphore(value: 0)
    private let result = Mutex(Result<Void, any Error>.success(()))

    init(_ body: @escaping @Sendable (borrowing Atomic<Bool>) throws -> Void) {
        Thread.detachNewThread { [self] in
            setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10)
            let result = Result { try body(stop) }
            self.result.withLock { $0 = result }
            done.signal()
        }
    }

    /// Waits for the last round's end.
    func end() throws {
        stop.store(true, ordering: .relaxed)
        done.wait()
        try result.withLock { $0 }.get()
    }
}
