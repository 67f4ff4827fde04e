// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import TestPeers
import TestSupport
import Testing
import Transport

@testable import GRPC

@Suite struct ChannelTests {
    @Test func closedChannelRefusesWhatWaitsAndWhatComes() async throws {
        let server = try EchoServer(loops: 1)
        try await server.withChannel { channel in
            let first = try await channel.unary("/test.Echo/Say", [1])
            #expect(first == [1])
            let talk = try await channel.open("/test.Echo/Talk")
            channel.close()
            channel.close()
            let late = await status { _ = try await channel.unary("/test.Echo/Say", [1]) }
            #expect(late == CallStatus(.unavailable, "the channel is closed"))
            // What was under way may finish.
            try await talk.send([2])
            let answer = try await talk.next()
            #expect(answer == [2])
            talk.finishSending()
            let end = try await talk.next()
            #expect(end == nil)
        }
        await eventually { server.listener.connections == 0 }
        await server.stop()
    }

    /// The kernel takes connections for a stopped program; such a server is not ready, and gets no calls.
    @Test func silentServerIsNotReady() async throws {
        let loops = try EventLoops(count: 1)
        let mute = try Listener(at: .ip4(0x7f00_0001, port: 0), loops: loops, security: .plain) { _ in Mute()
        }
        let server = try EchoServer(loops: 1)
        let endpoints = [mute.address.port, server.port].map { Endpoint.host("127.0.0.1", port: $0) }
        try await onLoop(loops.all[0], to: endpoints) { channel in
            for _ in 0..<20 {
                let answer = try await channel.unary(
                    "/test.Echo/Say", [1], CallOptions(timeout: .seconds(60)))
                #expect(answer == [1])
            }
            let ready = channel.servers.filter(\.isReady).map(\.address.port)
            #expect(ready == [server.port])
        }
        await mute.drain(within: .zero)
        EchoServer.stop(loops)
        await server.stop()
    }

    final class Mute: ConnectionHandler {
        func received(_ bytes: Span<UInt8>, on connection: Connection) {}
    }

    @Test func equalServersGetEqualShares() async throws {
        let counts = (0..<3).map { _ in Notes() }
        let servers = try counts.map { notes in
            try EchoServer(loops: 1) { call, _ in notes.add(call.path) }
        }
        let endpoints = servers.map { Endpoint.host("127.0.0.1", port: $0.port) }
        let loops = try EventLoops(count: 1)
        try await onLoop(loops.all[0], to: endpoints) { channel in
            while channel.servers.count(where: \.isReady) < 3 { try await Task.sleep(for: .milliseconds(2)) }
            for number in 0..<300 {
                let answer = try await channel.unary("/test.Echo/Say", [UInt8(truncatingIfNeeded: number)])
                #expect(answer == [UInt8(truncatingIfNeeded: number)])
            }
        }
        await eventually { counts.map(\.all.count).reduce(0, +) == 300 }
        #expect(counts.map(\.all.count) == [100, 100, 100])
        for server in servers { await server.stop() }
        EchoServer.stop(loops)
    }

    /// Where chance says so, the first call goes: among equal servers each is the first of somebody.
    @Test func firstServerIsDrawn() async throws {
        let servers = try (0..<3).map { _ in try EchoServer(loops: 1) }
        let loops = try EventLoops(count: 1)
        let resolver = Script([servers.map { .ip4(0x7f00_0001, port: $0.port) }])
        var firsts: [UInt16] = []
        for turn in [0.0, 0.34, 0.67] {
            var settings = ChannelSettings(security: .plain)
            settings.resolver = resolver
            settings.chance = { turn }
            firsts += [
                try await onLoop(loops.all[0], to: [.host("servers.test", port: 1)], settings) { channel in
                    while channel.servers.count(where: \.isReady) < 3 {
                        try await Task.sleep(for: .milliseconds(2))
                    }
                    return try await channel.call("/test.Echo/Talk") { $0.server.port }
                }
            ]
        }
        #expect(firsts == servers.map(\.port))
        for server in servers { await server.stop() }
        EchoServer.stop(loops)
    }

    /// Answers in turn what it was given; the last answer holds. An empty answer is a failure.
    final class Script: Resolver {
        private let answers: Lock<[[Address]]>
        private let asked = Lock(0)
        var times: Int { asked.withLock { $0 } }

        init(_ answers: [[Address]]) { self.answers = Lock(answers) }

