// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Foundation
import HTTP
import HTTP2
import TestSupport
import Testing
import Transport

/// A service that answers each connection with fixed bytes, whatever it is asked.
final class Scripted: Sendable {
    let listener: Listener
    let loops: EventLoops
    private let heard: Heard

    /// The answer to the first connection, the second and so on; the last stays. An empty one closes at once.
    init(_ answers: [String], closes: Bool = true) throws {
        loops = try EventLoops(count: 1)
        let number = Lock(0)
        let address = Address("127.0.0.1", port: 0) ?? .unix("")
        let heard = Heard()
        self.heard = heard
        listener = try Listener(at: address, loops: loops, security: .plain) { connection in
            let answer = number.withLock { number in
                defer { number += 1 }
                return answers[min(number, answers.count - 1)]
            }
            return ByteStream(connection) { stream in
                guard let first = try await stream.read() else { return }
                heard.texts.withLock { $0.append(String(decoding: first, as: UTF8.self)) }
                try await stream.write(Array(answer.utf8))
                if !closes { while try await stream.read() != nil {} }
            }
        }
    }

    private final class Heard: Sendable {
        let texts = Lock<[String]>([])
    }

    var count: Int { heard.texts.withLock { $0.count } }
    var endpoint: Endpoint { .host("127.0.0.1", port: listener.address.port) }

    func client(_ adapt: (inout Client.Limits) -> Void = { _ in }) -> Client {
        var limits = Client.Limits()
        limits.retry.first = .milliseconds(1)
        limits.retry.most = .milliseconds(1500)
        adapt(&limits)
        return Client(
            of: ClientService(endpoint), on: loops.all[0], connector: Connector(security: .plain),
            limits: limits)
    }

    deinit { Self.stop(loops) }
    private static func stop(_ loops: EventLoops) { loops.stop() }
}

@Suite struct ClientTests {
    static func client(
        _ desk: DeskServer, _ connector: Connector = Connector(security: .plain), name: String? = nil
    )
        -> Client
    {
        Client(
            of: ClientService(desk.endpoint, serverName: name), on: desk.loops.all[0], connector: connector)
    }

    @Test func asksOverTCP() async throws {
        let desk = try DeskServer()
        let client = Self.client(desk)
        let note = try await client.send(ClientRequest(.get, "/notes/5"))
        #expect(note.status == .ok)
        #expect(try note.json(Note.self) == Note(id: 5, text: "note"))
        let made = try await client.send(.json(.put, "/notes/7", Note(id: 7, text: "ü")))
        #expect(made.status == .created)
        let found = try await client.send(ClientRequest(.get, "/search", query: [("q", "a&b c/+")]))
        #expect(String(decoding: found.body, as: UTF8.self) == "a&b c/+ 1")
        let parts = try await client.send(ClientRequest(.get, segments: ["notes", "a b", "parts", "ü?"]))
        #expect(String(decoding: parts.body, as: UTF8.self) == "a b ü?")
        let head = try await client.send(ClientRequest(.head, "/notes/5"))
        #expect(head.body.isEmpty && head.fields["content-length"] == "\(note.body.count)")
        let missing = try await client.send(ClientRequest(.get, "/nowhere"))
        #expect(missing.status == .notFound)
        let stream = try await client.send(ClientRequest(.get, "/stream/100"))
        #expect(stream.body.count == 100_000)
        // All over the same connection.
        #expect(desk.listener.connections == 1)
    }

    @Test func asksOverUnixSockets() async throws {
        let folder = try TemporaryFolder()
        let desk = try DeskServer(at: .unix(folder.path + "/s"))
        let answer = try await Self.client(desk).send(ClientRequest(.get, "/"))
        #expect(String(decoding: answer.body, as: UTF8.self) == "root")
    }

