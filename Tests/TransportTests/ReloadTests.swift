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
        // The time stands still: what is cut off is cut off at once, however busy the machine is.
        let loops = try TestLoops(clock: ManualClock().clock)
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
        try context.reload(settings)
        await #expect(throws: TransportError.self) { try await second.receive() }
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

    /// An authority is replaced in two steps, both in one file and then the new one alone: nobody's stream is cut but
    /// those whose authority is gone.
    @Test func authoritiesAreReplaced() async throws {
        let tls = try await TestTLS.make()
        let next = try TestCA("next", in: tls.folder)
        let material = try next.issue("client", san: "URI:spiffe://test/client")
        let (oldText, newText) = (try tls.folder.read("ca/ca.crt"), try tls.folder.read("next/ca.crt"))
        let clients = try tls.folder.write("clients.crt", oldText)
        var settings = tls.server
        settings.trust = .authorities(.file(clients))
        let context = try TLSContext(settings)
        let loops = try TestLoops()
        let listener = try Listener(
            at: #require(Address("127.0.0.1", port: 0)), loops: loops.loops, security: .tls(context),
            handler: echo)
        var later = tls.client()
        later.certificates = .file(material.certificate)
        later.key = .file(material.key)
        func connect(_ settings: TLSSettings) async throws -> OpenStream {
            try await OpenStream(
                .host("127.0.0.1", port: listener.address.port), .tls(TLSContext(settings)),
                on: loops.loops.all[0], serverName: "server.test")
        }
        func lives(_ stream: OpenStream) async throws {
            try await stream.send("a")
            #expect(try await stream.receive() == "a")
        }

        let first = try await connect(tls.client())
        try await lives(first)
        let early = try await connect(later)
        await #expect(throws: TransportError.self) { try await early.receive() }

        try tls.folder.write("clients.crt", oldText + newText)
        try context.reload()
        let second = try await connect(later)
        try await lives(first)
        try await lives(second)

        try tls.folder.write("clients.crt", newText)
        try context.reload()
        await #expect(throws: TransportError.self) { try await first.receive() }
        try await lives(second)
        let late = try await connect(tls.client())
        await #expect(throws: TransportError.self) { try await late.receive() }
        second.close()
        await eventually { listener.connections == 0 }
    }
}
