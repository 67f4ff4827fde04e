// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import Foundation
internal import TestSupport
internal import Transport

extension Benchmark {
    static let transportBenchmarks = [
        Benchmark(name: "transport.handshakes") { try await TransportBench().handshakes() },
        Benchmark(name: "transport.stream") { try await TransportBench().stream() },
    ]
}

/// A server of ours on one loop, and `openssl s_server`, each with the same P-256 certificates and the same client.
///
/// Rates are per second of CPU that the server's thread or process took, so that the client's share of the cores and
/// other work on the machine cancel out.
private final class TransportBench: Sendable {
    let certificates: BenchCertificates
    let folder: TemporaryFolder
    let rounds = 3

    init() throws {
        certificates = try BenchCertificates()
        folder = certificates.folder
    }

    private func path(_ name: String) -> TLSSettings.PEM { .file(folder.path + "/" + name) }

    private func serverContext() throws -> TLSContext {
        try TLSContext(
            .server(
                certificates: path("server.crt"), key: .file(folder.path + "/server.key"),
                trust: .authorities(path("ca.crt"))))
    }

    private var clientContext: TLSContext {
        get throws {
            try TLSContext(
                .client(
                    trust: .authorities(path("ca.crt")), certificates: path("client.crt"),
                    key: .file(folder.path + "/client.key")))
        }
    }

    // MARK: Handshakes

    func handshakes() async throws -> [Figure] {
        let loops = try EventLoops(count: 1)
        let limits = TransportLimits()
        let listener = try Listener(
            at: .ip4(0x7f00_0001, port: 0), loops: loops, security: .tls(serverContext()), limits: limits
        ) { ByteStream($0) { stream in while try await stream.read() != nil {} } }
        let reference = try Reference(in: folder.path, "-www")
        var (own, other): ([Double], [Double]) = ([], [])
        for _ in 0..<rounds {
            own.append(try handshakes(at: listener.address.port) { CPU.ofThreads(named: "loop-") })
            other.append(
                try handshakes(at: reference.port) { CPU.ofProcess(reference.process.processIdentifier) })
        }
        await listener.drain(within: .seconds(1))
        return [
            Figure(
                "transport.handshakes", value: median(own), unit: "mutual P-256 handshakes per CPU second",
                reference: median(other))
        ]
    }

    private func handshakes(at port: UInt16, _ cpu: () -> Double) throws -> Double {
        let start = cpu()
        let output = try certificates.openssl([
            "s_time", "-new", "-connect", "127.0.0.1:\(port)", "-cert", "client.crt", "-key", "client.key",
            "-CAfile",
            "ca.crt", "-time", "3",
        ])
        let used = cpu() - start
        // "2904 connections in 1.05s; ..."
        let line = output.text.split(separator: "\n").last { $0.contains("connections in") } ?? ""
        return used > 0 ? (Double(line.prefix { $0.isNumber }) ?? 0) / used : 0
    }

    // MARK: A stream

    func stream() async throws -> [Figure] {
        let gibibytes = Int(ProcessInfo.processInfo.environment["SIGNET_STREAM_GIB"] ?? "") ?? 4
        let size = gibibytes << 30
        let loops = try EventLoops(count: 2)
        let listener = try Listener(
            at: .ip4(0x7f00_0001, port: 0), loops: loops, security: .tls(serverContext())
        ) { Source($0, size) }
        let connector = Connector(security: .tls(try clientContext))
        var rates: (own: [Double], other: [Double]) = ([], [])
        var growth = 0
        try Command.check(["truncate", "-s", "\(size)", folder.path + "/zero"])
        let reference = try Reference(in: folder.path, "-HTTP")
        for _ in 0..<rounds {
            let before = CPU.resident
            let watch = Task {
                var most = 0
                while !Task.isCancelled {
                    most = max(most, CPU.resident - before)
                    try? await Task.sleep(for: .milliseconds(50))
                }
                return most
            }
            rates.own.append(try await sink(size, listener.address.port, connector, loops.all[1]))
            watch.cancel()
            growth = max(growth, await watch.value)
            rates.other.append(try await sink(size, reference.port, connector, loops.all[1]))
        }
        return [
            Figure(
                "transport.stream", value: median(rates.own), unit: "bytes per second",
                reference: median(rates.other)),
            Figure(
                "transport.stream.memory", value: Double(growth), unit: "bytes of growth",
                reference: 4_194_304),
        ]
    }

