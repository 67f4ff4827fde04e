// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import HTTP2
import TestSupport
import Testing
import Transport

@testable import GRPC

/// What stands in the fields of HTTP/2 when a request is not one that a client of this side would make.
@Suite struct WireTests {
    struct Request: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var method = "POST"
        var path = "/test.Echo/Say"
        var fields: HeaderFields = [:]
        var contentType: String? = "application/grpc"
        var body: [UInt8] = [0, 0, 0, 0, 1, 9]
        /// Of HTTP.
        var status = "200"
        var code: CallStatus.Code?
        /// Fields of the answer.
        var answered: HeaderFields = [:]
    }

    static let requests = [
        Request(testDescription: "plain", code: .ok),
        Request(testDescription: "named format", contentType: "application/grpc+proto", code: .ok),
        Request(testDescription: "parameters", contentType: "application/grpc;a=b", code: .ok),
        Request(testDescription: "identity", fields: ["grpc-encoding": "identity"], code: .ok),
        Request(
            testDescription: "gzip", fields: ["grpc-encoding": "gzip"], code: .unimplemented,
            answered: ["grpc-accept-encoding": "identity"]),
        Request(
            testDescription: "unknown encoding", fields: ["grpc-encoding": "x"], body: [1, 0, 0, 0, 1, 9],
            code: .unimplemented, answered: ["grpc-accept-encoding": "identity"]),
        Request(
            testDescription: "compressed message without an encoding", body: [1, 0, 0, 0, 1, 9],
            code: .internal),
        Request(
            testDescription: "compressed message with identity", fields: ["grpc-encoding": "identity"],
            body: [1, 0, 0, 0, 1, 9], code: .internal),
        Request(testDescription: "no message", body: [], code: .unimplemented),
        Request(
            testDescription: "two messages", body: [0, 0, 0, 0, 1, 9, 0, 0, 0, 0, 1, 9], code: .unimplemented),
        Request(testDescription: "half a message", body: [0, 0, 0, 0, 2, 9], code: .internal),
        Request(testDescription: "half a prefix", body: [0, 0], code: .internal),
        Request(
            testDescription: "message over the limit", body: [0, 0xff, 0xff, 0xff, 0xff],
            code: .resourceExhausted),
        Request(
            testDescription: "malformed timeout", fields: ["grpc-timeout": "soon"], code: .invalidArgument),
        Request(testDescription: "unknown method", path: "/test.Echo/Nothing", code: .unimplemented),
        Request(testDescription: "unknown service", path: "/test.Nobody/Say", code: .unimplemented),
        Request(testDescription: "path without a method", path: "/", code: .unimplemented),
        Request(testDescription: "other content", contentType: "text/plain", status: "415"),
        Request(
            testDescription: "content that begins alike", contentType: "application/grpcs", status: "415"),
        Request(testDescription: "no content type", contentType: nil, status: "415"),
        Request(testDescription: "GET", method: "GET", body: [], status: "405"),
    ]

    @Test func answersAsTheSpecificationSays() async throws {
        let server = try EchoServer(loops: 1)
        let loop = server.loops.all[0]
        for request in Self.requests {
            let box = Lock<LoopBound<HTTP2Connection>?>(nil)
            let connection = try await Connector(security: .plain).connect(
                to: .host("127.0.0.1", port: server.port), on: loop
            ) { connection in
                guard let made = try? HTTP2Connection(connection) else { return ByteStream(connection) }
                box.withLock { $0 = LoopBound(made, on: loop) }
                return made
            }
            let bound = try #require(box.withLock { $0 })
            let fields = try await Task(executorPreference: loop) {
                var head: HeaderFields = [
                    ":method": request.method, ":scheme": "http", ":authority": "a", ":path": request.path,
                    "te": "trailers",
                ]
                if let type = request.contentType { head.append("content-type", type) }
                head.append(contentsOf: request.fields)
                let answer = Answer()
                let stream = try bound.value.session.request(
                    head, handler: answer, end: request.method == "GET")
                answer.stream = stream
                if request.method != "GET" {
                    stream.send(request.body)
                    stream.finish()
                }
                await eventually { answer.isOver }
                connection.value.close()
                return answer.fields
            }.value
            let name = Comment(rawValue: "\(request.testDescription): \(fields["grpc-message"] ?? "")")
            #expect(fields.values(of: ":status") == [request.status], name)
            #expect(fields["grpc-status"] == request.code.map { "\($0.rawValue)" }, name)
            for index in 0..<request.answered.count {
                let field = request.answered.name(at: index)
                #expect(fields.values(of: field) == [request.answered.value(at: index)], name)
            }
            if request.status == "200" {
                #expect(fields.values(of: "content-type") == ["application/grpc"], name)
            }
        }
        await eventually { server.listener.connections == 0 }
        await server.stop()
    }

    /// The fields of an answer, trailers too.
    private final class Answer: StreamHandler {
        var stream: HTTP2.Stream?
        var fields = HeaderFields()
        var isOver = false

        func received(head: HeaderFields) { fields.append(contentsOf: head) }
        func received(body: Span<UInt8>) { stream?.taken(body.count) }
        func received(trailers: HeaderFields) { fields.append(contentsOf: trailers) }
        func receivedEnd() {}
        func writable() {}
        func closed(_ close: StreamClose) { isOver = true }
    }
}
