// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import GRPC
internal import TestSupport
internal import Transport

extension Benchmark {
    static let grpc = [
        Benchmark(name: "grpc") { try await GRPCBench().run() }
    ]

    /// The server of these benchmarks, in a process of its own: `bench grpc-server FOLDER`.
    static func serveGRPC(in folder: String) async throws {
        let echo = Service(
            "bench.Echo",
            [
                .unary("Say") { message, _ in message },
                Method("Talk") { call in
                    while let message = try await call.next() { try await call.send(message) }
                },
            ])
        let server = Server([echo], limits: GRPCBench.limits)
        let loops = try EventLoops(count: 1)
        let listener = try Listener(
            at: .ip4(0x7f00_0001, port: 0), loops: loops,
            security: .tls(TLSContext(GRPCBench.settings(in: folder, server: true)))
        ) { server.serve($0) }
        print(listener.address.port)
        fflush(nil)
        // Until the other side lets go.
        while readLine() != nil {}
    }
}

/// Unary echo of 1 KiB and messages of 1 KiB on one bidi call, over mutual TLS: the server in a process of its own on one
/// core, its clients here on the other; beside `nghttpd`, which serves a file of 1 KiB to h2load over TLS with as many
/// connections and streams.
///
/// Rates are per second of CPU that the server took, so that what else runs on the machine cancels out.
private struct GRPCBench {
    static let connections = 4
    static let streams = 32
    let folder: TemporaryFolder
    let rounds = 9

    static var limits: ServerLimits {
        var limits = ServerLimits()
        limits.messages = .max
        return limits
    }

    static func settings(in folder: String, server: Bool) throws -> TLSSettings {
        let (ca, name) = (TLSSettings.PEM.file(folder + "/ca.crt"), server ? "server" : "client")
        let certificate = TLSSettings.PEM.file("\(folder)/\(name).crt")
        let key = TLSSettings.Key.file("\(folder)/\(name).key")
        var settings =
            server
            ? TLSSettings.server(certificates: certificate, key: key, trust: .authorities(ca))
            : .client(trust: .authorities(ca), certificates: certificate, key: key)
        settings.applicationProtocols = ["h2"]
        return settings
    }

    init() throws {
        folder = try BenchCertificates().folder
        try folder.write("file", [UInt8](repeating: 0x61, count: 1024))
    }

    func run() async throws -> [Figure] {
        let core = "\(Cores.last)"
        let own = try Companion(["taskset", "-c", core, CommandLine.arguments[0], "grpc-server", folder.path])
        guard let port = own.readLine().flatMap({ UInt16($0) }) else { throw CocoaError(.fileReadUnknown) }
        let free = try freePort()
        let other = try Companion([
            "taskset", "-c", core, "nghttpd", "-d", folder.path, "\(free)", folder.path + "/server.key",
            folder.path + "/server.crt",
        ])
        // It says nothing when it is ready.
        for _ in 0..<100 {
            let probe = try Command.run(["h2load", "-n", "1", "https://127.0.0.1:\(free)/file"])
            if probe.text.contains("1 succeeded") { break }
            try await Task.sleep(for: .milliseconds(50))
        }
        let loops = try EventLoops(count: 1)
        let context = try TLSContext(Self.settings(in: folder.path, server: false))
        var rates: (unary: [Double], stream: [Double], files: [Double]) = ([], [], [])
        for round in 0...rounds {
            let files = try rate(of: other, try h2load(free))
            let unary = try await rate(of: own) {
                try await Load(context, port, loops.all[0]).unary(60_000)
            }
            let stream = try await rate(of: own) {
                try await Load(context, port, loops.all[0]).stream(100_000)
            }
            // The first round warms up.
            guard round > 0 else { continue }
            rates.files.append(files)
            rates.unary.append(unary)
            rates.stream.append(stream)
        }
        stop(loops)
        own.end()
        other.end()
        return [
            Figure(
                "grpc.unary.1k", value: median(rates.unary), unit: "requests per CPU second",
                reference: median(rates.files)),
            Figure(
                "grpc.stream.1k", value: median(rates.stream), unit: "messages per CPU second",
                reference: median(rates.unary)),
        ]
    }