    @Test func manyAtOnceShareAFewConnections() async throws {
        let desk = try DeskServer()
        let client = Self.client(desk)
        try await withThrowingTaskGroup(of: Status.self) { group in
            for number in 0..<200 {
                group.addTask { try await client.send(ClientRequest(.get, "/notes/\(number % 100)")).status }
            }
            for try await status in group { #expect(status == .ok) }
        }
        #expect(desk.listener.connections <= 8)
    }

    struct Reply: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var text: String
        /// The code of the error, or nil for an answer.
        var code: ErrorCode?
        var body = ""
    }

    static let replies: [Reply] = [
        Reply(testDescription: "plain", text: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", body: "ok"),
        Reply(testDescription: "until the end", text: "HTTP/1.1 200 OK\r\n\r\nall of it", body: "all of it"),
        Reply(
            testDescription: "informational first",
            text: "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
        Reply(
            testDescription: "a redirect is an answer",
            text: "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"),
        Reply(
            testDescription: "chunks",
            text: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", body: "a"),
        Reply(
            testDescription: "both lengths",
            text:
                "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
            code: .answerInvalid),
        Reply(
            testDescription: "cut short", text: "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab",
            code: .answerInvalid),
        Reply(testDescription: "a cut head", text: "HTTP/1.1 200 OK\r\nContent", code: .answerInvalid),
        Reply(testDescription: "no HTTP", text: "SSH-2.0-OpenSSH\r\n\r\n", code: .answerInvalid),
        Reply(
            testDescription: "a switch of protocols", text: "HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n",
            code: .answerInvalid),
        Reply(
            testDescription: "informational without end",
            text: String(repeating: "HTTP/1.1 100 Continue\r\n\r\n", count: 20), code: .answerInvalid),
        Reply(
            testDescription: "too large by its length",
            text: "HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n",
            code: .answerTooLarge),
        Reply(
            testDescription: "too large as it comes",
            text: "HTTP/1.1 200 OK\r\n\r\n" + String(repeating: "a", count: 2_000_000), code: .answerTooLarge),
        Reply(testDescription: "nothing", text: "", code: .connectionClosed),
    ]

    @Test(arguments: replies) func judgesAnswers(_ reply: Reply) async throws {
        let service = try Scripted([reply.text])
        let request = ClientRequest(.post, "/")
        do {
            let answer = try await service.client().send(request)
            #expect(reply.code == nil)
            #expect(String(decoding: answer.body, as: UTF8.self) == reply.body)
        } catch let error as any CodedError {
            #expect(error.code == reply.code)
        }
        // What is not idempotent is asked once.
        #expect(service.count == 1)
    }

    @Test func bytesBehindAnAnswerEndTheConnection() async throws {
        let smuggled =
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\naHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nb"
        let service = try Scripted([smuggled], closes: false)
        let client = service.client()
        for _ in 0..<3 {
            let answer = try await client.send(ClientRequest(.get, "/"))
            #expect(answer.body == [0x61])
        }
        #expect(service.count == 3)
    }

    /// Cut at every byte, an answer is an error and never a shorter answer.
    @Test func cutAtEveryByte() async throws {
        for whole in [
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n0\r\nT: u\r\n\r\n",
        ] {
            let bytes = Array(whole.utf8)
            let service = try Scripted(
                (0...bytes.count).map { String(decoding: bytes[..<$0], as: UTF8.self) })
            let client = service.client { $0.retry = .none }
            for count in 0...bytes.count {
                let answer = try? await client.send(ClientRequest(.get, "/"))
                #expect(
                    answer.map { String(decoding: $0.body, as: UTF8.self) }
                        == (count == bytes.count ? "abc" : nil))
            }
            #expect(service.count == bytes.count + 1)
            await eventually { service.listener.connections == 0 }
        }
    }

    @Test func triesAgainWhereItMay() async throws {
        let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        let away = "HTTP/1.1 503 Away\r\nContent-Length: 0\r\n\r\n"
        let lost = try Scripted(["", away, ok])
        #expect(try await lost.client().send(ClientRequest(.get, "/")).status == .ok)
        #expect(lost.count == 3)

        let stubborn = try Scripted([away])
        #expect(try await stubborn.client().send(ClientRequest(.get, "/")).status == .serviceUnavailable)
        #expect(stubborn.count == 3)

        let posted = try Scripted([away, ok])
        #expect(try await posted.client().send(ClientRequest(.post, "/")).status == .serviceUnavailable)
        var again = ClientRequest(.post, "/")
        again.isIdempotent = true
        let willing = try Scripted([away, ok])
        #expect(try await willing.client().send(again).status == .ok)
    }

    @Test func keepsItsDeadline() async throws {
        let silent = try Scripted(["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"], closes: false)
        let client = silent.client { $0.deadline = .milliseconds(100) }
        let error = await #expect(throws: HTTPError.self) { try await client.send(ClientRequest(.get, "/")) }
        #expect(error?.code == .deadlineExceeded)
        await eventually { silent.listener.connections == 0 }
    }

    @Test func isCancelled() async throws {
        let silent = try Scripted([""], closes: false)
        let client = silent.client()
        let task = Task { try await client.send(ClientRequest(.get, "/")) }
        await eventually { silent.count == 1 }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        await eventually { silent.listener.connections == 0 }
    }

    @Test(arguments: [
        ("/a b", "x", "y"), ("no slash", "x", "y"), ("/a#b", "x", "y"), ("/", "x", "a\r\nb: c"),
        ("/", "X", "y"),
        ("/", "x y", "z"), ("/", "content-length", "5"), ("/", "host", "other"),
        ("/", "transfer-encoding", "chunked"),
        ("/\r\nHost: b", "x", "y"),
    ])
    func sendsNothingAmbiguous(_ path: String, _ name: String, _ value: String) async throws {
        let service = try Scripted(["HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"])
        var fields = HeaderFields()
        fields.append(name, value)
        let request = ClientRequest(.get, path, fields: fields)
        let error = await #expect(throws: HTTPError.self) { try await service.client().send(request) }
        #expect(error?.code == .invalidArgument)
        #expect(service.count == 0)
    }

    @Test func noServiceIsToldSo() async throws {
        let loops = try EventLoops(count: 1)
        defer { Self.stop(loops) }
        let folder = try TemporaryFolder()
        var limits = Client.Limits()
        limits.retry.first = .milliseconds(1)
        let client = Client(
            of: ClientService(.unix(folder.path + "/none")), on: loops.all[0],
            connector: Connector(security: .plain), limits: limits)
        let error = await #expect(throws: TransportError.self) {
            try await client.send(ClientRequest(.get, "/"))
        }
        #expect(error?.code == .connectFailed)
    }

    private static func stop(_ loops: EventLoops) { loops.stop() }
}

@Suite struct RetryPolicyTests {
    @Test func pausesGrowUpToABound() {
        var policy = RetryPolicy()
        policy.tries = 100
        var generator = Trials.generator("retry")
        for number in 1..<100 {
            let bound = min(policy.most, policy.first * (1 << min(number - 1, 10)))
            let pauses = (0..<20).compactMap { _ in
                policy.pause(after: .lost, try: number, isIdempotent: true, using: &generator)
            }
            #expect(pauses.count == 20 && pauses.allSatisfy { $0 >= .zero && $0 <= bound })
            // Clients that lost the same server at once do not come back at once.
            #expect(Set(pauses).count > 10)
        }
    }

    @Test(arguments: [
        (RetryPolicy.Failure.notConnected, false, 1, true), (.lost, false, 1, false), (.lost, true, 1, true),
        (.lost, true, 3, false), (.refused(retryAfter: nil), true, 1, true),
        (.refused(retryAfter: nil), false, 1, false),
        (.refused(retryAfter: 1), true, 1, true), (.refused(retryAfter: 60), true, 1, false),
    ])
    func triesWhereItMay(_ failure: RetryPolicy.Failure, idempotent: Bool, number: Int, tries: Bool) {
        var generator = Trials.generator("retry table")
        let pause = RetryPolicy().pause(
            after: failure, try: number, isIdempotent: idempotent, using: &generator)
        #expect((pause != nil) == tries)
    }
}
