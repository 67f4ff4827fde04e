// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// All slow peers at once, several of each, beside an honest client.
@Suite struct SlowPeerTests {
    @Test(arguments: WireTarget.Listener.allCases)
    func cutsOff(_ listener: WireTarget.Listener) async throws {
        let target = try await apart { try WireTarget() }
        let port = try target.port(of: listener)
        let (before, alone) = try await apart {
            let client = try HonestClient(port: port)
            _ = try client.rate(over: .milliseconds(100))
            return (try target.memory("VmRSS"), try client.rate(over: .milliseconds(200)))
        }
        let connections = Trials.count(2, full: 8)
        await withTaskGroup(of: Void.self) { group in
            for peer in SlowPeer.all
            where listener != .http || peer.opening.starts(with: RawConnection.magic) {
                for _ in 0..<connections {
                    group.addTask { await Self.meet(peer, port) }
                }
            }
            group.addTask {
                do {
                    let best = try await apart {
                        let client = try HonestClient(port: port)
                        return try (0..<8).map { _ in try client.rate(over: .milliseconds(400)) }.max() ?? 0
                    }
                    if Trials.areFull { #expect(best / alone >= 0.5) }
                } catch {
                    Issue.record(error)
                }
            }
        }
        let growth = try target.memory("VmHWM") - before
        // What one connection may cost, however many streams it opens.
        let most = SlowPeer.all.count * connections * 2048
        #expect(growth < most, "\(growth) KiB")
    }

    private static func meet(_ peer: SlowPeer, _ port: UInt16) async {
        do {
            let most = Duration.seconds(peer.isHonest ? 7 : 25)
            let time = try await apart { try peer.play(port: port, most: most) }
            let told = "\(peer.testDescription): \(time.map { "\($0)" } ?? "not cut off")"
            if peer.isHonest {
                #expect(time == nil, "\(told)")
            } else {
                #expect(time.map { $0 < LiveFloodTests.patience } == true, "\(told)")
            }
        } catch {
            Issue.record(error)
        }
    }
}
