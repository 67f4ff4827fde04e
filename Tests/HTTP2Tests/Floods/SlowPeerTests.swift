// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestPeers
import TestSupport
import Testing

/// All slow peers at once, several of each at every listener, beside an honest client.
@Suite(.needs(.noSanitizer)) struct SlowPeerTests {
    @Test func areCutOff() async throws {
        let target = try await apart { try WireTarget() }
        let honest = try target.honestPort(of: .grpc)
        let (before, early) = try await apart {
            _ = try Self.rates(honest, 1)
            return (try target.memory("VmRSS"), try Self.rates(honest, 3))
        }
        let peers = try WireTarget.Listener.allCases.flatMap { listener in
            let port = try target.port(of: listener)
            return SlowPeer.all
                .filter { listener != .http || $0.opening.starts(with: RawConnection.magic) }
                // A go-between that waits for its client does not see the server's end.
                .filter { listener != .secure || $0.reads }
                .map { (peer: $0, listener, port) }
        }
        let each = Trials.count(2, full: 8)
        let beside = try await withThrowingTaskGroup(of: Void.self) { group in
            for (peer, listener, port) in peers {
                for _ in 0..<each {
                    group.addTask { try await Self.meet(peer, listener, port) }
                }
            }
            let rates = try await apart { try Self.rates(honest, 12) }
            try await group.waitForAll()
            return rates
        }
        // Others use the machine too: the best of many beside the slow ones, and the worst of a few without them.
        let late = try await apart { try Self.rates(honest, 3) }
        let alone = (early + late).min() ?? 0
        #expect((beside.max() ?? 0) >= alone / 2, "\(beside) and \(early + late)")
        let growth = try target.memory("VmHWM") - before
        // What one connection may cost, however many streams it opens.
        let most = peers.count * each * 2048
        #expect(growth < most, "\(growth) KiB")
    }

    private static func rates(_ port: UInt16, _ count: Int) throws -> [Double] {
        let client = try HonestClient(port: port)
        return try (0..<count).map { _ in try client.rate(over: .milliseconds(200)) }
    }

    private static func meet(_ peer: SlowPeer, _ listener: WireTarget.Listener, _ port: UInt16) async throws {
        // The server measures in windows of four seconds. What else runs on the machine can hold up both sides for
        // seconds: a time is taken again, and the shortest is the peer's.
        var time: Duration?
        for _ in 0..<(peer.isHonest ? 1 : 5) where time.map({ $0 >= LiveFloodTests.patience }) ?? true {
            let again = try await apart { try peer.play(port: port, most: .seconds(7)) }
            time = [time, again].compactMap(\.self).min()
        }
        let told = "\(peer.testDescription) at \(listener): \(time.map { "\($0)" } ?? "not cut off")"
        if peer.isHonest {
            #expect(time == nil, "\(told)")
        } else {
            #expect(time.map { $0 < LiveFloodTests.patience } == true, "\(told)")
        }
    }
}
