// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRPC
import TestSupport
import Testing
import Transport

/// The two versions of grpcio that the tests know: today's, and that of Debian 12.
enum Python: String, CaseIterable, Sendable {
    case current
    case debian

    var path: String { self == .current ? Command.pythonPath : "/usr/bin/python3" }

    /// Whether a program said that it is this one.
    func isNamed(by line: String?) -> Bool {
        guard let line, line.hasPrefix("grpcio ") else { return false }
        return line.hasPrefix("grpcio 1.51.") == (self == .debian)
    }

    func run(_ script: String, _ arguments: [String] = []) throws -> Companion {
        try Companion([path, Repository.path("Tests/Python/" + script)] + arguments)
    }
}

/// Python's grpcio, which shares no code with this side, as client and as server.
@Suite struct PythonTests {
    @Test(arguments: Python.allCases) func grpcioChecksAndWatchesHealth(_ python: Python) async throws {
        let health = HealthService(["", "test.Echo"])
        let server = try EchoServer(more: [health.service])
        health.set(.serving, for: "test.Echo")
        let watcher = try python.run("grpcio_health.py", ["127.0.0.1:\(server.port)", "later"])
        #expect(python.isNamed(by: watcher.readLine()))
        #expect(watcher.readLine() == "check SERVING")
        #expect(watcher.readLine() == "check NOT_FOUND")
        #expect(watcher.readLine() == "watch SERVICE_UNKNOWN")
        health.set(.serving, for: "later")
        #expect(watcher.readLine() == "watch SERVING")
        health.set(.notServing, for: "later")
        #expect(watcher.readLine() == "watch NOT_SERVING")
        #expect(watcher.readLine() == nil)
        await server.stop()
    }

    static func callEveryKind(_ channel: Channel) async throws {
        let patient = CallOptions(timeout: .seconds(60))
        let message = (0..<300_000).map { UInt8(truncatingIfNeeded: $0) }
        let answer = try await channel.unary("/test.Echo/Say", message, patient)
        #expect(answer == message)

        var options = patient
        options.metadata.append("echo", "words")
        let say = try await channel.open("/test.Echo/Say", options)
        try await say.send([1])
        say.finishSending()
        let said = try await [say.next(), say.next()]
        #expect(said == [[1], nil])
        #expect(say.trailers["echoed"] == "words")
        #expect(say.trailers.bytes(of: "raw-bin") == [0, 255])

        let talk = try await channel.open("/test.Echo/Talk", patient)
        for round in 0..<100 as Range<UInt8> {
            try await talk.send([round])
            let back = try await talk.next()
            #expect(back == [round])
        }
        talk.finishSending()
        let last = try await talk.next()
        #expect(last == nil)

        let count = try await channel.open("/test.Echo/Count", patient)
        for length in 0..<100 { try await count.send([UInt8](repeating: 1, count: length)) }
        count.finishSending()
        let counted = try await count.next()
        #expect(counted == Array("100 4950".utf8))

        let repeated = try await channel.open("/test.Echo/Repeat", patient)
        try await repeated.send([9])
        repeated.finishSending()
        var times = 0
        while try await repeated.next() != nil { times += 1 }
        #expect(times == 9)

        for code in CallStatus.Code.allCases.dropFirst() {
            let failing = try await channel.open("/test.Echo/Fail", patient)
            try await failing.send([UInt8(code.rawValue)])
            failing.finishSending()
            _ = try? await failing.next()
            #expect(failing.status == CallStatus(code, "as asked: 100 % wörtlich", details: [1, 2, 3]))
        }
        let hanging = try await channel.open("/test.Echo/Hang", CallOptions(timeout: .milliseconds(300)))
        try await hanging.send([])
        hanging.finishSending()
        _ = try? await hanging.next()
        #expect(hanging.status?.status == .deadlineExceeded)

        // More than grpcio has threads: were it not told that they are cancelled, it could not answer any more.
        for _ in 0..<50 {
            let call = try await channel.open("/test.Echo/Hang", patient)
            try await call.send([])
            call.cancel()
            _ = try? await call.next()
            #expect(call.status?.status == .cancelled)
        }
        let later = try await channel.unary("/test.Echo/Say", [1], patient)
        #expect(later == [1])
    }

