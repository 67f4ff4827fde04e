// SPDX-License-Identifier: Apache-2.0

import Cryptography
import Diagnostics
import GRPC
import SigningProtocol
import TestSupport
import Testing
import Transport

/// The two halves against one another and against Python.
@Suite struct CallTests {
    /// Signs by turning the content round; the key `none` does not exist.
    struct Mirror: SigningHandler {
        func sign(_ call: SignCall) async throws {
            var parts: [UniqueID: [UInt8]] = [:]
            while let request = try await call.next() {
                guard request.kind != "stop" else {
                    throw Failure(.unavailable, "closed", retryAfter: .seconds(3))
                }
                guard case .content(let content) = request.claim else { continue }
                parts[request.job, default: []] += content
                guard !request.more, let whole = parts.removeValue(forKey: request.job) else { continue }
                let outcome: SignReply.Outcome = await .init {
                    if request.key == "none" { throw CallStatus(.notFound, "no key none") }
                    return MadeSignature(
                        signature: whole.count > 100 ? [UInt8(whole.count >> 20)] : whole.reversed(),
                        keyID: request.job, keyVersion: 1,
                        fingerprint: [1], created: 2, digest: "sha256", contentDigest: [3], server: "a",
                        sequence: 9,
                        isStored: false)
                }
                try await call.send(SignReply(job: request.job, outcome))
            }
        }

        func describeKey(_ request: DescribeKeyRequest, _ call: ServerCall) async throws -> KeyDescription {
            guard request.key != "none" else { throw Failure(.notFound, "no key none") }
            return try Self.key(request.key)
        }

        func listKeys(_ request: ListKeysRequest, _ call: ServerCall) async throws -> ListKeysReply {
            let start = Int(request.pageToken) ?? 0
            let end = min(start + request.limit, 5)
            return ListKeysReply(
                keys: try (start..<end).map { try Self.key("k\($0)") }, nextPageToken: end < 5 ? "\(end)" : ""
            )
        }

        static func key(_ name: String) throws -> KeyDescription {
            KeyDescription(
                id: try .random(), name: name, version: 1, scheme: "openpgp", algorithm: "ed25519",
                state: "enabled", fingerprint: [7], created: 1, expires: nil, kinds: ["rpm", "generic"],
                certificate: [0xab])
        }
    }

    struct Running {
        let loops: EventLoops
        let listener: Listener

        init() throws {
            loops = try EventLoops(count: 1)
            let server = Server([.signing(Mirror())], limits: SigningLimits.server)
            listener = try Listener(at: .ip4(0x7f00_0001, port: 0), loops: loops, security: .plain) {
                server.serve($0)
            }
        }

        func stop() async {
            await listener.drain(within: .seconds(2))
            Self.stop(loops)
        }

        static func stop(_ loops: EventLoops) { loops.stop() }
    }

    @Test func bothHalvesUnderstandEachOther() async throws {
        let running = try Running()
        let port = running.listener.address.port
        let task = running.loops.all[0].spawn { [loop = running.loops.all[0]] in
            let channel = Channel(
                to: [.host("127.0.0.1", port: port)], on: loop, ChannelSettings(security: .plain))
            defer { channel.close() }
            do { try await Self.talk(SigningChannel(channel)) } catch { Issue.record(error) }
        }
        await task.value
        await running.stop()
    }

    static func talk(_ signing: SigningChannel) async throws {
        let stream = try await signing.sign()
        let jobs = try (0..<3).map { _ in try UniqueID.random() }
        try await stream.send(whole: SignRequest(job: jobs[0], key: "a", kind: "rpm", .content([1, 2, 3])))
        try await stream.send(whole: SignRequest(job: jobs[1], key: "none", kind: "rpm", .content([1])))
        let large = [UInt8](repeating: 7, count: 3 * SigningLimits.part + 5)
        try await stream.send(whole: SignRequest(job: jobs[2], key: "a", kind: "rpm", .content(large)))
        stream.finishSending()
        var replies: [SignReply] = []
        while let reply = try await stream.next() { replies.append(reply) }
        #expect(replies.map(\.job) == jobs)
        #expect(try replies[0].outcome.get().signature == [3, 2, 1])
        #expect(throws: Failure(.notFound, "no key none")) { try replies[1].outcome.get() }
        #expect(try replies[2].outcome.get().signature == [3])

        let stopped = try await signing.sign()
        try await stopped.send(SignRequest(job: jobs[0], key: "a", kind: "stop", .content([])))
        await #expect(throws: Failure(.unavailable, "closed", retryAfter: .seconds(3))) {
            try await stopped.next()
        }

        let key = try await signing.describeKey("release")
        #expect(key.name == "release" && key.kinds == ["rpm", "generic"])
        await #expect(throws: Failure(.notFound, "no key none")) { try await signing.describeKey("none") }
        let page = try await signing.listKeys(ListKeysRequest(pageSize: 2, pageToken: "1"))
        #expect(page.keys.map(\.name) == ["k1", "k2"])
        #expect(page.nextPageToken == "3")
    }

    @Test func pythonIsAClient() async throws {
        let running = try Running()
        let stubs = try PythonStubs()
        let client = try Companion(
            python: "signing_client.py", [stubs.path, "127.0.0.1:\(running.listener.address.port)"])
        let job = String(repeating: "0a", count: 16)
        client.write("sign a rpm 010203 \(job)")
        #expect(client.readLine() == "\(job) ok 030201 stored=0 9")
        client.write("sign none rpm 01 \(job)")
        #expect(client.readLine() == "\(job) not-found - no key none")
        client.write("part a rpm 01 02 03")
        #expect(client.readLine()?.hasSuffix(" ok 030201 stored=0 9") == true)
        client.write("sign a stop -")
        #expect(client.readLine() == "end UNAVAILABLE closed")
        client.write("describe release")
        #expect(client.readLine() == "release 1 openpgp ed25519 enabled rpm generic ab")
        client.write("describe none")
        #expect(client.readLine() == "failed NOT_FOUND no key none")
        client.write("list 2")
        #expect(client.readLine() == "keys k0 k1 k2 k3 k4")
        client.end()
        await running.stop()
    }
}
