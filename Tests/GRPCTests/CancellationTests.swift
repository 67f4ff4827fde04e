// SPDX-License-Identifier: Apache-2.0

import TestPeers
import TestSupport
import Testing
import Transport

@testable import GRPC

@Suite struct CancellationTests {
    /// A handler that says when it was cancelled.
    private static func hanging(_ notes: Notes) -> Service {
        Service(
            "test.Hang",
            [
                Method("Read") { call in
                    notes.add("began")
                    do {
                        while try await call.next() != nil {}
                    } catch {
                        notes.add("\((error as? CallStatus)?.status.name ?? "?") \(Task.isCancelled)")
                        throw error
                    }
                },
                Method("Sleep") { call in
                    notes.add("began")
                    do {
                        try await Task.sleep(for: .seconds(100))
                    } catch {
                        notes.add("\(error is CancellationError) \(Task.isCancelled)")
                        throw error
                    }
                },
            ])
    }

    @Test(arguments: [("Read", "CANCELLED true"), ("Sleep", "true true")])
    func cancelledCallEndsItsHandler(_ method: String, _ note: String) async throws {
        let notes = Notes()
        let ends = Notes()
        let server = try EchoServer(loops: 1, more: [Self.hanging(notes)]) { _, status in
            ends.add(status.status.name)
        }
        try await server.withChannel { channel in
            let call = try await channel.open("/test.Hang/" + method)
            try await call.send([1])
            await eventually { notes.all == ["began"] }
            call.cancel()
            let end = await status { _ = try await call.next() }
            #expect(end?.status == .cancelled)
        }
        await eventually { notes.all == ["began", note] }
        #expect(ends.all == ["CANCELLED"])
        await server.stop()
    }

    @Test func cancelledTaskEndsItsCall() async throws {
        let notes = Notes()
        let server = try EchoServer(loops: 1, more: [Self.hanging(notes)])
        let loop = server.loops.all[0]
        try await server.withChannel { channel in
            let bound = LoopBound(channel, on: loop)
            let tasks = [
                Task(executorPreference: loop) {
                    await status { _ = try await bound.value.unary("/test.Hang/Sleep", [1]) }
                },
                Task(executorPreference: loop) {
                    await status {
                        try await bound.value.call("/test.Hang/Read") { call in _ = try await call.next() }
                    }
                },
            ]
            await eventually { notes.all == ["began", "began"] }
            for task in tasks { task.cancel() }
            for task in tasks {
                let end = await task.value
                #expect(end?.status == .cancelled)
            }
            #expect(channel.servers.map(\.underWay) == [0])
        }
        await eventually { notes.all.count == 4 }
        await server.stop()
    }

    /// What a body leaves open is cancelled when it returns.
    @Test func callEndsWithItsBody() async throws {
        let notes = Notes()
        let server = try EchoServer(loops: 1, more: [Self.hanging(notes)])
        try await server.withChannel { channel in
            try await channel.call("/test.Hang/Read") { call in
                try await call.send([1])
                await eventually { notes.all == ["began"] }
            }
        }
        await eventually { notes.all == ["began", "CANCELLED true"] }
        await server.stop()
    }

    @Test func serverEnforcesItsOwnDeadline() async throws {
        let notes = Notes()
        var limits = ServerLimits()
        limits.longest = .milliseconds(100)
        let server = try EchoServer(limits: limits, loops: 1, more: [Self.hanging(notes)])
        try await server.withChannel { channel in
            let end = await status { _ = try await channel.unary("/test.Hang/Sleep", [1]) }
            #expect(end == CallStatus(.deadlineExceeded, "the deadline of the call has passed"))
        }
        await eventually { notes.all == ["began", "true true"] }
        await server.stop()
    }

    @Test func serverThatGoesAwayCancelsItsHandlers() async throws {
        let notes = Notes()
        let server = try EchoServer(loops: 2, more: [Self.hanging(notes)])
        try await onLoop(server.loops.all[1], to: [.host("127.0.0.1", port: server.port)]) { channel in
            let call = try await channel.open("/test.Hang/Read")
            try await call.send([1])
            await eventually { notes.all == ["began"] }
            await server.listener.drain(within: .milliseconds(50))
            let end = await status { _ = try await call.next() }
            #expect(end?.status == .unavailable)
        }
        await eventually { notes.all == ["began", "CANCELLED true"] }
        await server.stop()
    }

    @Test func messagesBeforeAFailureArrive() async throws {
        let server = try EchoServer(loops: 1)
        try await server.withChannel { channel in
            try await channel.call("/test.Echo/RepeatAndFail") { call in
                try await call.send([50])
                call.finishSending()
                await eventually { call.status != nil }
                var count = 0
                let end = await status { while try await call.next() != nil { count += 1 } }
                #expect(count == 50)
                #expect(end == CallStatus(.aborted, "after all of them"))
            }
        }
        await server.stop()
    }

    /// The answer came before the request was whole: the stream ends all the same.
    @Test func earlyAnswerEndsTheStream() async throws {
        let server = try EchoServer(loops: 1)
        try await server.withChannel { channel in
            for _ in 0..<1000 {
                let call = try await channel.open("/test.Echo/None")
                try call.post([UInt8](repeating: 0, count: 1 << 20))
                let end = await status { _ = try await call.next() }
                #expect(end?.status == .unimplemented)
            }
            let answer = try await channel.unary("/test.Echo/Say", [1])
            #expect(answer == [1])
            #expect(channel.servers.map(\.underWay) == [0])
        }
        await server.stop()
    }
}
