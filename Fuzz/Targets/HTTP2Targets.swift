// SPDX-License-Identifier: Apache-2.0

internal import HTTP2

/// Any bytes at all after the preface, with handlers that answer, reset and leave streams.
let http2Targets: [FuzzTarget] = [
    FuzzTarget("http2-server") { input in
        let session = try Session(.server)
        defer { session.disconnected() }
        session.accept = { stream, _ in stream.id % 8 == 7 ? nil : Answerer(stream) }
        try feed(session, Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + input)
    },
    FuzzTarget("http2-client") { input in
        let session = try Session(.client)
        defer { session.disconnected() }
        for end in [true, false] {
            let answerer = Answerer(nil)
            let head: HeaderFields = [":method": "GET", ":scheme": "https", ":authority": "a", ":path": "/"]
            answerer.stream = try session.request(head, handler: answerer, end: end)
        }
        try feed(session, input)
    },
]

private func feed(_ session: Session, _ input: [UInt8]) throws {
    do {
        for start in stride(from: 0, to: input.count, by: 61) {
            let piece = Array(input[start..<min(start + 61, input.count)])
            try session.receive(piece.span, at: UInt64(start))
            while try session.nextOutput({ _ in }) {}
        }
    } catch is HTTP2Error {
        while try session.nextOutput({ _ in }) {}
        guard session.isFinished else { throw BrokenPromise("a failed session wants more") }
    }
}

private final class Answerer: StreamHandler {
    var stream: HTTP2.Stream?

    init(_ stream: HTTP2.Stream?) { self.stream = stream }

    func received(head: HeaderFields) {}
    func received(body: Span<UInt8>) {
        stream?.taken(body.count)
        if body.count % 16 == 3 { stream?.reset(.cancel) }
    }
    func received(trailers: HeaderFields) { stream?.finish() }
    func receivedEnd() {
        stream?.send(head: [":status": "200"])
        stream?.send([1, 2, 3])
        stream?.finish(trailers: ["t": "1"])
    }
    func writable() {}
    func closed(_ close: StreamClose) { stream = nil }
}