    private func rate(of server: Companion, _ work: @autoclosure () throws -> Int) rethrows -> Double {
        let start = Self.seconds(of: server)
        let count = try work()
        return Double(count) / (Self.seconds(of: server) - start)
    }

    private func rate(of server: Companion, _ work: () async throws -> Int) async rethrows -> Double {
        let start = Self.seconds(of: server)
        let count = try await work()
        return Double(count) / (Self.seconds(of: server) - start)
    }

    /// CPU of all threads of a process.
    private static func seconds(of server: Companion) -> Double {
        let folder = "/proc/\(server.identifier)/task"
        let threads = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return threads.reduce(0) { sum, thread in
            let text = (try? String(contentsOfFile: "\(folder)/\(thread)/schedstat", encoding: .utf8)) ?? ""
            return sum + (Double(text.split(separator: " ").first ?? "") ?? 0) / 1e9
        }
    }

    private func h2load(_ port: UInt16) throws -> Int {
        let requests = 100_000
        let output = try Command.check([
            "h2load", "-n", "\(requests)", "-c", "\(Self.connections)", "-m", "\(Self.streams)", "-t", "1",
            "https://127.0.0.1:\(port)/file",
        ])
        guard output.text.contains("\(requests) succeeded") else { throw CocoaError(.fileReadUnknown) }
        return requests
    }

    private func stop(_ loops: EventLoops) { loops.stop() }

    /// nghttpd takes no port 0.
    private func freePort() throws -> UInt16 {
        let loops = try EventLoops(count: 1)
        defer { loops.stop() }
        return try Listener(at: .ip4(0x7f00_0001, port: 0), loops: loops, security: .plain) { ByteStream($0) }
            .address.port
    }
}

/// Clients of the echo service, on a loop of this process.
private struct Load: Sendable {
    let context: TLSContext
    let port: UInt16
    let loop: EventLoop
    let message = [UInt8](repeating: 0x61, count: 1024)

    init(_ context: TLSContext, _ port: UInt16, _ loop: EventLoop) {
        self.context = context
        self.port = port
        self.loop = loop
    }

    /// Calls on all connections, with as many under way as there are streams.
    func unary(_ count: Int) async throws -> Int {
        let each = count / GRPCBench.connections / GRPCBench.streams
        return try await channels(GRPCBench.connections) { channel in
            let bound = LoopBound(channel, on: loop)
            return try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<GRPCBench.streams {
                    group.addTask(executorPreference: loop) {
                        for _ in 0..<each { _ = try await bound.value.unary("/bench.Echo/Say", message) }
                        return each
                    }
                }
                return try await group.reduce(0, +)
            }
        }
    }

    /// Messages on one bidi call.
    func stream(_ count: Int) async throws -> Int {
        try await channels(1) { channel in
            try await channel.call("/bench.Echo/Talk") { call in
                let bound = LoopBound(call, on: loop)
                let sending = Task(executorPreference: loop) {
                    for _ in 0..<count { try await bound.value.send(message) }
                    bound.value.finishSending()
                }
                var received = 0
                while try await call.next() != nil { received += 1 }
                try await sending.value
                return received
            }
        }
    }

    private func channels(
        _ count: Int, _ body: @escaping @Sendable (Channel) async throws -> Int
    ) async throws -> Int {
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<count {
                group.addTask(executorPreference: loop) {
                    var settings = ChannelSettings(security: .tls(context))
                    settings.message = 1 << 20
                    let channel = Channel(to: [.host("127.0.0.1", port: port)], on: loop, settings)
                    defer { channel.close() }
                    return try await body(channel)
                }
            }
            return try await group.reduce(0, +)
        }
    }
}
