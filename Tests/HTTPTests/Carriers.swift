// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import HTTP
import HTTP2
import Transport

/// An answer, whatever carried it.
struct Answer: Equatable, Sendable {
    var status: Int
    var fields: HeaderFields
    var body: [UInt8]
    var text: String { String(decoding: body, as: UTF8.self) }
}

/// The ways to put a request to the desk: to the router alone, over HTTP/1.1 and over HTTP/2.
enum Carrier: String, CaseIterable, Sendable {
    case router
    case http1
    case http2

    /// How a client of HTTP/2 behaves.
    enum Manner: Sendable {
        case honest
        /// It never ends its body.
        case unfinished
        /// It takes nothing of an answer's body.
        case deaf
    }

    func ask(
        _ method: String, _ target: String, _ fields: HeaderFields = [:], _ body: [UInt8] = [],
        at desk: DeskServer, _ manner: Manner = .honest
    ) async throws -> Answer {
        switch self {
        case .router:
            var all: HeaderFields = ["host": "desk"]
            all.append(contentsOf: fields)
            let request = Request(HTTP.Method(rawValue: method), target, fields: all, body: body)
            let response = await Desk.router.answer(request)
            let whole = try await response.whole()
            return Answer(
                status: response.status.rawValue, fields: response.fields, body: method == "HEAD" ? [] : whole
            )
        case .http1: return try await http1(method, target, fields, body, desk)
        case .http2: return try await http2(method, target, fields, body, desk, manner)
        }
    }

    private func http1(
        _ method: String, _ target: String, _ fields: HeaderFields, _ body: [UInt8], _ desk: DeskServer
    ) async throws -> Answer {
        var head = "\(method) \(target) HTTP/1.1\r\nhost: desk\r\nconnection: close\r\n"
        for index in 0..<fields.count { head += "\(fields.name(at: index)): \(fields.value(at: index))\r\n" }
        if !body.isEmpty { head += "content-length: \(body.count)\r\n" }
        let back = try await desk.raw(Array((head + "\r\n").utf8) + body, half: false)
        return try Answer.parse(back, to: method).first ?? Answer(status: 0, fields: [:], body: [])
    }

    private func http2(
        _ method: String, _ target: String, _ fields: HeaderFields, _ body: [UInt8], _ desk: DeskServer,
        _ manner: Manner
    ) async throws -> Answer {
        let loop = desk.loops.all[1]
        let box = Lock<LoopBound<HTTP2Connection>?>(nil)
        let connection = try await Connector(security: .plain).connect(to: desk.endpoint, on: loop) {
            guard let handler = try? HTTP2Connection($0) else { return ByteStream($0) }
            box.withLock { $0 = LoopBound(handler, on: loop) }
            return handler
        }
        guard let bound = box.withLock({ $0 }) else { return Answer(status: 0, fields: [:], body: []) }
        let asking = Task(executorPreference: loop) {
            var head: HeaderFields = [
                ":method": method, ":scheme": "http", ":authority": "desk", ":path": target,
            ]
            head.append(contentsOf: fields)
            let asked = AskedStream(takes: manner != .deaf)
            let stream = try bound.value.session.request(head, handler: asked, end: body.isEmpty)
            asked.stream = stream
            if !body.isEmpty {
                stream.send(body)
                if manner != .unfinished { stream.finish() }
            }
            let answer = await withCheckedContinuation { asked.wait($0) }
            connection.value.close()
            return answer
        }
        return try await asking.value
    }
}

extension Answer {
    /// The answers in a server's output.
    static func parse(_ bytes: [UInt8], to method: String = "GET") throws -> [Answer] {
        var parser = MessageParser(.responses)
        parser.answeredMethod = method
        var answers: [Answer] = []
        var current: Answer?
        var offset = 0
        while let event = try parser.next(bytes.span, from: &offset) {
            switch event {
            case .head(let head):
                guard case .response(let status) = head.start else { continue }
                current = Answer(status: status.rawValue, fields: head.fields, body: [])
            case .body(let range): current?.body += bytes[range]
            case .end:
                if let answer = current { answers.append(answer) }
                current = nil
            }
        }
        if try parser.closed(), let current { answers.append(current) }
        return answers
    }
}

private final class AskedStream: StreamHandler {
    var stream: HTTP2.Stream?
    private let takes: Bool
    private var continuation: CheckedContinuation<Answer, Never>?
    private var isOver = false
    private var answer = Answer(status: 0, fields: [:], body: [])

    init(takes: Bool) { self.takes = takes }

    func received(head: HeaderFields) {
        answer.status = Int(head[":status"] ?? "") ?? 0
        for index in 0..<head.count where !head.name(at: index).hasPrefix(":") {
            answer.fields.append(head.name(at: index), head.value(at: index))
        }
    }

    func received(body: Span<UInt8>) {
        for index in body.indices { answer.body.append(body[index]) }
        if takes { stream?.taken(body.count) }
    }

    func received(trailers: HeaderFields) {}
    func receivedEnd() {}
    func writable() {}

    func closed(_ close: StreamClose) {
        if case .reset(let code, _) = close, code != .noError {
            answer.fields.append("reset", "\(code.rawValue)")
        }
        isOver = true
        continuation?.resume(returning: answer)
        continuation = nil
    }

    func wait(_ continuation: CheckedContinuation<Answer, Never>) {
        if isOver { continuation.resume(returning: answer) } else { self.continuation = continuation }
    }
}
