// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import HTTP2
internal import Transport

/// How an answer leaves: an HTTP/1.1 connection or an HTTP/2 stream.
protocol ExchangeOutput: AnyObject {
    /// Whether more of a body may be written.
    var hasRoom: Bool { get }
    /// Asks for `Exchange.roomCame`.
    func requestRoom()
    func send(_ head: AnswerHead)
    func send(_ bytes: [UInt8])
    /// The answer is whole.
    func finish()
    /// The answer cannot be whole, and the client must see it.
    func cut()
}

/// The head of an answer, checked.
struct AnswerHead {
    enum Body: Equatable {
        case none
        case length(UInt64)
        case unknown
    }

    var status: Status
    var fields: HeaderFields
    /// What the client is told of the body; for HEAD none of it follows.
    var body: Body
    var hasBody: Bool
}

/// One request and its answer, whatever carries them. It lives on the loop of its connection.
final class Exchange {
    let request: Request
    private let server: Server
    private let loop: EventLoop
    private var output: (any ExchangeOutput)?
    private var task: Task<Void, Never>?
    private var timer: LoopTimer?
    private var writer: CheckedContinuation<Void, Never>?
    private let begun: UInt64
    private(set) var headIsSent = false
    private var isTooLate = false
    /// What a streamed body may still have; nil when nobody said.
    private var left: UInt64?
    private static let piece = 64 << 10

    init(_ request: Request, to output: any ExchangeOutput, on connection: Connection, of server: Server) {
        var request = request
        self.server = server
        self.output = output
        loop = connection.loop
        request.body.isSecret = server.router.takesSecrets
        begun = loop.clock.nanoseconds()
        let timeout = TimeoutSetter()
        request.setTimeout = { timeout.exchange?.setTimeout($0) }
        self.request = request
        timeout.exchange = self
        setTimeout(server.limits.answer)
        task = loop.spawn(holding: self) { await $0.run() }
    }

    /// Lets the router choose the time without keeping the exchange.
    private final class TimeoutSetter {
        weak var exchange: Exchange?
    }

    private func run() async {
        let response = await server.router.answer(request)
        // What a cancelled handler says comes too late.
        if !isTooLate { await send(response) }
    }

    private func setTimeout(_ time: Duration) {
        if let timer { loop.cancel(timer) }
        timer = loop.schedule(after: time) { [weak self] in self?.timeIsOver() }
    }

    private func timeIsOver() {
        guard output != nil, !headIsSent else { return }
        isTooLate = true
        task?.cancel()
        task = loop.spawn(holding: self) { exchange in
            let error = HTTPError(.deadlineExceeded, "the answer was not ready in time")
            await exchange.send(Problem(of: error, request: exchange.request.id).response)
        }
    }

    // MARK: The answer

    private func send(_ response: Response) async {
        guard output != nil, !headIsSent else { return }
        headIsSent = true
        let response = checked(response)
        request.report.status = response.status
        request.report.code = response.problem?.code
        request.report.fault = response.problem?.fault
        let hasBody = request.method != .head && !response.status.forbidsBody
        do throws(HTTPError) {
            switch response.body {
            case .bytes(let bytes):
                sendHead(response, length: UInt64(bytes.count), hasBody: hasBody && !bytes.isEmpty)
                if hasBody { try await write(bytes) }
            case .stream(let length, let writing):
                sendHead(response, length: length, hasBody: hasBody)
                if hasBody { try await stream(writing) }
            }
            guard left == nil || left == 0 || !hasBody else {
                throw HTTPError(.internalError, "a body shorter than its length")
            }
            output?.finish()
            request.report.isComplete = output != nil
        } catch {
            if request.report.fault == nil { request.report.fault = error }
            output?.cut()
        }
        end()
    }

    private func stream(_ writing: (ResponseWriter) async throws -> Void) async throws(HTTPError) {
        do {
            try await writing(ResponseWriter(self))
        } catch {
            request.report.fault = error
            throw error as? HTTPError ?? HTTPError(.internalError, "the body of an answer failed")
        }
    }

    /// A field that would break the head never leaves.
    private func checked(_ response: Response) -> Response {
        let isGood = response.fields.allAreWritable && (200..<600).contains(response.status.rawValue)
        if isGood { return response }
        let error = HTTPError(.internalError, "an answer with a malformed field or status")
        return Problem(of: error, request: request.id).response
    }

    private func sendHead(_ response: Response, length: UInt64?, hasBody: Bool) {
        var fields = response.fields
        fields.append("date", server.dates.text())
        fields.append("x-request-id", request.id.text)
        let body: AnswerHead.Body =
            response.status.forbidsBody ? .none : length.map { .length($0) } ?? .unknown
        left = hasBody ? length : nil
        output?.send(AnswerHead(status: response.status, fields: fields, body: body, hasBody: hasBody))
    }

    /// Writes a piece of the body, in parts that wait for the client.
    func write(_ bytes: [UInt8]) async throws(HTTPError) {
        var start = 0
        if let left {
            guard bytes.count <= left else {
                throw HTTPError(.internalError, "a body longer than its length")
            }
            self.left = left - UInt64(bytes.count)
        }
        while start < bytes.count {
            while let output, !output.hasRoom { await room(of: output) }
            guard let output else { throw HTTPError(.cancelled, "the client has gone") }
            let end = min(bytes.count, start + Self.piece)
            output.send(start == 0 && end == bytes.count ? bytes : Array(bytes[start..<end]))
            request.report.sentBody += UInt64(end - start)
            start = end
        }
    }

    /// Asks and waits in one step: the way into `withCheckedContinuation` may itself take a turn of the loop.
    private func room(of output: any ExchangeOutput) async {
        await withCheckedContinuation { continuation in
            guard self.output != nil, !output.hasRoom else { return continuation.resume() }
            precondition(writer == nil, "two writers of one body")
            writer = continuation
            output.requestRoom()
        }
    }

    // MARK: From the connection

    func roomCame() {
        writer?.resume()
        writer = nil
    }

    /// The client is gone, or it has withdrawn the request.
    func abandon() {
        guard output != nil else { return }
        request.body.fail(HTTPError(.cancelled, "the client has gone"))
        task?.cancel()
        end()
    }

    private func end() {
        guard output != nil else { return }
        output = nil
        task = nil
        if let timer { loop.cancel(timer) }
        timer = nil
        roomCame()
        let nanoseconds = loop.clock.nanoseconds() &- begun
        request.report.duration = .nanoseconds(Int64(clamping: nanoseconds))
        server.observe(request.report)
    }
}

extension HeaderFields {
    /// Whether the fields can stand in a head: names are tokens in lower case, values have no control characters.
    var allAreWritable: Bool {
        (0..<count).allSatisfy { index in
            let name = name(at: index)
            return !name.isEmpty && name.utf8.allSatisfy { $0.isTokenByte && $0 == $0.lowercasedByte }
                && value(at: index).utf8.allSatisfy(\.isFieldByte)
        }
    }
}
