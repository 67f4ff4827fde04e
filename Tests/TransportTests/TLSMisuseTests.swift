// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestPeers
import TestSupport
import Testing

@testable import Transport

/// What TLS offers and a server that wants to know its peers must not take: early data, sessions to go on with,
/// renegotiation, compression, and new keys without end.
@Suite struct TLSMisuseTests {
    /// A listener that notes what it received and sends it back.
    struct Bench {
        let tls: TestTLS
        let loops: TestLoops
        let record = Record()
        let ends = Ends()
        let listener: Listener

        init(older: Bool = false) async throws {
            tls = try await TestTLS.make()
            loops = try TestLoops()
            var settings = tls.server
            settings.allowsTLS12 = older
            let (record, ends) = (record, ends)
            listener = try Listener(
                at: .ip4(0x7f00_0001, port: 0), loops: loops.loops, security: .tls(TLSContext(settings)),
                ended: { _, reason in ends.add(reason) }
            ) { connection in
                ByteStream(connection) { stream in
                    while let bytes = try await stream.read() {
                        record.add(String(decoding: bytes, as: UTF8.self))
                        try await stream.write(bytes)
                    }
                }
            }
        }

        /// `openssl s_client` with the client's certificate, in the folder of the material.
        func arguments(port: UInt16? = nil, _ more: String...) -> [String] {
            [
                "openssl", "s_client", "-connect",
                "127.0.0.1:\(port ?? listener.address.port)", "-servername", "server.test", "-CAfile",
                tls.file("ca.crt"), "-cert", tls.file("client.crt"), "-key", tls.file("client.key"),
            ] + more
        }

        /// Says a word, ends the client when it prints `until`, and returns all that it wrote.
        func talk(_ arguments: [String], word: String = "", until: String) async throws -> String {
            let client = try Companion(["timeout", "60"] + arguments)
            if !word.isEmpty { client.write(word) }
            return try await apart {
                var seen = ""
                while let line = client.readLine() {
                    seen += line + "\n"
                    if line.contains(until) { client.write("Q") }
                }
                return seen + client.errorText
            }
        }
    }

    /// A client that has a session which allows early data (of another server with the same certificate) sends it: it
    /// is not read, and the session is not gone on with.
    @Test func earlyDataIsNotRead() async throws {
        let bench = try await Bench()
        let (session, early) = (bench.tls.file("session.pem"), bench.tls.file("early"))
        let port = try unusedPort()
        let willing = try Companion([
            "openssl", "s_server", "-accept", "127.0.0.1:\(port)", "-cert", bench.tls.file("server.crt"),
            "-key", bench.tls.file("server.key"), "-early_data", "-max_early_data", "100000",
        ])
        defer { willing.end() }
        let listens = try await apart {
            while let line = willing.readLine() { if line == "ACCEPT" { return true } }
            return false
        }
        #expect(listens)
        try Data("early words".utf8).write(to: URL(fileURLWithPath: early))
        // s_server looks at what comes behind the handshake only when more comes.
        let asking = try Companion(bench.arguments(port: port, "-sess_out", session))
        await eventually {
            asking.write("more")
            return (try? String(contentsOfFile: session, encoding: .utf8))?.contains("END SSL") == true
        }
        // Without a proper end s_server would forget the session.
        let ended = Counter()
        let reading = Task {
            try await apart { while asking.readLine() != nil {} }
            ended.add(1)
        }
        await eventually {
            asking.write("Q")
            return ended.value == 1
        }
        try await reading.value
        let taken = try await bench.talk(
            bench.arguments(port: port, "-sess_in", session, "-early_data", early), until: "Early data was")
        #expect(taken.contains("Early data was accepted"), "\(taken)")

        let refused = try await bench.talk(
            bench.arguments("-sess_in", session, "-early_data", early), word: "later words",
            until: "later words")
        #expect(refused.contains("Early data was rejected"), "\(refused)")
        #expect(refused.contains("New, TLSv1.3") && !refused.contains("Reused"))
        #expect(bench.record.all.joined() == "later words\n")
    }

    /// No ticket comes, so there is nothing that a client could keep.
    @Test(arguments: ["-tls1_3", "-tls1_2"]) func noSessionIsGiven(_ version: String) async throws {
        let bench = try await Bench(older: true)
        let session = bench.tls.file("session.pem")
        let seen = try await bench.talk(
            bench.arguments(version, "-sess_out", session), word: "word", until: "word")
        #expect(seen.contains("Compression: NONE"))
        #expect(!seen.contains("TLS session ticket"))
        // TLS 1.2 has sessions without tickets as well; the server's has no name to be found by.
        guard FileManager.default.fileExists(atPath: session) else { return }
        let again = try await bench.talk(
            bench.arguments(version, "-sess_in", session), word: "word", until: "word")
        #expect(!again.contains("Reused"), "\(again)")
    }

