// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Diagnostics
internal import HTTP2
internal import Transport

/// An exchange on a stream of HTTP/2.
final class HTTP2Exchange: StreamHandler, ExchangeOutput {
    private var stream: HTTP2.Stream?
    private var exchange: Exchange?
    private let body: RequestBody
    private var requestIsRead = false
    private var hasReceived = false
    private var expectsContinue: Bool
    private let loop: EventLoop
    private let limits: ServerLimits
    private var sent = 0
    private var watch: LoopTimer?
    private var lingering: LoopTimer?

    static func begin(
        _ stream: HTTP2.Stream, _ head: HeaderFields, on connection: Connection, of server: Server
    ) -> any StreamHandler {
        let exchange = HTTP2Exchange(stream, head, on: connection, of: server)
        exchange.start(head, on: connection, of: server)
        return exchange
    }

    private init(
        _ stream: HTTP2.Stream, _ head: HeaderFields, on connection: Connection, of server: Server
    ) {
        self.stream = stream
        loop = connection.loop
        limits = server.limits
        let length = head["content-length"].flatMap { Int($0) }
        body = RequestBody(length: length, on: connection.loop, limits: server.limits)
        expectsContinue = head["expect"]?.lowercased() == "100-continue"
    }

    private func start(_ head: HeaderFields, on connection: Connection, of server: Server) {
        var fields = HeaderFields()
        // What both versions call Host stands first, as in HTTP/1.1.
        let host = head["host"]
        if let authority = head[":authority"] { fields.append("host", authority) }
        for index in 0..<head.count {
            let name = head.name(at: index)
            if name.hasPrefix(":") || name == "host" && fields.contains("host") { continue }
            fields.append(name, head.value(at: index))
        }
        var request = Request(
            on: connection, Method(rawValue: head[":method"] ?? ""), head[":path"] ?? "", fields, body)
        if stream?.headIsCut == true {
            request.refusal = HTTPError(
                .tooLarge, "the head of the request is too large", status: .headerFieldsTooLarge)
        } else if let host, let authority = head[":authority"], host != authority {
            request.refusal = .malformed("the Host field names another host than :authority")
        } else if fields["host"] == nil {
            request.refusal = .malformed("a request needs :authority or a Host field")
        } else if (head[":path"]?.utf8.count ?? 0) > server.limits.message.startLine {
            request.refusal = HTTPError(.tooLarge, "the request target is too long", status: .uriTooLong)
        }
        body.whenTaken = { [weak self] in self?.stream?.taken($0) }
        body.whenWanted = { [weak self] in self?.sayContinue() }
        exchange = Exchange(request, to: self, on: connection, of: server)
    }

    private func sayContinue() {
        guard expectsContinue, !hasReceived else { return }
        expectsContinue = false
        stream?.send(informational: [":status": "100"])
    }

    // MARK: From the stream

    func received(head: HeaderFields) {}
    func received(trailers: HeaderFields) {}

    func received(body bytes: Span<UInt8>) {
        hasReceived = true
        if exchange != nil { body.receive(bytes) }
    }

    func receivedEnd() {
        requestIsRead = true
        body.end()
    }

    func writable() { exchange?.roomCame() }

    func closed(_ close: StreamClose) {
        stream = nil
        for timer in [watch, lingering] { if let timer { loop.cancel(timer) } }
        (watch, lingering) = (nil, nil)
        let exchange = exchange
        self.exchange = nil
        exchange?.abandon()
    }

    // MARK: The answer

    var hasRoom: Bool { stream?.hasRoom ?? true }
    /// `writable` comes by itself.
    func requestRoom() {}

    func send(_ head: AnswerHead) {
        var fields: HeaderFields = [":status": String(head.status.rawValue)]
        for index in 0..<head.fields.count {
            let name = head.fields.name(at: index)
            // What belongs to connections of HTTP/1.1 has no place here.
            if ["connection", "keep-alive", "transfer-encoding", "upgrade"].contains(name) { continue }
            fields.append(name, head.fields.value(at: index))
        }
        if case .length(let length) = head.body { fields.append("content-length", String(length)) }
        stream?.send(head: fields, end: !head.hasBody)
        if head.hasBody { watchReader(taken: 0) } else { settle() }
    }

    func send(_ bytes: [UInt8]) {
        sent += bytes.count
        stream?.send(bytes)
    }

    /// A client that opens no window for what waits would hold it for ever; pings do not show that.
    private func watchReader(taken: Int) {
        watch = loop.schedule(after: limits.untaken) { [weak self] in
            guard let self, let stream else { return }
            let now = sent - stream.pending
            if stream.pending > 0, now - taken < limits.leastBody { return stream.reset(.cancel) }
            watchReader(taken: now)
        }
    }

    func finish() {
        stream?.finish()
        settle()
    }

    func cut() { stream?.reset(.internalError) }

    /// The answer is on its way. A client that still sends may go on until its window is used up, and is then told to
    /// stop: some drop an answer that a reset follows at once.
    private func settle() {
        exchange = nil
        guard !requestIsRead else { return }
        lingering = loop.schedule(after: Self.linger) { [weak self] in
            guard let stream = self?.stream else { return }
            if stream.pending > 0 { stream.stopAfterSending() } else { stream.reset(.noError) }
        }
    }

    private static let linger = Duration.seconds(1)
}
