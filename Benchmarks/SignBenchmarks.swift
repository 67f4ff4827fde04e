// SPDX-License-Identifier: Apache-2.0

internal import Cryptography
internal import Foundation
internal import GRPC
internal import Keyring
internal import Signatures
internal import SigningFarm
internal import SigningProtocol
internal import TestPeers
internal import TestSupport
internal import Transport

extension Benchmark {
    static let signBenchmarks = [
        Benchmark(name: "sign.capacity") { try await SignBench().run() }
    ]
}

/// What one data-server signs a core: detached OpenPGP signatures over contents of 1 KiB, on one stream of one client
/// over mutual TLS, each recorded in a MariaDB that syncs every commit. Beside it the bare limit: signing and verifying
/// such a digest again and again on the same core.
///
/// Both are per second of CPU, user's and system's alike, so that what else runs on the machine cancels out. Of the
/// server's process all threads count, those that speak with the database too. `.machine` has the time of the database
/// server's process on top of it: what a signature costs where both run on the same cores. The client's time is nobody's.
/// Rounds of the limit stand before and after each round of the server.
private struct SignBench {
    static let client = "spiffe://test/client"
    /// Jobs in flight on the stream.
    static let window = 256
    let rounds = 5
    let content = [UInt8](repeating: 0x61, count: 1024)

    func run() async throws -> [Figure] {
        let farm = try await SigningFarm()
        let plans: [(name: String, algorithm: KeyAlgorithm, jobs: Int)] = [
            ("rsa2048", .rsa2048, 8_000), ("rsa4096", .rsa4096, 700), ("ed25519", .ed25519, 30_000),
        ]
        var keys: [KeyRecord] = []
        for plan in plans { keys.append(try await farm.addOpenPGP("bench-\(plan.name)", plan.algorithm)) }
        try await farm.grant(keys, [.generic], to: Self.client)
        let settings = try farm.settings("data-1", lines: "loops = 1")
        let program = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().path
        let server = try RunningServer(
            settings: settings, before: ["taskset", "-c", "\(Cores.last)"], program: program + "/data-server")
        let loops = try EventLoops(count: 1)
        var tls = farm.tls.client()
        tls.applicationProtocols = ["h2"]
        let context = try TLSContext(tls)
        var figures: [Figure] = []
        for (plan, key) in zip(plans, keys) {
            let bare = try Bare(plan.algorithm)
            var rates: (server: [Double], machine: [Double], bare: [Double]) = ([], [], [])
            func measure() -> (server: Double, machine: Double) {
                let own = Cores.time(of: server.process.identifier)
                return (own, own + Cores.time(of: farm.database.process))
            }
            // The first round warms up.
            try await load(plan.jobs, key.name.text, server.port, context, loops.all[0])
            rates.bare.append(bare.rate())
            for _ in 0..<rounds {
                let start = measure()
                try await load(plan.jobs, key.name.text, server.port, context, loops.all[0])
                let end = measure()
                rates.server.append(Double(plan.jobs) / (end.server - start.server))
                rates.machine.append(Double(plan.jobs) / (end.machine - start.machine))
                rates.bare.append(bare.rate())
            }
            for (name, values) in [("", rates.server), (".machine", rates.machine)] {
                figures.append(
                    Figure(
                        "sign.capacity.\(plan.name)\(name)", value: median(values),
                        unit: "signatures per CPU second", reference: median(rates.bare)))
            }
        }
        stop(loops)
        server.process.end()
        return figures
    }

    /// Has that many contents signed on one stream.
    private func load(
        _ count: Int, _ key: String, _ port: UInt16, _ context: TLSContext, _ loop: EventLoop
    ) async throws {
        let content = content
        try await Task(executorPreference: loop) {
            let channel = Channel(
                to: [.host("127.0.0.1", port: port)], on: loop, ChannelSettings(security: .tls(context)))
            defer { channel.close() }
            let stream = try await SigningChannel(channel).sign()
            var (sent, received) = (0, 0)
            while received < count {
                while sent < count, sent - received < Self.window {
                    try await stream.send(
                        SignRequest(job: .random(), key: key, kind: "generic", .content(content)))
                    sent += 1
                }
                guard let reply = try await stream.next() else { throw CocoaError(.fileReadUnknown) }
                _ = try reply.outcome.get()
                received += 1
            }
            stream.finishSending()
        }.value
    }

    private func stop(_ loops: EventLoops) { loops.stop() }
}

/// Signing and verifying, and nothing else.
private struct Bare: Sendable {
    let handle: SigningHandle
    let digest: Digest

    init(_ algorithm: KeyAlgorithm) throws {
        let key = try PrivateKey.generate(algorithm)
        handle = try SigningHandle(key, algorithm == .ed25519 ? .ed25519 : .rsaPKCS1(.sha256))
        let content = [UInt8](repeating: 0x61, count: 1024)
        digest = Digest(hashing: content.span, with: .sha256)
    }

    func rate() -> Double {
        Cores.rate(.processor, on: [Cores.last], seconds: 1) {
            if handle.algorithm == .ed25519 {
                _ = digest.withBytes { bytes in try? handle.signAndVerify(message: bytes) }
            } else {
                _ = try? handle.signAndVerify(digest)
            }
        }
    }
}