    @Test func renegotiationIsRefused() async throws {
        let bench = try await Bench(older: true)
        let client = try Companion(bench.arguments("-tls1_2"))
        client.write("word")
        let heard = try await apart {
            while let line = client.readLine() { if line.hasSuffix("word") { return true } }
            return false
        }
        #expect(heard)
        client.write("R")
        let rest = try await apart { client.readLine() }
        _ = rest
        await eventually { client.errorText.contains("no renegotiation") }
        #expect(client.errorText.contains("RENEGOTIATING"))
        await eventually { bench.listener.connections == 0 }
        #expect(bench.record.all.joined() == "word\n")
    }

    /// A hello that offers DEFLATE before none, as no client of today does.
    @Test func compressionIsNotTaken() async throws {
        let bench = try await Bench(older: true)
        func answer(compressions: [UInt8]) async throws -> [UInt8] {
            let extensions: [UInt8] = [
                0, 10, 0, 4, 0, 2, 0, 23,  // groups: P-256
                0, 11, 0, 2, 1, 0,  // points: uncompressed
                0, 13, 0, 4, 0, 2, 4, 3,  // signatures: ECDSA with SHA-256
            ]
            var hello: [UInt8] = [3, 3] + [UInt8](repeating: 7, count: 32) + [0, 0, 2, 0xc0, 0x2b]
            hello += [UInt8(compressions.count)] + compressions + [0, UInt8(extensions.count)] + extensions
            let bytes = [22, 3, 1, 0, UInt8(hello.count + 4), 1, 0, 0, UInt8(hello.count)] + hello
            return try await exchange(
                bytes, with: .host("127.0.0.1", port: bench.listener.address.port),
                on: bench.loops.loops.all[0])
        }
        // Behind the heads of record and message: version, random, session, suite.
        let taken = try await answer(compressions: [1, 0])
        #expect(taken.first == 22 && taken.dropFirst(5).first == 2, "\(taken)")
        let place = 9 + 2 + 32
        let session = Int(taken.dropFirst(place).first ?? 0)
        #expect(Array(taken.dropFirst(place + 1 + session).prefix(3)) == [0xc0, 0x2b, 0])
        // Only DEFLATE: an alert, and no hello.
        #expect(try await answer(compressions: [1]).first == 21)
    }

    @Test func aFewNewKeysAreFine() async throws {
        let bench = try await Bench()
        let client = try Companion(bench.arguments())
        for round in 1...12 {
            client.write(round.isMultiple(of: 2) ? "k" : "K")
            await eventually { client.errorText.split(separator: "KEYUPDATE").count > round }
        }
        client.write("word")
        let heard = try await apart {
            while let line = client.readLine() { if line.hasSuffix("word") { return true } }
            return false
        }
        #expect(heard)
        client.end()
    }

    /// New keys without end, from a client that reads nothing: it is cut off, and others do not notice.
    @Test(arguments: [0, 1]) func floodOfNewKeysIsCutOff(asks: Int) async throws {
        let bench = try await Bench()
        let honest = try await OpenStream(
            .host("127.0.0.1", port: bench.listener.address.port), .tls(TLSContext(bench.tls.client())),
            on: bench.loops.loops.all[0], serverName: "server.test")
        try await honest.send("before")
        #expect(try await honest.receive() == "before")
        let output = try await command(
            [
                Command.pythonPath, Repository.path("Tests/Python/key_updates.py"),
                "\(bench.listener.address.port)", "10000000", "\(asks)",
            ], folder: bench.tls.ca.path)
        #expect(output.text == "cut\n", "\(output.errorText)")
        await eventually { bench.listener.connections == 1 }
        #expect("\(bench.ends.reasons)".contains("more handshake messages"))
        try await honest.send("after")
        #expect(try await honest.receive() == "after")
        honest.close()
    }

    private func unusedPort() throws -> UInt16 {
        let loops = try TestLoops(1)
        let listener = try Listener(
            at: .ip4(0x7f00_0001, port: 0), loops: loops.loops, security: .plain, handler: echo)
        return listener.address.port
    }
}
