// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRPC
import Protobuf
import TestPeers
import TestSupport
import Testing
import Transport

/// The service and the client that the room's doc comment shows.
@Suite struct ShownServiceTests {
    /// message Person { string name = 1; }
    struct Person: ProtobufMessage {
        var name = ""

        init(name: String) { self.name = name }

        init(reading reader: inout ProtobufReader) throws(ProtobufError) {
            while let field = try reader.next() {
                if field.number == 1 {
                    name = try reader.string(field, limit: 100)
                } else {
                    try reader.skip(field)
                }
            }
        }

        func write(to writer: inout ProtobufWriter) { writer.string(1, name) }
    }

    /// message Greeting { string text = 1; }
    struct Greeting: ProtobufMessage {
        var text = ""

        init(text: String) { self.text = text }

        init(reading reader: inout ProtobufReader) throws(ProtobufError) {
            while let field = try reader.next() {
                if field.number == 1 {
                    text = try reader.string(field, limit: 1000)
                } else {
                    try reader.skip(field)
                }
            }
        }

        func write(to writer: inout ProtobufWriter) { writer.string(1, text) }
    }

    @Test func compilesAndAnswers() async throws {
        let tls = try await TestTLS.make()
        let folder = tls.ca.path
        try FileManager.default.copyItem(atPath: tls.ca.certificate, toPath: folder + "/clients.crt")
        let address = Address.ip4(0x7f00_0001, port: 0)
        // shown:
        let health = HealthService(["", "demo.Greeter"])
        let greeter = Service(
            "demo.Greeter",
            [
                .unary("Greet", Person.self) { person, call in
                    guard let peer = call.peer else { throw CallStatus(.unauthenticated, "who are you?") }
                    return Greeting(text: "Hello, \(person.name), known as \(peer.uris)")
                },
                Method("Chat") { call in
                    while let message = try await call.next() { try await call.send(message) }
                },
            ])
        var settings = TLSSettings.server(
            certificates: .file("\(folder)/server.crt"), key: .file("\(folder)/server.key"),
            trust: .authorities(.file("\(folder)/clients.crt")))
        settings.applicationProtocols = ["h2"]
        let loops = try EventLoops()
        let server = Server([greeter, health.service])
        let listener = try Listener(at: address, loops: loops, security: .tls(TLSContext(settings))) {
            server.serve($0)
        }
        health.set(.serving, for: "demo.Greeter")
        // :shown
        let answer = try await greet(
            "127.0.0.1", listener.address.port, try tls.clientSecurity(), on: loops.all[0])
        #expect(answer == "Hello, Ada, known as [\"spiffe://test/client\"]")
        // shown:
        // ... until the program shall end:
        await listener.drain(within: .seconds(30))
        // :shown
        EchoServer.stop(loops)
    }

    private func greet(
        _ name: String, _ port: UInt16, _ security: Security, on loop: EventLoop
    ) async throws -> String {
        try await withCheckedThrowingContinuation { continuation in
            loop.spawn {
                do {
                    // shown:
                    let channel = Channel(
                        to: [.host(name, port: port)], on: loop, ChannelSettings(security: security))
                    let greeting = try await channel.unary(
                        "/demo.Greeter/Greet", Person(name: "Ada"), Greeting.self)
                    // :shown
                    channel.close()
                    continuation.resume(returning: greeting.text)
                } catch {
                    continuation.resume(throwing: error)
                }
            }
        }
    }

    @Test func isTheCodeOfTheComment() throws {
        let shown = try ShownCode.ofComments(in: "Sources/GRPC/GRPC.swift")
        #expect(!shown.isEmpty)
        #expect(try ShownCode.ofTest(in: "Tests/GRPCTests/ShownServiceTests.swift") == shown)
    }
}
