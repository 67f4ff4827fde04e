// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import GRPC
import TestPeers
import Testing
import Transport

/// All kinds of call on bytes, and every way to fail.
enum Echo {
    static let service = Service(
        "test.Echo",
        [
            .unary("Say") { message, call in
                if let text = call.metadata["echo"] { call.trailers.append("echoed", text) }
                return message
            },
            .unary("Who") { _, call in
                let peer = call.peer
                let names =
                    (peer?.uris ?? []).map { "uri:" + $0 } + (peer?.dnsNames ?? []).map { "dns:" + $0 }
                return Array(names.joined(separator: " ").utf8)
            },
            .unary("Fail") { message, _ in
                let code = CallStatus.Code(rawValue: Int(message.first ?? 0)) ?? .unknown
                throw CallStatus(code, "as asked: 100 % wörtlich", details: [1, 2, 3])
            },
            .unary("Hang") { _, call in
                _ = try await call.next()
                while true { try await Task.sleep(for: .seconds(60)) }
            },
            .unary("Large") { message, _ in
                let size = message.reduce(0) { $0 << 8 | Int($1) }
                return [UInt8](repeating: 7, count: size)
            },
            Method("Repeat") { call in
                let message = try await call.onlyMessage()
                for _ in 0..<Int(message.first ?? 0) { try await call.send(message) }
            },
            Method("RepeatAndFail") { call in
                let message = try await call.onlyMessage()
                for _ in 0..<Int(message.first ?? 0) { try await call.send(message) }
                throw CallStatus(.aborted, "after all of them")
            },
            Method("Count") { call in
                var count = 0
                var bytes = 0
                while let message = try await call.next() {
                    count += 1
                    bytes += message.count
                }
                try await call.send(Array("\(count) \(bytes)".utf8))
            },
            Method("Talk") { call in
                while let message = try await call.next() { try await call.send(message) }
            },
            Method("Greet") { call in
                call.initialMetadata.append("greeting", "first")
                call.trailers = call.metadata
            },
        ])
}

/// A server on a port of its own, for one test.
struct EchoServer {
    let loops: EventLoops
    let server: Server
    let listener: Listener
    /// One for each that began.
    let connections = Notes()
    var port: UInt16 { listener.address.port }

    init(
        limits: ServerLimits = ServerLimits(), loops count: Int = 2, more: [Service] = [],
        tls: TestTLS? = nil, transport: TransportLimits = TransportLimits(),
        observe: @escaping @Sendable (ServerCall, CallStatus) -> Void = { _, _ in }
    ) throws {
        loops = try EventLoops(count: count)
        let server = Server([Echo.service] + more, limits: limits, observe: observe)
        self.server = server
        let security: Security = try tls.map { .tls(try TLSContext($0.forGRPC($0.server))) } ?? .plain
        let connections = connections
        listener = try Listener(
            at: .ip4(0x7f00_0001, port: 0), loops: loops, security: security, limits: transport
        ) { connection in
            connections.add("\(connection.remote)")
            return server.serve(connection)
        }
    }

    func stop() async {
        await listener.drain(within: .seconds(2))
        Self.stop(loops)
    }

    static func stop(_ loops: EventLoops) { loops.stop() }

    /// Runs `body` with a channel to the server, on a loop.
    func withChannel<Result: Sendable>(
        _ settings: ChannelSettings = ChannelSettings(security: .plain),
        _ body: @escaping @Sendable (Channel) async throws -> Result
    ) async throws -> Result {
        try await onLoop(loops.all[0], to: [.host("127.0.0.1", port: port)], settings, body)
    }
}

extension TestTLS {
    func forGRPC(_ settings: TLSSettings) -> TLSSettings {
        var settings = settings
        settings.applicationProtocols = ["h2"]
        return settings
    }

    func clientSecurity(_ name: String = "client") throws -> Security {
        .tls(try TLSContext(forGRPC(client(name))))
    }
}

/// Runs `body` on a loop with a channel to these endpoints.
func onLoop<Result: Sendable>(
    _ loop: EventLoop, to endpoints: [Endpoint],
    _ settings: ChannelSettings = ChannelSettings(security: .plain),
    _ body: @escaping @Sendable (Channel) async throws -> Result
) async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
        loop.spawn {
            let channel = Channel(to: endpoints, on: loop, settings)
            do {
                let result = try await body(channel)
                channel.close()
                continuation.resume(returning: result)
            } catch {
                channel.close()
                continuation.resume(throwing: error)
            }
        }
    }
}

/// The status that a call ends with; nil when it succeeds.
func status(of call: () async throws -> Void) async -> CallStatus? {
    do {
        try await call()
        return nil
    } catch {
        return error as? CallStatus ?? CallStatus(.unknown, "not a status: \(error)")
    }
}

/// What was told from other threads.
final class Notes: Sendable {
    private let notes = Lock<[String]>([])
    var all: [String] { notes.withLock { $0 } }
    func add(_ note: String) { notes.withLock { $0.append(note) } }
}
