// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Foundation
import Synchronization
import TestPeers
import TestSupport
import Testing

@testable import Transport

@Suite struct CutTests {
    /// Wherever a connection is cut, the call on it ends, in success or in an error that says so; with TLS it never ends
    /// in a part that looks whole.
    @Test(arguments: [false, true])
    func everyByte(secure: Bool) async throws {
        let loops = try TestLoops(2)
        let tls = try await TestTLS.make()
        var limits = TransportLimits()
        limits.connectionsPerAddress = 4096
        limits.linger = .milliseconds(200)
        let listener = try Listener(
            at: #require(Address("127.0.0.1", port: 0)), loops: loops.loops,
            security: secure ? .tls(TLSContext(tls.server)) : .plain, limits: limits, handler: echo)
        let server = listener.address
        let security = secure ? Security.tls(try TLSContext(tls.client())) : .plain
        let message = [UInt8]("a message of some bytes".utf8)

        func attempt(_ cut: CuttingProxy.Cut) async throws -> [UInt8]? {
            let proxy = try CuttingProxy(to: server, loops: loops.loops) { cut }
            var connector = Connector(security: security)
            connector.limits.linger = .milliseconds(200)
            do {
                let back = try await exchange(
                    message, with: .host("127.0.0.1", port: proxy.listener.address.port), connector,
                    on: loops.loops.all[0], serverName: "server.test")
                await proxy.listener.drain(within: .seconds(1))
                return back
            } catch {
                #expect(error is TransportError, "\(error)")
                await proxy.listener.drain(within: .seconds(1))
                return nil
            }
        }
        #expect(try await attempt(CuttingProxy.Cut()) == message)
        let step = secure ? Trials.count(61, full: 1) : 1
        for fromClient in [true, false] {
            for resets in [true, false] {
                var successes = 0
                var count = 0
                while successes < 2 {
                    count += step
                    var cut = CuttingProxy.Cut(resets: resets)
                    if fromClient { cut.fromClient = count } else { cut.fromServer = count }
                    let back = try await attempt(cut)
                    if secure || resets { #expect(back == nil || back == message, "cut after \(count)") }
                    // Twice the whole in a row: the cut is behind the end.
                    successes = back == message ? successes + 1 : 0
                    guard count < 20_000 else {
                        Issue.record("it never gets through")
                        break
                    }
                }
            }
        }
        await eventually { listener.connections == 0 }
    }
}
