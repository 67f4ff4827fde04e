// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRPC
import TestPeers
import TestSupport
import Testing
import Transport

/// Mutual TLS with our own peer and with two versions of grpcio: today's and Debian's 1.51.
@Suite struct TLSTests {
    @Test func handlerSeesWhoCalls() async throws {
        let tls = try await TestTLS.make()
        let server = try EchoServer(tls: tls)
        try await server.withChannel(ChannelSettings(security: try tls.clientSecurity())) { channel in
            let who = try await channel.unary("/test.Echo/Who", [])
            #expect(String(decoding: who, as: UTF8.self) == "uri:spiffe://test/client dns:client.test")
        }
        await server.stop()
    }

    @Test func callerWithoutACertificateIsUnavailable() async throws {
        let tls = try await TestTLS.make()
        let server = try EchoServer(tls: tls)
        let bare = TLSSettings.client(trust: .authorities(.file(tls.ca.certificate)))
        let settings = ChannelSettings(security: .tls(try TLSContext(tls.forGRPC(bare))))
        let end = try await server.withChannel(settings) { channel in
            await status {
                _ = try await channel.unary("/test.Echo/Who", [], CallOptions(timeout: .seconds(60)))
            }
        }
        #expect(end?.status == .unavailable)
        await server.stop()
    }

    @Test(arguments: Python.allCases, [false, true])
    func grpcioCallsEveryKind(_ python: Python, secure: Bool) async throws {
        let tls = try await TestTLS.make()
        let server = try EchoServer(tls: secure ? tls : nil)
        let material =
            secure ? [tls.ca.certificate, tls.file("client.crt"), tls.file("client.key")] : ["", "", ""]
        let arguments =
            [python.path, Repository.path("Tests/Python/grpcio_client.py"), "127.0.0.1:\(server.port)"]
            + material
            + ["10000"]
        let output = try await apart { try Command.check(arguments).text }
        let lines = output.split(separator: "\n").map(String.init)
        #expect(lines.dropFirst() == ["OK"])
        #expect(python.isNamed(by: lines.first))
        // All of it on one connection.
        #expect(server.connections.all.count == 1)
        await server.stop()
    }

    @Test(arguments: Python.allCases, [false, true])
    func callsGrpcioWithEveryKind(_ python: Python, secure: Bool) async throws {
        let tls = try await TestTLS.make()
        let material = secure ? [tls.ca.certificate, tls.file("server.crt"), tls.file("server.key")] : []
        let companion = try python.run("grpcio_server.py", material)
        let line = try await apart { companion.readLine() }
        let port = try #require(line.flatMap { UInt16($0) })
        let loops = try EventLoops(count: 1)
        let security = secure ? try tls.clientSecurity() : .plain
        try await onLoop(
            loops.all[0], to: [.host("127.0.0.1", port: port)], ChannelSettings(security: security)
        ) { channel in
            try await PythonTests.callEveryKind(channel)
        }
        EchoServer.stop(loops)
        companion.end()
    }

    /// Our server drains while clients of both versions call it all the time: they go on at the other one, and no call
    /// fails.
    @Test(arguments: Python.allCases) func drainFailsNoCallOfGrpcio(_ python: Python) async throws {
        let servers = try (0..<2).map { _ in try EchoServer(loops: 1) }
        let target = "ipv4:" + servers.map { "127.0.0.1:\($0.port)" }.joined(separator: ",")
        let companion = try python.run("grpcio_drain.py", [target])
        let ready = try await apart { companion.readLine() }
        #expect(ready == "ready")
        await servers[0].listener.drain(within: .seconds(20))
        companion.write("enough")
        let end = try await apart { companion.readLine() }
        #expect(end == "OK")
        companion.end()
        EchoServer.stop(servers[0].loops)
        await servers[1].stop()
    }
}