        func addresses(of host: String, port: UInt16) async throws -> [Address] {
            asked.withLock { $0 += 1 }
            let answer = answers.withLock { $0.count > 1 ? $0.removeFirst() : $0[0] }
            guard !answer.isEmpty else { throw CallStatus(.unavailable, "\(host): not now") }
            return answer
        }
    }

    @Test func namesAreResolvedAnew() async throws {
        let servers = try (0..<3).map { _ in try EchoServer(loops: 1) }
        let addresses = servers.map { Address.ip4(0x7f00_0001, port: $0.port) }
        let resolver = Script([[addresses[0]], [], [addresses[1], addresses[2]]])
        var settings = ChannelSettings(security: .plain)
        settings.resolver = resolver
        settings.resolveEvery = .milliseconds(50)
        let loops = try EventLoops(count: 1)
        try await onLoop(loops.all[0], to: [.host("servers.test", port: 1)], settings) { channel in
            let first = try await channel.call("/test.Echo/Talk") { $0.server }
            #expect(first == addresses[0])
            let started = ContinuousClock.now
            while Set(channel.servers.filter(\.isReady).map(\.address)) != Set(addresses[1...]) {
                // The failure in between changes nothing.
                #expect(!channel.servers.isEmpty)
                guard ContinuousClock.now - started < .seconds(30) else { break }
                try await Task.sleep(for: .milliseconds(2))
            }
            let seen = try await [
                channel.call("/test.Echo/Talk") { $0.server }, channel.call("/test.Echo/Talk") { $0.server },
            ]
            #expect(Set(seen) == Set(addresses[1...]))
        }
        for server in servers { await server.stop() }
        EchoServer.stop(loops)
    }

    @Test func lostServerIsLookedForUnderItsName() async throws {
        let servers = try (0..<2).map { _ in try EchoServer(loops: 1) }
        let addresses = servers.map { Address.ip4(0x7f00_0001, port: $0.port) }
        var settings = ChannelSettings(security: .plain)
        settings.resolver = Script([[addresses[0]], [addresses[1]]])
        settings.resolveEvery = .seconds(1000)
        settings.resolvePause = .milliseconds(10)
        let loops = try EventLoops(count: 1)
        let options = CallOptions(timeout: .seconds(30), waitsForReady: true)
        let ends = try await onLoop(loops.all[0], to: [.host("servers.test", port: 1)], settings) { channel in
            let first = try await channel.call("/test.Echo/Talk", options) { $0.server }
            await servers[0].stop()
            let second = try await channel.call("/test.Echo/Talk", options) { $0.server }
            return [first, second]
        }
        #expect(ends == addresses)
        await servers[1].stop()
        EchoServer.stop(loops)
    }

    @Test func nameWithoutAddressSaysSo() async throws {
        var settings = ChannelSettings(security: .plain)
        settings.resolver = Script([[]])
        let loops = try EventLoops(count: 1)
        let refused = try await onLoop(loops.all[0], to: [.host("none.test", port: 1)], settings) { channel in
            await status { _ = try await channel.unary("/test.Echo/Say", []) }
        }
        #expect(refused?.status == .unavailable)
        #expect(refused?.message.contains("none.test: not now") == true)
        EchoServer.stop(loops)
    }

    @Test func waitingCallsEndInTheirTime() async throws {
        let server = try EchoServer(loops: 1)
        var settings = ChannelSettings(security: .plain)
        settings.window = 1
        settings.mostWaiting = 2
        try await server.withChannel(settings) { channel in
            let talk = try await channel.open("/test.Echo/Talk")
            let late = await status {
                _ = try await channel.open("/test.Echo/Say", CallOptions(timeout: .milliseconds(30)))
            }
            #expect(late?.status == .deadlineExceeded)

            let bound = LoopBound(channel, on: server.loops.all[0])
            let waiting = (0..<2).map { _ in
                Task(executorPreference: server.loops.all[0]) {
                    await status { _ = try await bound.value.open("/test.Echo/Say") }
                }
            }
            await eventually { channel.waiting.count == 2 }
            let refused = await status { _ = try await channel.open("/test.Echo/Say") }
            #expect(refused?.status == .resourceExhausted)
            waiting[0].cancel()
            let cancelled = await waiting[0].value
            #expect(cancelled?.status == .cancelled)
            talk.cancel()
            let served = await waiting[1].value
            #expect(served == nil)
        }
        await server.stop()
    }
}
