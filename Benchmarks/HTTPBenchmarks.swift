// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import HTTP
internal import HTTP2
internal import TestSupport
internal import Transport

extension Benchmark {
    static let httpBenchmarks = [
        Benchmark(name: "http.get.1k") { try await HTTPBench().get() }
    ]
}

/// A route that answers 1 KiB, on one loop, beside nghttpd with a file of 1 KiB; h2load asks both for the same.
private final class HTTPBench {
    private let folder: TemporaryFolder
    private let rounds = 3
    private let requests = 20_000

    init() throws {
        folder = try TemporaryFolder()
        try folder.write("1k", [UInt8](repeating: 0x61, count: 1024), mode: 0o644)
    }

    func get() async throws -> [Figure] {
        let loops = try EventLoops(count: 1)
        let body = [UInt8](repeating: 0x61, count: 1024)
        var router = Router()
        router.get("/{name}") { _ in Response(fields: ["content-type": "text/plain"], body: body) }
        let server = Server(router)
        let listener = try Listener(at: .ip4(0x7f00_0001, port: 0), loops: loops, security: .plain) {
            server.serve($0)
        }
        let reference = try nghttpd()
        defer { reference.process.terminate() }
        var rates: (two: [Double], one: [Double], other: [Double]) = ([], [], [])
        for _ in 0..<rounds {
            let own = listener.address.port
            rates.two.append(try rate([], own) { CPU.ofThreads(named: "loop-") })
            rates.one.append(try rate(["--h1"], own) { CPU.ofThreads(named: "loop-") })
            let process = reference.process.processIdentifier
            rates.other.append(try rate([], reference.port) { CPU.ofProcess(process) })
        }
        await listener.drain(within: .seconds(1))
        let unit = "requests per CPU second of the server"
        return [
            Figure("http.get.1k", value: median(rates.two), unit: unit, reference: median(rates.other)),
            Figure("http.get.1k.http1", value: median(rates.one), unit: unit, reference: median(rates.other)),
        ]
    }

    private func rate(_ options: [String], _ port: UInt16, _ cpu: () -> Double) throws -> Double {
        let start = cpu()
        let output = try Command.check(
            ["h2load", "-n", "\(requests)", "-c", "8", "-m", "16"] + options + ["http://127.0.0.1:\(port)/1k"]
        )
        let used = cpu() - start
        guard output.text.contains("\(requests) succeeded"), used > 0 else {
            throw CocoaError(.fileReadUnknown)
        }
        return Double(requests) / used
    }

    private func nghttpd() throws -> (process: Process, port: UInt16) {
        // nghttpd takes no port 0; a free one is found first.
        let probe = try EventLoops(count: 1)
        let free = try Listener(at: .ip4(0x7f00_0001, port: 0), loops: probe, security: .plain) {
            ByteStream($0)
        }
        let port = free.address.port
        probe.stop()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["nghttpd", "--no-tls", "-a", "127.0.0.1", "-d", folder.path, "\(port)"]
        process.environment = ["PATH": "/usr/bin:/bin:/usr/sbin:/sbin"]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        let end = ContinuousClock.now + .seconds(10)
        while ContinuousClock.now < end {
            let probe = try Command.run([
                "curl", "--silent", "--http2-prior-knowledge", "http://127.0.0.1:\(port)/1k",
            ])
            if probe.status == 0 { return (process, port) }
            usleep(20_000)
        }
        throw CocoaError(.fileReadUnknown)
    }
}
