// SPDX-License-Identifier: Apache-2.0

import GRPC
import Testing
import Transport

@Suite struct CallTests {
    @Test func allKindsOfCalls() async throws {
        let server = try EchoServer()
        try await server.withChannel { channel in
            #expect(try await channel.unary("/test.Echo/Say", [1, 2, 3]) == [1, 2, 3])
            #expect(try await channel.unary("/test.Echo/Say", []) == [])

            let repeated = try await channel.open("/test.Echo/Repeat")
            try await repeated.send([5])
            repeated.finishSending()
            var answers = 0
            while let answer = try await repeated.next() {
                #expect(answer == [5])
                answers += 1
            }
            #expect(answers == 5)

            let counted = try await channel.open("/test.Echo/Count")
            for length in 0..<100 { try await counted.send([UInt8](repeating: 0, count: length * 100)) }
            counted.finishSending()
            #expect(try await counted.next() == Array("100 495000".utf8))
            #expect(try await counted.next() == nil)

            let talk = try await channel.open("/test.Echo/Talk")
            for round in 0..<50 as Range<UInt8> {
                try await talk.send([round])
                #expect(try await talk.next() == [round])
            }
            talk.finishSending()
            #expect(try await talk.next() == nil)
        }
        await server.stop()
    }

    @Test func largeMessagesPassBothWindows() async throws {
        let server = try EchoServer()
        let message = (0..<(3 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        try await server.withChannel { channel in
            let answer = try await channel.unary("/test.Echo/Say", message)
            #expect(answer == message)
        }
        await server.stop()
    }

    @Test(arguments: CallStatus.Code.allCases.dropFirst()) func statusesArrive(_ code: CallStatus.Code)
        async throws
    {
        let server = try EchoServer(loops: 1)
        let status: CallStatus? = try await server.withChannel { channel in
            do {
                _ = try await channel.unary("/test.Echo/Fail", [UInt8(code.rawValue)])
                return nil
            } catch let status as CallStatus {
                return status
            }
        }
        #expect(status == CallStatus(code, "as asked: 100 % wörtlich", details: [1, 2, 3]))
        await server.stop()
    }

    struct Refusal: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var path: String
        var message: [UInt8]
        var timeout: Duration?
        var status: CallStatus.Code
    }

    @Test(arguments: [
        Refusal(
            testDescription: "unknown method", path: "/test.Echo/None", message: [], status: .unimplemented),
        Refusal(testDescription: "unknown service", path: "/none", message: [], status: .unimplemented),
        Refusal(
            testDescription: "message over the limit", path: "/test.Echo/Say",
            message: [UInt8](repeating: 0, count: 5 << 20), status: .resourceExhausted),
        Refusal(
            testDescription: "deadline", path: "/test.Echo/Hang", message: [], timeout: .milliseconds(200),
            status: .deadlineExceeded),
    ])
    func refuses(_ refusal: Refusal) async throws {
        let server = try EchoServer(loops: 1)
        let status: CallStatus? = try await server.withChannel { channel in
            do {
                _ = try await channel.unary(
                    refusal.path, refusal.message, CallOptions(timeout: refusal.timeout))
                return nil
            } catch let status as CallStatus {
                return status
            }
        }
        #expect(status?.status == refusal.status)
        await server.stop()
    }

    @Test func noServerIsUnavailableAtOnce() async throws {
        let server = try EchoServer(loops: 1)
        let port = server.port
        await server.listener.drain(within: .zero)
        let loop = server.loops.all[0]
        let status: CallStatus? = await withCheckedContinuation { continuation in
            loop.spawn {
                let channel = Channel(
                    to: [.host("127.0.0.1", port: port)], on: loop, ChannelSettings(security: .plain))
                do {
                    _ = try await channel.unary("/test.Echo/Say", [])
                    continuation.resume(returning: nil)
                } catch {
                    continuation.resume(returning: error as? CallStatus)
                }
                channel.close()
            }
        }
        #expect(status?.status == .unavailable)
        #expect(status?.message.contains("127.0.0.1:\(port)") == true)
        EchoServer.stop(server.loops)
    }

    @Test func manyCallsAtOnce() async throws {
        let server = try EchoServer()
        let wrong = try await server.withChannel { channel in
            let bound = LoopBound(channel, on: server.loops.all[0])
            return await withTaskGroup(of: Bool.self) { group in
                for number in 0..<2000 {
                    group.addTask(executorPreference: server.loops.all[0]) {
                        let message = Array("message \(number)".utf8)
                        return (try? await bound.value.unary("/test.Echo/Say", message)) == message
                    }
                }
                return await group.reduce(0) { $1 ? $0 : $0 + 1 }
            }
        }
        #expect(wrong == 0)
        await server.stop()
    }
}
