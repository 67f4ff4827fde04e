// SPDX-License-Identifier: Apache-2.0

internal import HTTP2
internal import Transport

/// A server of sessions and connections alone. It answers each request, when all of it has come, with the values of
/// its fields `x-test` and its body, or with as many bytes as `x-size` says.
enum Bare {
    static func serve(_ connection: Connection) -> any ConnectionHandler {
        guard let handler = try? HTTP2Connection(connection) else { return Refusal(connection) }
        handler.session.accept = { stream, head in Answer(stream, head) }
        return handler
    }

    private final class Refusal: ConnectionHandler {
        init(_ connection: Connection) { connection.abort(.abandoned) }
        func received(_ bytes: Span<UInt8>, on connection: Connection) {}
    }

    private final class Answer: StreamHandler {
        private var stream: HTTP2.Stream?
        private let isHead: Bool
        private var echo: [UInt8]
        private var left: Int
        private static let piece = 16 << 10

        init(_ stream: HTTP2.Stream, _ head: HeaderFields) {
            self.stream = stream
            isHead = head.has(":method", "HEAD")
            echo = head.values(of: "x-test").flatMap { Array($0.utf8) }
            left = head["x-size"].flatMap { Int($0) } ?? 0
        }

        func received(head: HeaderFields) {}
        func received(body: Span<UInt8>) {
            if echo.count < 1 << 16 { for index in body.indices { echo.append(body[index]) } }
            stream?.taken(body.count)
        }
        func received(trailers: HeaderFields) {
            echo += trailers.values(of: "x-test").flatMap { Array($0.utf8) }
        }

        func receivedEnd() {
            guard let stream else { return }
            stream.send(head: [":status": stream.headIsCut ? "431" : "200"], end: isHead)
            if isHead { return }
            stream.send(echo)
            writable()
        }

        func writable() {
            guard let stream else { return }
            while left > 0, stream.hasRoom {
                let count = min(left, Self.piece)
                left -= count
                stream.send([UInt8](repeating: 0x78, count: count))
            }
            if left == 0 { stream.finish() }
        }

        func closed(_ close: StreamClose) { stream = nil }
    }
}
