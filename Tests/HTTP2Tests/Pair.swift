// SPDX-License-Identifier: Apache-2.0

import HTTP2

/// A client and a server whose bytes go straight from one to the other.
final class Pair {
    let client: Session
    let server: Session
    var served: [Recorder] = []
    var now: UInt64 = 0

    init(
        client clientLimits: SessionLimits = SessionLimits(),
        server serverLimits: SessionLimits = SessionLimits()
    ) throws {
        client = try Session(.client, limits: clientLimits)
        server = try Session(.server, limits: serverLimits)
        server.accept = { [unowned self] stream, head in
            let recorder = Recorder(stream)
            recorder.heads.append(head)
            served.append(recorder)
            return recorder
        }
        try run()
    }

    deinit {
        client.disconnected()
        server.disconnected()
    }

    /// Carries bytes to and fro until both are silent.
    func run() throws {
        var moved = true
        while moved {
            moved = false
            for (from, to) in [(client, server), (server, client)] {
                var bytes: [UInt8] = []
                while try from.nextOutput({ span in for index in span.indices { bytes.append(span[index]) } })
                {}
                guard !bytes.isEmpty else { continue }
                moved = true
                try to.receive(bytes.span, at: now)
            }
        }
    }

    func request(_ path: String = "/", end: Bool = true) throws -> Recorder {
        let recorder = Recorder()
        let head: HeaderFields = [
            ":method": end ? "GET" : "POST", ":scheme": "https", ":authority": "test", ":path": path,
        ]
        recorder.stream = try client.request(head, handler: recorder, end: end)
        return recorder
    }
}

/// Writes down what happens to a stream.
final class Recorder: StreamHandler {
    var stream: HTTP2.Stream?
    var heads: [HeaderFields] = []
    var body: [UInt8] = []
    var trailers: HeaderFields?
    var ended = false
    var close: StreamClose?
    var closes = 0
    var writables = 0
    var takesBody = true

    init(_ stream: HTTP2.Stream? = nil) { self.stream = stream }

    func received(head: HeaderFields) { heads.append(head) }
    func received(body: Span<UInt8>) {
        for index in body.indices { self.body.append(body[index]) }
        if takesBody { stream?.taken(body.count) }
    }
    func received(trailers: HeaderFields) { self.trailers = trailers }
    func receivedEnd() { ended = true }
    func writable() { writables += 1 }
    func closed(_ close: StreamClose) {
        self.close = close
        closes += 1
    }
}