    /// A server says GOAWAY while calls run: those end well, and new ones go to the other server.
    @Test(arguments: Python.allCases) func callsSurviveAServersDrain(_ python: Python) async throws {
        let servers = try (0..<2).map { _ in try python.run("grpcio_server.py") }
        let ports = try servers.map { server in try #require(server.readLine().flatMap { UInt16($0) }) }
        let failed = try await withChannel(to: ports) { channel in
            let options = CallOptions(timeout: .seconds(60), waitsForReady: true)
            while channel.servers.count(where: \.isReady) < 2 {
                try await Task.sleep(for: .milliseconds(5))
            }
            let talks = [
                try await channel.open("/test.Echo/Talk", options),
                try await channel.open("/test.Echo/Talk", options),
            ]
            var failed: [String] = []
            for round in 0..<200 {
                if round == 50 { servers[0].write("drain") }
                let message = [UInt8](repeating: UInt8(round), count: 3)
                do {
                    let answer = try await channel.unary("/test.Echo/Say", message, options)
                    if answer != message { failed.append("wrong answer") }
                } catch let status as CallStatus where round == 50 && status.status == .cancelled {
                    // grpcio itself cancels a call that comes just when it is told to stop.
                } catch {
                    failed.append("round \(round): \(error)")
                }
                for talk in talks {
                    try await talk.send(message)
                    let answer = try await talk.next()
                    if answer != message { failed.append("wrong answer in a talk") }
                }
            }
            for talk in talks { talk.finishSending() }
            return failed
        }
        #expect(failed == [])
        for server in servers { server.end() }
    }

    /// A stopped server answers no ping: it is left out within 6 s, and back within 10 s of its return.
    @Test(.timeLimit(.minutes(5))) func leavesOutAServerThatIsStopped() async throws {
        let servers = try (0..<2).map { _ in try Companion(python: "grpcio_server.py") }
        let ports = try servers.map { server in try #require(server.readLine().flatMap { UInt16($0) }) }
        let loops = try EventLoops(count: 1)
        let loop = loops.all[0]
        let endpoints = ports.map { Endpoint.host("127.0.0.1", port: $0) }
        let (out, back) = try await onLoop(loop, to: endpoints) { channel in
            func ready() -> Int { channel.servers.count { $0.isReady } }
            // What the machine keeps from this loop is not held against the channel: a turn counts 50 ms at most.
            func time(until count: Int) async throws -> Duration {
                var time = Duration.zero
                while ready() != count, time < .seconds(60) {
                    let start = ContinuousClock.now
                    try await Task.sleep(for: .milliseconds(10))
                    time += min(ContinuousClock.now - start, .milliseconds(50))
                }
                return time
            }
            let patient = CallOptions(timeout: .seconds(60), waitsForReady: true)
            _ = try await time(until: 2)
            #expect(ready() == 2)
            servers[0].signal(SIGSTOP)
            let out = try await time(until: 1)
            let left = channel.servers.filter(\.isReady).map(\.address.port)
            #expect(left == [ports[1]])
            for _ in 0..<4 {
                let answer = try await channel.unary("/test.Echo/Say", [7], patient)
                #expect(answer == [7])
            }
            servers[0].signal(SIGCONT)
            // Nor is the time that the server itself takes to come to life.
            let probe = Channel(
                to: [.host("127.0.0.1", port: ports[0])], on: loop, ChannelSettings(security: .plain))
            let alive = try await probe.unary("/test.Echo/Say", [8], patient)
            #expect(alive == [8])
            probe.close()
            return (out, try await time(until: 2))
        }
        #expect(out < .seconds(6))
        #expect(back < .seconds(10))
        EchoServer.stop(loops)
        for server in servers { server.end() }
    }

    /// A server is killed: the calls on it end as unavailable, and no other call notices.
    @Test func leavesOutAServerThatIsKilled() async throws {
        let servers = try (0..<2).map { _ in try Companion(python: "grpcio_server.py") }
        let ports = try servers.map { server in try #require(server.readLine().flatMap { UInt16($0) }) }
        try await withChannel(to: ports) { channel in
            let patient = CallOptions(timeout: .seconds(60), waitsForReady: true)
            while channel.servers.count(where: \.isReady) < 2 {
                try await Task.sleep(for: .milliseconds(5))
            }
            let talks = try await [
                channel.open("/test.Echo/Talk", patient), channel.open("/test.Echo/Talk", patient),
            ]
            for talk in talks {
                try await talk.send([1])
                let answer = try await talk.next()
                #expect(answer == [1])
            }
            servers[0].end()
            await eventually { channel.servers.filter(\.isReady).map(\.address.port) == [ports[1]] }
            for talk in talks {
                let isLost = talk.server.port == ports[0]
                let end = await status {
                    try await talk.send([2])
                    let answer = try await talk.next()
                    #expect(answer == [2])
                }
                #expect(end?.status == (isLost ? .unavailable : nil))
            }
            for number in 0..<20 as Range<UInt8> {
                let answer = try await channel.unary(
                    "/test.Echo/Say", [number], CallOptions(timeout: .seconds(60)))
                #expect(answer == [number])
            }
        }
        servers[1].end()
    }

    /// Runs `body` on a loop with a channel to these ports.
    private func withChannel<Result: Sendable>(
        to ports: [UInt16], _ body: @escaping @Sendable (Channel) async throws -> Result
    ) async throws -> Result {
        let loops = try EventLoops(count: 1)
        defer { EchoServer.stop(loops) }
        return try await onLoop(
            loops.all[0], to: ports.map { .host("127.0.0.1", port: $0) },
            ChannelSettings(security: .plain), body)
    }
}
