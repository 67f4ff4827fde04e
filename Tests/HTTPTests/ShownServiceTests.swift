// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Foundation
import HTTP
import TestSupport
import Testing
import Transport

/// The service that the room's doc comment shows.
@Suite struct ShownServiceTests {
    // shown:
    struct Note: Codable { var text: String }
    // :shown

    actor Notes {
        private var all: [Note] = []

        func add(_ note: Note) -> Note {
            all.append(note)
            return note
        }

        func find(_ id: Int) -> Note? { all.indices.contains(id) ? all[id] : nil }
    }

    @Test func compilesAndAnswers() async throws {
        let authority = try Authority()
        let folder = authority.file("")
        try FileManager.default.copyItem(
            atPath: authority.file("ca.crt"), toPath: authority.file("clients.crt"))
        let address = Address.ip4(0x7f00_0001, port: 0)
        let notes = Notes()
        // shown:

        var router = Router()
        router.get("/notes/{id}") { request in
            guard let note = await notes.find(try request.path("id", as: Int.self)) else {
                throw HTTPError(.notFound, "no such note")
            }
            return try request.conditional(.json(note))
        }
        router.post("/notes", Route.Options(body: 16 << 10)) { request in
            try .json(await notes.add(try await request.json(Note.self)), status: .created)
        }

        var settings = TLSSettings.server(
            certificates: .file("\(folder)/server.crt"), key: .file("\(folder)/server.key"),
            trust: .authorities(.file("\(folder)/clients.crt")))
        settings.applicationProtocols = Server.applicationProtocols
        let loops = try EventLoops()
        let server = Server(router)
        let listener = try Listener(at: address, loops: loops, security: .tls(TLSContext(settings))) {
            server.serve($0)
        }
        // :shown
        let service = ClientService(.host("127.0.0.1", port: listener.address.port), serverName: "localhost")
        let client = Client(
            of: service, on: loops.all[0],
            connector: Connector(security: .tls(try TLSContext(authority.client))))
        let made = try await client.send(.json(.post, "/notes", Note(text: "first")))
        #expect(made.status == .created)
        let found = try await client.send(ClientRequest(.get, "/notes/0"))
        #expect(try found.json(Note.self).text == "first")
        let none = try await client.send(ClientRequest(.get, "/notes/1"))
        #expect(none.status == .notFound)
        client.close()
        // shown:
        // ... until the program shall end:
        await listener.drain(within: .seconds(10))
        // :shown
        Self.stop(loops)
    }

    private static func stop(_ loops: EventLoops) { loops.stop() }

    @Test func isTheCodeOfTheComment() throws {
        let shown = try ShownCode.ofComments(in: "Sources/HTTP/HTTP.swift")
        #expect(!shown.isEmpty)
        #expect(try ShownCode.ofTest(in: "Tests/HTTPTests/ShownServiceTests.swift") == shown)
    }
}
