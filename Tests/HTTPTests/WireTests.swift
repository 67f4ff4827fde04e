// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Foundation
import HTTP
import HTTP2
import TestSupport
import Testing
import Transport

/// What HTTP/1.1 asks of a server beside answering.
@Suite struct WireTests {
    static let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

    struct Talk: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var sent: String
        var statuses: [Int]
        /// Whether the last answer says that the connection ends.
        var closes: Bool

        init(_ name: String, _ sent: String, _ statuses: [Int], closes: Bool = false) {
            (testDescription, self.sent, self.statuses, self.closes) = (name, sent, statuses, closes)
        }
    }

    static let talks: [Talk] = [
        Talk("one request", get, [200]),
        Talk("two, one after the other", get + get, [200, 200]),
        Talk(
            "Connection: close", "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" + get, [200],
            closes: true),
        Talk("HTTP/1.0", "GET / HTTP/1.0\r\n\r\n" + get, [200], closes: true),
        Talk("HTTP/1.0 kept", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" + get, [200, 200]),
        Talk(
            "a body, then another request",
            "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc" + get, [200, 200]),
        Talk(
            "chunks, then another request",
            "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" + get,
            [200, 200]),
        Talk(
            "a body that nobody reads, then another request",
            "POST /ignore HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc" + get, [200, 200]),
        Talk(
            "100-continue",
            "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
            [200]),
        Talk(
            "another expectation",
            "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: tea\r\nContent-Length: 3\r\n\r\nabc",
            [417]),
        Talk(
            "a stream to HTTP/1.0", "GET /stream/2 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", [200],
            closes: true),
        Talk("nonsense", "nonsense\r\n\r\n", [400], closes: true),
        Talk("nonsense behind a request", get + "nonsense\r\n\r\n", [200, 400], closes: true),
        Talk(
            "both lengths",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", [400],
            closes: true),
        Talk("another version", "GET / HTTP/3.0\r\nHost: a\r\n\r\n", [505], closes: true),
        Talk(
            "a long target", "GET /" + String(repeating: "a", count: 9000) + " HTTP/1.1\r\nHost: a\r\n\r\n",
            [414], closes: true),
        Talk(
            "a large head",
            "GET / HTTP/1.1\r\nHost: a\r\nX: " + String(repeating: "a", count: 17_000) + "\r\n\r\n", [431],
            closes: true),
        Talk(
            "many fields",
            "GET / HTTP/1.1\r\nHost: a\r\n" + String(repeating: "x: y\r\n", count: 101) + "\r\n", [431],
            closes: true),
        Talk(
            "a chunked body that is too large",
            "PUT /notes/7 HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "50\r\n" + String(repeating: " ", count: 80) + "\r\n0\r\n\r\n" + get, [413, 200]),
        Talk(
            "a chunk that breaks the rules",
            "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcX\r\n" + get, [400],
            closes: true),
        Talk(
            "a large body that is refused unread",
            "PUT /notes/7 HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n", [413], closes: true),
        Talk(
            "the preface of HTTP/2 in a wrong case", "pri * HTTP/2.0\r\n\r\nSM\r\n\r\n", [505], closes: true),
        Talk("a preface with another end", "PRI * HTTP/2.0\r\n\r\nSM\r\n\rX" + get, [505], closes: true),
        Talk("a preface with another middle", "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", [505], closes: true),
        Talk("a preface of another version", "PRI * HTTP/2.1\r\n\r\nSM\r\n\r\n", [505], closes: true),
        Talk(
            "a preface behind a request", get + "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [200, 505], closes: true),
    ]

    @Test(arguments: talks) func answersInOrder(_ talk: Talk) async throws {
        let desk = try DeskServer()
        let back = try await desk.raw(talk.sent)
        let answers = try Answer.parse(Array(back.utf8)).filter { $0.status != 100 }
        #expect(answers.map(\.status) == talk.statuses)
        #expect((answers.last?.fields["connection"] == "close") == talk.closes)
        // The same, a byte at a time.
        if talk.sent.utf8.count < 200 {
            #expect(try await slowly(talk.sent, at: desk).map(\.status) == talk.statuses)
        }
    }

    private func slowly(_ text: String, at desk: DeskServer) async throws -> [Answer] {
        let loop = desk.loops.all[0]
        let endpoint = desk.endpoint
        let task = Task(executorPreference: loop) {
            let box = Lock<LoopBound<ByteStream>?>(nil)
            _ = try await Connector(security: .plain).connect(to: endpoint, on: loop) {
                let stream = ByteStream($0)
                box.withLock { $0 = LoopBound(stream, on: loop) }
                return stream
            }
            guard let bound = box.withLock({ $0 }) else { return [UInt8]() }
            for byte in text.utf8 {
                try? await bound.value.write([byte])
                await Task.yield()
            }
            bound.value.finish()
            var back: [UInt8] = []
            while let part = try? await bound.value.read() { back += part }
            bound.value.connection.close()
            return back
        }
        return try Answer.parse(try await task.value).filter { $0.status != 100 }
    }

    @Test func saysContinueOnlyWhenTheBodyIsWanted() async throws {
        let desk = try DeskServer()
        let head = "Host: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"
        let wanted = try await desk.raw("POST /echo HTTP/1.1\r\n" + head, behindTheFirstAnswer: "abc")
        #expect(wanted.hasPrefix("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"))
        #expect(wanted.hasSuffix("\r\n\r\nabc"))
        let unwanted = try await desk.raw("POST /ignore HTTP/1.1\r\n" + head, half: false)
        #expect(unwanted.hasPrefix("HTTP/1.1 200 OK"))
        #expect(unwanted.contains("connection: close"))
    }

    @Test func slowHeadsAreAnswered() async throws {
        var limits = ServerLimits()
        limits.keepAlive = .milliseconds(100)
        let patient = try DeskServer(limits: limits)
        limits.head = .milliseconds(100)
        let desk = try DeskServer(limits: limits)
        for begun in ["G", "GET / HTTP/1.1\r\nHost: a\r\nX: "] {
            // On a busy machine even the beginning may come too late, and then nothing is answered.
            var back = ""
            for _ in 0..<50 where back.isEmpty { back = try await desk.raw(begun, half: false) }
            #expect(back.hasPrefix("HTTP/1.1 408 "))
        }
        let idle = try await desk.raw("", half: false)
        #expect(idle.isEmpty)
        let kept = try await patient.raw(Self.get, half: false)
        #expect(try Answer.parse(Array(kept.utf8)).map(\.status) == [200])
    }

    @Test func slowBodiesAreAnswered() async throws {
        var limits = ServerLimits()
        limits.bodyWindow = .milliseconds(100)
        let desk = try DeskServer(limits: limits)
        let back = try await desk.raw(
            "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nab", half: false)
        #expect(back.hasPrefix("HTTP/1.1 408 "))
        #expect(back.contains("request-timeout"))
        let answer = try await Carrier.http2.ask("POST", "/echo", [:], [1, 2, 3], at: desk, .unfinished)
        #expect(answer.status == 408)
        #expect(answer.text.contains("request-timeout"))
    }

    /// A client of HTTP/2 that opens no window holds nothing for long.
    @Test func deafStreamsAreReset() async throws {
        var limits = ServerLimits()
        limits.untaken = .milliseconds(100)
        let desk = try DeskServer(limits: limits)
        for target in ["/known/5000000", "/stream/5000"] {
            let answer = try await Carrier.http2.ask("GET", target, at: desk, .deaf)
            #expect(answer.status == 200)
            #expect(answer.fields["reset"] == "8")
        }
        await eventually { desk.witness.seen.withLock { $0.filter { !$0.isComplete }.count == 2 } }
    }

    @Test func largeHeadsOfHTTP2AreAnswered() async throws {
        let desk = try DeskServer()
        var many = HeaderFields()
        for number in 0..<70 { many.append("x-\(number)", "y") }
        for fields in [["x": String(repeating: "a", count: 20_000)], many] {
            let answer = try await Carrier.http2.ask("GET", "/", fields, at: desk)
            #expect(answer.status == 431)
        }
        let long = try await Carrier.http2.ask("GET", "/" + String(repeating: "a", count: 9000), at: desk)
        #expect(long.status == 414)
    }

    /// A client that takes nothing does not make the server hold all of an answer, and is cut off.
    @Test func slowReadersAreCutOff() async throws {
        var transport = TransportLimits()
        transport.rateWindow = .milliseconds(300)
        let desk = try DeskServer(transport: transport)
        let loop = desk.loops.all[0]
        let endpoint = desk.endpoint
        let connection = try await Connector(security: .plain).connect(to: endpoint, on: loop) { _ in Deaf() }
        loop.execute {
            let request = Array("GET /known/50000000 HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
            connection.value.write(request.span)
            connection.value.pauseReading()
        }
        await eventually { desk.witness.seen.withLock { $0.last?.isComplete == false } }
        await eventually { desk.listener.connections == 0 }
    }

    private final class Deaf: ConnectionHandler {
        func received(_ bytes: Span<UInt8>, on connection: Connection) {}
    }

    /// Cut at every byte, a request has an answer, a refusal or an end, and nothing is left of it.
    @Test func cutAtEveryByte() async throws {
        let desk = try DeskServer()
        let whole =
            "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\n"
        let bytes = Array(whole.utf8)
        for count in 0...bytes.count {
            let back = try await desk.raw(Array(bytes[..<count]))
            let answers = try Answer.parse(back)
            #expect(answers.map(\.status) == (count == bytes.count ? [200] : []), "cut at \(count)")
        }
        await eventually { desk.listener.connections == 0 }
    }

    @Test func drains() async throws {
        let desk = try DeskServer()
        let request = "GET /gate HTTP/1.1\r\nHost: a\r\n\r\n"
        let slow = Task { try await desk.raw(request + request, half: false) }
        await eventually { Desk.gate.withLock { $0.arrived == 1 } }
        let idle = Task { try await desk.raw("", half: false) }
        await eventually { desk.listener.connections == 2 }
        let drained = Task { await desk.listener.drain(within: .seconds(20)) }
        #expect(try await idle.value.isEmpty)
        Desk.gate.withLock { $0.isOpen = true }
        let answers = try Answer.parse(Array(try await slow.value.utf8))
        // What runs is finished; what waits behind it was never begun, and the client knows.
        #expect(answers.map(\.text) == ["through"])
        #expect(answers.first?.fields["connection"] == "close")
        await drained.value
        #expect(Desk.gate.withLock { $0.arrived } == 1)
    }

    /// A drain does not cut off a body that is under way and larger than what waits.
    @Test func drainsUploads() async throws {
        let desk = try DeskServer()
        let body = [UInt8](repeating: 1, count: 4 << 20)
        let head = "POST /gate/sum HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.count)\r\n\r\n"
        let upload = Task { try await desk.raw(Array(head.utf8) + body, half: false) }
        await eventually { Desk.uploads.withLock { $0.arrived == 1 } }
        let idle = Task { try await desk.raw("", half: false) }
        await eventually { desk.listener.connections == 2 }
        let drained = Task { await desk.listener.drain(within: .seconds(20)) }
        #expect(try await idle.value.isEmpty)
        Desk.uploads.withLock { $0.isOpen = true }
        #expect(try Answer.parse(try await upload.value).map(\.text) == ["\(body.count)"])
        await drained.value
    }

    @Test func largeBodiesPassThrough() async throws {
        let desk = try DeskServer()
        let body = [UInt8](repeating: 7, count: 8 << 20)
        for carrier in [Carrier.http1, .http2] {
            let answer = try await carrier.ask("POST", "/sum", [:], body, at: desk)
            #expect(answer.text == "\(body.count)")
            let echo = try await carrier.ask("POST", "/echo", [:], Array(body.prefix(1 << 20)), at: desk)
            #expect(echo.body.count == 1 << 20)
            let stream = try await carrier.ask("GET", "/stream/3000", at: desk)
            #expect(stream.body.count == 3_000_000)
        }
    }
}