    /// Takes `size` bytes from a server, and returns how many a second.
    private func sink(_ size: Int, _ port: UInt16, _ connector: Connector, _ loop: EventLoop) async throws
        -> Double
    {
        let (ends, end) = AsyncStream.makeStream(of: Int.self)
        let start = ContinuousClock.now
        let connection = try await connector.connect(
            to: .host("127.0.0.1", port: port), serverName: "server.test", on: loop
        ) { Sink($0, size, end) }
        for await received in ends {
            guard received >= size else { throw CocoaError(.fileReadUnknown) }
        }
        loop.execute { connection.value.abort(.abandoned) }
        return Double(size) / ((ContinuousClock.now - start) / .seconds(1))
    }
}

/// Sends a number of zero bytes, and the end.
private final class Source: ConnectionHandler {
    private var left: Int
    private let block = [UInt8](repeating: 0, count: 16 << 10)

    init(_ connection: Connection, _ size: Int) {
        left = size
        connection.requestOutput()
    }

    func received(_ bytes: Span<UInt8>, on connection: Connection) {}

    func produce(room: Int, on connection: Connection) {
        var room = room
        while left > 0, room >= block.count {
            connection.write(block)
            left -= block.count
            room -= block.count
        }
        if left > 0 { connection.requestOutput() } else { connection.finish() }
    }
}

/// Counts bytes.
private final class Sink: ConnectionHandler {
    private let size: Int
    private var received = 0
    private let end: AsyncStream<Int>.Continuation

    init(_ connection: Connection, _ size: Int, _ end: AsyncStream<Int>.Continuation) {
        // What s_server wants to hear; ours sends in any case.
        connection.write(Array("GET /zero HTTP/1.0\r\n\r\n".utf8))
        self.size = size
        self.end = end
    }

    func received(_ bytes: Span<UInt8>, on connection: Connection) {
        received += bytes.count
        if received >= size { tell() }
    }

    func closed(_ connection: Connection, _ reason: CloseReason) { tell() }

    private func tell() {
        end.yield(received)
        end.finish()
    }
}

/// `openssl s_server` in one of its modes.
private final class Reference {
    let process = Process()
    let port: UInt16

    init(in folder: String, _ mode: String) throws {
        let output = Pipe()
        let serve =
            "openssl s_server -accept 127.0.0.1:$PORT -cert server.crt -key server.key -CAfile ca.crt "
            + "-Verify 1 -verify_return_error -no_ticket -num_tickets 0"
        // s_server takes no port 0; a free one is found first.
        let probe = try EventLoops(count: 1)
        let free = try Listener(at: .ip4(0x7f00_0001, port: 0), loops: probe, security: .plain) {
            ByteStream($0)
        }
        port = free.address.port
        Self.stop(probe)
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.arguments = ["-c", "PORT=\(port); exec \(serve) \(mode)"]
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        try process.run()
        var said = ""
        while !said.contains("ACCEPT"), let part = try output.fileHandleForReading.read(upToCount: 1),
            !part.isEmpty
        {
            said += String(decoding: part, as: UTF8.self)
        }
    }

    deinit { kill(process.processIdentifier, SIGKILL) }

    private static func stop(_ loops: EventLoops) { loops.stop() }
}

/// What processes and threads have used.
enum CPU {
    /// Seconds of this process's threads whose name begins so.
    static func ofThreads(named prefix: String) -> Double {
        let folder = "/proc/self/task"
        let threads = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return threads.reduce(0) { sum, thread in
            let name = (try? String(contentsOfFile: "\(folder)/\(thread)/comm", encoding: .utf8)) ?? ""
            return name.hasPrefix(prefix) ? sum + seconds("\(folder)/\(thread)/schedstat") : sum
        }
    }

    static func ofProcess(_ process: Int32) -> Double { seconds("/proc/\(process)/schedstat") }

    static var resident: Int {
        let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
        return (Int(text.split(separator: " ").dropFirst().first ?? "") ?? 0) * 4096
    }

    private static func seconds(_ path: String) -> Double {
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        return (Double(text.split(separator: " ").first ?? "") ?? 0) / 1e9
    }
}
