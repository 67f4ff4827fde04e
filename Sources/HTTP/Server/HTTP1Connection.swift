// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Diagnostics
internal import HTTP2
internal import Secrets
internal import Transport

/// A server's connection of HTTP/1.1: one request after the other. What a client sends ahead waits, unread as soon as it
/// is more than a buffer, so that answers have the order of their requests.
final class HTTP1Connection: ConnectionHandler {
    private enum Wait {
        /// For the first byte of a request, for the rest of its head, or for the rest of a body that nobody reads.
        case request
        case head
        case rest
    }

    let connection: Connection
    let server: Server
    private var parser: MessageParser
    private(set) var exchange: Exchange?
    private var body: RequestBody?
    /// All of the present request has come, and all of its answer has gone.
    private var requestIsRead = true
    private var isAnswered = true
    private var expectsContinue = false
    private var isChunking = false
    /// HTTP/1.0, whose clients know no chunks.
    private var isOld = false
    private var keepsAlive = true
    /// Input behind the present request.
    private var held: [UInt8] = []
    private var isTaking = false
    private var closesNext = false
    /// What comes in cannot be read any more.
    private var isBroken = false
    private var isOver = false
    private var wait: Wait?
    private var timer: LoopTimer?

    init(_ connection: Connection, _ server: Server) {
        self.connection = connection
        self.server = server
        parser = MessageParser(.requests, limits: server.limits.message)
        startWaiting(.request, for: server.limits.head)
    }

    // MARK: Input

    func received(_ bytes: Span<UInt8>, on connection: Connection) {
        guard !isOver else { return }
        if held.isEmpty { take(bytes) } else { hold(bytes) }
        settle()
    }

    /// Reads up to the end of the present request; what follows waits for its answer.
    private func take(_ bytes: Span<UInt8>) {
        isTaking = true
        defer { isTaking = false }
        var offset = 0
        do throws(MessageError) {
            while !isOver {
                if requestIsRead, !isAnswered { return hold(bytes.extracting(offset..<bytes.count)) }
                if requestIsRead, closesNext { return }
                guard let event = try parser.next(bytes, from: &offset) else { return }
                switch event {
                case .head(let head): begin(head)
                case .body(let range):
                    if !isAnswered { body?.receive(bytes.extracting(range)) }
                case .end:
                    requestIsRead = true
                    body?.end()
                }
            }
        } catch {
            refuse(error)
        }
    }

    private func hold(_ bytes: Span<UInt8>) {
        guard bytes.count > 0 else { return }
        held.append(copying: bytes)
        connection.pauseReading()
    }

    private func begin(_ head: MessageHead) {
        guard case .request(let method, let target) = head.start else { return }
        (requestIsRead, isAnswered) = (false, false)
        keepsAlive = head.keepsAlive
        isOld = head.minorVersion == 0
        let length: Int? =
            switch head.framing {
            case .none: 0
            case .length(let length): Int(clamping: length)
            case .chunked, .untilClose: nil
            }
        expectsContinue = !isOld && length != 0 && head.fields["expect"]?.lowercased() == "100-continue"
        let body = RequestBody(length: length, on: connection.loop, limits: server.limits)
        body.whenTaken = { [weak self] _ in self?.bodyTaken() }
        body.whenWanted = { [weak self] in self?.bodyWanted() }
        self.body = body
        let request = Request(on: connection, Method(rawValue: method), target, head.fields, body)
        exchange = Exchange(request, to: self, on: connection, of: server)
    }

    /// Bytes that cannot be read end the connection, after an answer if there is somebody to answer.
    private func refuse(_ error: MessageError) {
        closesNext = true
        keepsAlive = false
        if let exchange, !requestIsRead {
            requestIsRead = true
            isBroken = true
            connection.pauseReading()
            if !exchange.headIsSent { exchange.request.body.fail(HTTPError(error)) }
            return
        }
        isOver = true
        let problem = Problem(of: HTTPError(error), request: .random()).response
        guard case .bytes(let bytes) = problem.body else { return }
        var fields = problem.fields
        fields.append("date", server.dates.text())
        fields.append("x-request-id", problem.problem?.request.text ?? "")
        fields.append("connection", "close")
        fields.append("content-length", String(bytes.count))
        let answer = MessageWriter.response(error.status, fields) + bytes
        connection.write(answer.span)
        end()
    }

    private func bodyWanted() {
        if expectsContinue, body?.total == 0 {
            let answer = MessageWriter.response(Status(rawValue: 100), [:])
            connection.write(answer.span)
        }
        expectsContinue = false
        bodyTaken()
    }

