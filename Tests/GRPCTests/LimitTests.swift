// SPDX-License-Identifier: Apache-2.0

import HTTP2
import Synchronization
import TestPeers
import TestSupport
import Testing
import Transport

@testable import GRPC

@Suite struct LimitTests {
    @Test func clientRefusesMessagesOverItsLimit() async throws {
        let server = try EchoServer(loops: 1)
        var settings = ChannelSettings(security: .plain)
        settings.message = 1000
        try await server.withChannel(settings) { channel in
            let most = try await channel.unary("/test.Echo/Large", [0x03, 0xe8])
            #expect(most.count == 1000)
            let over = await status { _ = try await channel.unary("/test.Echo/Large", [0x03, 0xe9]) }
            #expect(over?.status == .resourceExhausted)
        }
        await server.stop()
    }

    struct Metadata: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var fields: [(String, String)]
        var status: CallStatus.Code?
    }

    /// Metadata over the limits end the call and not the connection, whichever side they come to.
    @Test(arguments: [
        Metadata(testDescription: "within", fields: [("a", String(repeating: "x", count: 10_000))]),
        Metadata(
            testDescription: "too long", fields: [("a", String(repeating: "x", count: 20_000))],
            status: .resourceExhausted),
        Metadata(
            testDescription: "too many", fields: (0..<100).map { ("a\($0)", "x") }, status: .resourceExhausted
        ),
    ])
    func metadataIsBounded(_ metadata: Metadata) async throws {
        let server = try EchoServer(loops: 1)
        var small = ChannelSettings(security: .plain)
        small.session.headerListSize = 8000
        small.session.headerFields = 32
        try await server.withChannel { channel in
            var options = CallOptions(timeout: .seconds(60))
            for (name, value) in metadata.fields { options.metadata.append(name, value) }
            let end = await status {
                try await channel.call("/test.Echo/Greet", options) { call in
                    call.finishSending()
                    let none = try await call.next()
                    #expect(none == nil)
                    // Metadata may be handed on as they came, without the fields of the protocol.
                    #expect(call.trailers["a"] == options.metadata["a"])
                    #expect(call.initialMetadata["greeting"] == "first")
                }
            }
            #expect(end?.status == metadata.status)
            let answer = try await channel.unary("/test.Echo/Say", [1])
            #expect(answer == [1])
        }
        await server.stop()
    }

    /// A handler that does not read holds up its client, at the size of a window; and one whose client does not read is
    /// held up.
    @Test func slowReadersHoldUpTheirPeers() async throws {
        let (asked, answered) = (Counter(), Counter())
        let message = [UInt8](repeating: 1, count: 10_000)
        let service = Service(
            "test.Slow",
            [
                Method("Read") { call in
                    while asked.value == 0 { try await Task.sleep(for: .milliseconds(2)) }
                    while try await call.next() != nil { answered.add(1) }
                },
                Method("Write") { call in
                    for _ in 0..<1000 {
                        try await call.send(message)
                        answered.add(1)
                    }
                },
            ])
        let server = try EchoServer(loops: 1, more: [service])
        try await server.withChannel { channel in
            try await channel.call("/test.Slow/Read") { call in
                let sent = Counter()
                let bound = LoopBound(call, on: server.loops.all[0])
                let sending = Task(executorPreference: server.loops.all[0]) {
                    for _ in 0..<1000 {
                        try await bound.value.send(message)
                        sent.add(1)
                    }
                    bound.value.finishSending()
                }
                await stands(sent)
                // One window of 256 KiB, what waits below it and a message: far from all.
                #expect(sent.value * message.count < 400 << 10)
                #expect(server.server.memory.held < 300 << 10)
                asked.add(1)
                try await sending.value
                let none = try await call.next()
                #expect(none == nil)
            }
            #expect(answered.value == 1000)
            answered.add(-1000)
            try await channel.call("/test.Slow/Write") { call in
                call.finishSending()
                await stands(answered)
                #expect(answered.value > 0)
                #expect(answered.value * message.count < 400 << 10)
                var count = 0
                while try await call.next() != nil { count += 1 }
                #expect(count == 1000)
            }
        }
        await eventually { server.server.memory.held == 0 }
        await server.stop()
    }

    final class Counter: Sendable {
        private let number = Atomic<Int>(0)
        var value: Int { number.load(ordering: .relaxed) }
        func add(_ more: Int) { number.wrappingAdd(more, ordering: .relaxed) }
    }

    /// Waits until a counter has not moved for a while.
    private func stands(_ counter: Counter) async {
        var (last, since) = (-1, ContinuousClock.now)
        while ContinuousClock.now - since < .milliseconds(300) {
            if counter.value != last { (last, since) = (counter.value, .now) }
            try? await Task.sleep(for: .milliseconds(5))
        }
    }

    /// Many calls whose messages never become whole hold no more than the budget.
    @Test func unfinishedMessagesHoldNoMoreThanTheBudget() async throws {
        var limits = ServerLimits()
        let most = 2 << 20
        limits.heldByConnection = most
        let server = try EchoServer(limits: limits, loops: 1)
        try await server.withChannel { channel in
            var calls: [ClientCall] = []
            for _ in 0..<20 {
                let call = try await channel.open("/test.Echo/Count")
                call.stream?.send([0, 0, 0x10, 0, 0] + [UInt8](repeating: 0, count: 1 << 20))
                calls.append(call)
            }
            await eventually { calls.count { $0.status?.status == .resourceExhausted } >= 17 }
            #expect(server.server.memory.held <= most)
            for call in calls { call.cancel() }
            await eventually { server.server.memory.held == 0 }
            let answer = try await channel.unary("/test.Echo/Say", [1])
            #expect(answer == [1])
        }
        await server.stop()
    }

    @Test func messagesAndBytesOfACallAreCounted() async throws {
        var limits = ServerLimits()
        limits.messages = 10
        limits.bytes = 10_000
        let server = try EchoServer(limits: limits, loops: 1)
        try await server.withChannel { channel in
            for (count, size, code) in [
                (10, 1, nil), (11, 1, .resourceExhausted), (5, 1900, nil), (5, 2100, .resourceExhausted),
            ] as [(Int, Int, CallStatus.Code?)] {
                let end = await status {
                    try await channel.call("/test.Echo/Count") { call in
                        for _ in 0..<count { try call.post([UInt8](repeating: 0, count: size)) }
                        call.finishSending()
                        while try await call.next() != nil {}
                    }
                }
                #expect(end?.status == code, "\(count) of \(size)")
            }
        }
        await server.stop()
    }

    /// A client that takes nothing of its answer is cut off, whether its handler has ended or not.
    @Test func clientThatTakesNothingIsCutOff() async throws {
        var limits = ServerLimits()
        limits.untaken = .seconds(1)
        let ends = Notes()
        let server = try EchoServer(limits: limits, loops: 1) { call, status in
            ends.add("\(call.path) \(status.status.name)")
        }
        try await server.withChannel { channel in
            let large = try await channel.open("/test.Echo/Large")
            try await large.send([0x10, 0, 0])
            large.finishSending()
            let many = try await channel.open("/test.Echo/Repeat")
            try await many.send([200] + [UInt8](repeating: 0, count: 10_000))
            many.finishSending()
            await eventually { many.status != nil }
            #expect(many.status?.status == .cancelled)
            // The large message is not whole here, so its window stays open.
            let answer = try await large.next()
            #expect(answer?.count == 0x100000)
        }
        await eventually { ends.all.contains("/test.Echo/Repeat CANCELLED") }
        await server.stop()
    }

    @Test func postingWithoutEndIsRefused() async throws {
        let server = try EchoServer(loops: 1)
        var settings = ChannelSettings(security: .plain)
        settings.unsent = 1 << 20
        try await server.withChannel(settings) { channel in
            try await channel.call("/test.Echo/Hang") { call in
                let end = await status {
                    for _ in 0..<100 { try call.post([UInt8](repeating: 0, count: 100_000)) }
                }
                #expect(end?.status == .resourceExhausted)
            }
        }
        await server.stop()
    }
}
