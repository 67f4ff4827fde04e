// SPDX-License-Identifier: Apache-2.0

import Foundation
import HTTP2
import TestPeers
import TestSupport
import Testing
import Transport

@testable import GRPC

@Suite struct CutTests {
    /// Wherever a connection is cut, each call on it ends, in success or in a status that says so, and nothing is left.
    @Test(arguments: [true, false], [false, true])
    func everyByte(fromClient: Bool, secure: Bool) async throws {
        let tls = try await TestTLS.make()
        let server = try EchoServer(loops: 2, tls: secure ? tls : nil)
        let settings = Self.settings(secure ? try tls.clientSecurity() : .plain)
        let loop = server.loops.all[0]
        let address = server.listener.address
        let step = Trials.count(secure ? 61 : 7, full: 1)
        var successes = 0
        var count = 0
        while successes < 3, count < 20_000 {
            count += step
            let cut = CuttingProxy.Cut(
                fromClient: fromClient ? count : .max, fromServer: fromClient ? .max : count,
                resets: count % 2 == 0)
            let proxy = try CuttingProxy(to: address, loops: server.loops) { cut }
            let endpoint = Endpoint.host("127.0.0.1", port: proxy.listener.address.port)
            let ends = try await onLoop(loop, to: [endpoint], settings) { channel in
                let options = CallOptions(timeout: .seconds(60))
                var ends: [CallStatus?] = []
                ends.append(
                    await status {
                        let answer = try await channel.unary("/test.Echo/Say", [1, 2, 3], options)
                        #expect(answer == [1, 2, 3])
                    })
                guard ends[0] == nil else { return ends }
                ends.append(
                    await status {
                        try await channel.call("/test.Echo/Talk", options) { call in
                            for round in 0..<3 as Range<UInt8> {
                                try await call.send([round])
                                let answer = try await call.next()
                                #expect(answer == [round])
                            }
                            call.finishSending()
                            let none = try await call.next()
                            #expect(none == nil)
                        }
                    })
                return ends
            }
            for end in ends {
                // Never a deadline: the end of the connection is told at once.
                #expect(end == nil || end?.status == .unavailable, "cut after \(count): \(end as Any)")
            }
            successes = ends.allSatisfy { $0 == nil } ? successes + 1 : 0
            await proxy.listener.drain(within: .zero)
        }
        #expect(successes == 3)
        await eventually { server.listener.connections == 0 }
        #expect(server.server.memory.held == 0)
        await server.stop()
    }

    private static func settings(_ security: Security) -> ChannelSettings {
        var settings = ChannelSettings(security: security)
        // One try: what comes after the cut is another test's.
        settings.backoff.first = .seconds(1000)
        settings.backoff.most = .seconds(1000)
        settings.transport.linger = .milliseconds(100)
        return settings
    }

    /// Channels, calls and connections that ended in every way leave neither objects nor descriptors.
    @Test func nothingIsLeft() async {
        await #expect(processExitsWith: .success) {
            func descriptors() -> Int {
                (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? -1
            }
            func round() async throws -> [Weak] {
                let server = try EchoServer(loops: 1)
                let left = try await server.withChannel { channel in
                    let talk = try await channel.open("/test.Echo/Talk")
                    try await talk.send([1])
                    _ = try await talk.next()
                    let hang = try await channel.open(
                        "/test.Echo/Hang", CallOptions(timeout: .milliseconds(20)))
                    _ = try? await hang.next()
                    let abandoned = try await channel.open("/test.Echo/Count")
                    _ = try await channel.unary("/test.Echo/Say", [2])
                    let subchannel = channel.subchannels.values.first
                    let session = subchannel?.connection
                    defer { session?.connection.abort(.abandoned) }
                    return [
                        Weak(channel), Weak(talk), Weak(hang), Weak(abandoned), Weak(subchannel),
                        Weak(session),
                        Weak(session?.session), Weak(session?.connection), Weak(abandoned.stream),
                    ]
                }
                await server.stop()
                return left
            }
            _ = try await round()
            let before = descriptors()
            var left: [Weak] = []
            for _ in 0..<5 { left += try await round() }
            await eventually { descriptors() <= before && left.allSatisfy { $0.value == nil } }
            let kept = left.prefix(9).enumerated().filter { $0.element.value != nil }.map(\.offset)
            if !kept.isEmpty { FileHandle.standardError.write(Data("kept \(kept)\n".utf8)) }
            exit(descriptors() <= before && kept.isEmpty ? 0 : 1)
        }
    }

    final class Weak: @unchecked Sendable {
        weak var value: AnyObject?
        init(_ value: AnyObject?) { self.value = value }
    }
}