    private func bodyTaken() {
        if held.isEmpty, !isBroken, (body?.unread ?? 0) < server.limits.waitingBody {
            connection.resumeReading()
        }
    }

    func inputEnded(on connection: Connection) {
        if exchange != nil, requestIsRead {
            // A client may end its output behind its request and still read.
            closesNext = true
        } else {
            exchange?.abandon()
            end()
        }
    }

    // MARK: From one request to the next

    /// Looks at where the connection stands after something has happened.
    private func settle() {
        guard !isOver, !isTaking else { return }
        while requestIsRead, isAnswered, !isOver {
            exchange = nil
            body = nil
            if closesNext { return end() }
            guard !held.isEmpty else { break }
            var bytes = held
            held = []
            defer { if connection.wipesInput { bytes.wipe() } }
            take(bytes.span)
            if held.isEmpty, !isOver { connection.resumeReading() }
            if !parser.isBetweenMessages, requestIsRead, isAnswered { break }
        }
        guard !isOver else { return }
        if !isAnswered {
            stopWaiting()
            connection.isBusy = true
            if let body, body.unread >= server.limits.waitingBody { connection.pauseReading() }
        } else if !requestIsRead {
            startWaiting(.rest, for: server.limits.head)
        } else {
            connection.isBusy = false
            if !parser.isBetweenMessages {
                startWaiting(.head, for: server.limits.head)
            } else if closesNext {
                end()
            } else {
                startWaiting(.request, for: wait == .request ? nil : server.limits.keepAlive)
            }
        }
    }

    /// Begins to wait, unless it does so already.
    private func startWaiting(_ wait: Wait, for time: Duration?) {
        guard let time, self.wait != wait else { return }
        stopWaiting()
        self.wait = wait
        timer = connection.loop.schedule(after: time) { [unowned self] in tooLate() }
    }

    private func stopWaiting() {
        if let timer { connection.loop.cancel(timer) }
        (timer, wait) = (nil, nil)
    }

    func tooLate() {
        guard !isOver else { return }
        if wait == .rest || parser.isBetweenMessages {
            end()
        } else {
            refuse(MessageError("the head of the request comes too slowly", .requestTimeout))
        }
    }

    private func end() {
        isOver = true
        stopWaiting()
        connection.close()
    }

    func drain(_ connection: Connection) {
        closesNext = true
        keepsAlive = false
        if isAnswered, requestIsRead, parser.isBetweenMessages { end() }
    }

    func produce(room: Int, on connection: Connection) { exchange?.roomCame() }

    func closed(_ connection: Connection, _ reason: CloseReason) {
        isOver = true
        stopWaiting()
        let exchange = exchange
        (self.exchange, body) = (nil, nil)
        exchange?.abandon()
    }
}

// MARK: - The answer

extension HTTP1Connection: ExchangeOutput {
    var hasRoom: Bool { connection.hasRoom || !connection.isOpen }
    func requestRoom() { connection.requestOutput() }

    func send(_ head: AnswerHead) {
        var fields = head.fields
        isChunking = false
        switch head.body {
        case .none: break
        case .length(let length): fields.append("content-length", String(length))
        case .unknown where isOld: closesNext = true
        case .unknown:
            isChunking = head.hasBody
            fields.append("transfer-encoding", "chunked")
        }
        if !canReadOn { closesNext = true }
        if closesNext || !keepsAlive {
            closesNext = true
            fields.append("connection", "close")
        } else if isOld {
            fields.append("connection", "keep-alive")
        }
        let bytes = MessageWriter.response(head.status, fields)
        connection.write(bytes.span)
    }

    /// Whether the next request can be found: the rest of this one is short and sure to come.
    private var canReadOn: Bool {
        if requestIsRead { return true }
        guard let body, let length = body.length, !expectsContinue else { return false }
        return !body.hasFailed && length - body.total <= server.limits.unreadRest
    }

    func send(_ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        if isChunking {
            let size = Array("\(String(bytes.count, radix: 16))\r\n".utf8)
            connection.write(size.span)
            connection.write(bytes.span)
            connection.write(Self.lineEnd.span)
        } else {
            connection.write(bytes.span)
        }
    }

    func finish() {
        if isChunking { connection.write(Self.lastChunk.span) }
        isAnswered = true
        if !requestIsRead {
            // The rest is thrown away as it comes.
            connection.resumeReading()
            if closesNext { return end() }
        }
        settle()
    }

    func cut() {
        isOver = true
        stopWaiting()
        connection.abort(.abandoned)
    }

    private static let lineEnd = Array("\r\n".utf8)
    private static let lastChunk = Array("0\r\n\r\n".utf8)
}
