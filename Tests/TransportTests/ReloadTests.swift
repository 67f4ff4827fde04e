// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Foundation
import TestPeers
import TestSupport
import Testing
import Transport

/// A client's stream that stays open, used from any task.
final class OpenStream: Sendable {
    let bound: LoopBound<ByteStream>
    private var loop: EventLoop { bound.loop }

    init(_ endpoint: Endpoint, _ security: Security, on loop: EventLoop, serverName: String? = nil)
        async throws
    {
        let box = StreamBox()
        _ = try await Connector(security: security).connect(to: endpoint, serverName: serverName, on: loop) {
            let stream = ByteStream($0)
            box.bound.withLock { $0 = LoopBound(stream, on: loop) }
            return stream
        }
        bound = try #require(box.bound.withLock { $0 })
    }

    func send(_ text: String) async throws {
        let bound = bound
        try await Task(executorPreference: loop) { try await bound.value.write(Array(text.utf8)) }.value
    }

    /// The next bytes; "" at the end.
    func receive() async throws -> String {
        let bound = bound
        return try await Task(executorPreference: loop) {
            String(decoding: try await bound.value.read() ?? [], as: UTF8.self)
        }.value
    }

    func close() {
        let bound = bound
        loop.execute { bound.value.connection.close() }
    }
}

@Suite struct ReloadTests {
    /// New handshakes see the new material while a stream that began before lives on; a peer that is revoked since then
    /// is cut off.
    @Test func reload() async throws {
        let tls = try await TestTLS.make()
        try tls.ca.issue("second", san: "URI:spiffe://test/second")
        try tls.ca.issue("replacement", san: "DNS:server.test")
        let context = try TLSContext(tls.server)
        let loops = try TestLoops()
        let loop = loops.loops.all[0]
        let ends = Ends()
        let listener = try Listener(
            at: #require(Address("127.0.0.1", port: 0)), loops: loops.loops, security: .tls(context),
            ended: { _, reason in ends.add(reason) }, handler: echo)
        let endpoint = Endpoint.host("127.0.0.1", port: listener.address.port)
        func connect(_ name: String) async throws -> OpenStream {
            try await OpenStream(
                endpoint, .tls(TLSContext(tls.client(name))), on: loop, serverName: "server.test")
        }
        func serverCertificate(_ stream: OpenStream) async -> [UInt8] {
            let bound = stream.bound
            return await Task(executorPreference: loop) { bound.value.connection.peer?.fingerprint ?? [] }
                .value
        }

        let first = try await connect("client")
        let second = try await connect("second")
        for stream in [first, second] {
            try await stream.send("a")
            #expect(try await stream.receive() == "a")
        }
        #expect(await serverCertificate(first) == (try tls.fingerprint("server")))

        // Material that is not whole changes nothing.
        try FileManager.default.removeItem(atPath: tls.file("server.key"))
        #expect(throws: (any Error).self) { try context.reload() }
        var settings = tls.server
        settings.certificates = .file(tls.file("replacement.crt"))
        settings.key = .file(tls.file("replacement.key"))
        try context.reload(settings)
        let third = try await connect("client")
        #expect(await serverCertificate(third) == (try tls.fingerprint("replacement")))
        for stream in [first, second, third] {
            try await stream.send("b")
            #expect(try await stream.receive() == "b")
        }

        try tls.ca.revoke("second")
        settings.revocations = [.file(try tls.ca.revocationList())]
        let start = ContinuousClock.now
        try context.reload(settings)
        await #expect(throws: TransportError.self) { try await second.receive() }
        #expect(ContinuousClock.now - start < .seconds(1))
        await eventually { !ends.reasons.isEmpty }
        #expect(ends.reasons == [.peerRefused])
        let fourth = try await connect("second")
        await #expect(throws: TransportError.self) { try await fourth.receive() }

        settings.denied = [.serial(try tls.serial("client"), authority: try tls.fingerprint("ca"))]
        try context.reload(settings)
        await #expect(throws: TransportError.self) { try await first.receive() }
        await #expect(throws: TransportError.self) { try await third.receive() }
        await eventually { listener.connections == 0 }
    }
}
