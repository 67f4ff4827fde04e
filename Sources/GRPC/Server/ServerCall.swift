// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import HTTP2
public import Transport

/// One call that a client makes, as its handler sees it. It lives on the loop of its connection.
///
/// Messages are bytes here; `Method.unary(_:_:)` and the protobuf messages above turn them into types.
public final class ServerCall {
    /// `/package.Service/Method`.
    public var path: String { route?.path ?? metadata[":path"] ?? "" }
    public let metadata: Metadata
    /// Who calls; nil without TLS.
    public var peer: PeerIdentity? { connection.peer }
    /// Where the call comes from.
    public var remote: Address { connection.remote }
    public let loop: EventLoop
    /// By the loop's clock, in nanoseconds; nil without an end.
    public let deadline: UInt64?
    /// Sent ahead of the first message.
    public var initialMetadata = Metadata()
    /// Sent with the status.
    public var trailers = Metadata()

    var stream: HTTP2.Stream?
    /// Nil for a path that nobody serves.
    private let route: Route?
    private let connection: Connection
    private let server: Server
    let inbox: Inbox
    private var task: Task<Void, Never>?
    private var timer: LoopTimer?
    private var headSent = false
    /// Said with the status.
    var acceptsEncoding: String?
    /// Bytes given to the stream.
    private var posted = 0
    private var watch: LoopTimer?
    private var writer: CheckedContinuation<Void, Never>?
    private var end: CallStatus?

    init(
        _ stream: HTTP2.Stream, _ route: Route?, metadata: Metadata, on connection: Connection,
        of server: Server, budget: MemoryBudget, timeout: Duration?
    ) {
        self.server = server
        self.connection = connection
        self.stream = stream
        self.route = route
        self.metadata = metadata
        loop = connection.loop
        let limits = server.limits
        inbox = Inbox(
            message: limits.message, messages: limits.messages, bytes: limits.bytes,
            waiting: limits.waitingMessages, budget: budget)
        deadline = timeout.map { connection.loop.clock.nanoseconds() &+ $0.wholeNanoseconds }
        if let timeout {
            timer = loop.schedule(after: timeout) { [weak self] in
                self?.deadlinePassed()
            }
        }
    }

    /// Time until the deadline; nil without one.
    public var remaining: Duration? {
        deadline.map { deadline in
            let now = loop.clock.nanoseconds()
            return .nanoseconds(Int64(clamping: deadline > now ? deadline - now : 0))
        }
    }

    /// The call is over: cancelled, out of time, or cut off.
    public var hasEnded: Bool { end != nil }

    // MARK: For handlers

    /// The next message of the client; nil after its last. Throws when the call has ended.
    public func next() async throws -> [UInt8]? {
        if inbox.mustWait { await inbox.wait() }
        return try inbox.take(stream)
    }

    /// The one message of a call that bears one.
    public func onlyMessage() async throws -> [UInt8] {
        if inbox.mustWait { await inbox.wait() }
        guard let message = try inbox.take(stream) else {
            throw CallStatus(.unimplemented, "a unary call without a message")
        }
        if inbox.mustWait { await inbox.wait() }
        guard try inbox.take(stream) == nil else {
            throw CallStatus(.unimplemented, "a unary call with several messages")
        }
        return message
    }

    /// Sends a message. It waits while the client is slow to take what was sent before.
    public func send(_ message: [UInt8]) async throws {
        while mustWaitToSend {
            guard writer == nil else { throw CallStatus(.internal, "two writers of one call") }
            watchTaking()
            await withCheckedContinuation { continuation in
                // The task may have let others run on its way here.
                if mustWaitToSend { writer = continuation } else { continuation.resume() }
            }
        }
        try post(message)
    }

    /// Whether `send` would not wait.
    public var hasRoom: Bool { !mustWaitToSend }

    private var mustWaitToSend: Bool {
        end == nil && stream.map { !$0.hasRoom } == true
    }

    /// Sends a message without waiting, up to `ServerLimits.unsent` of what waits already. For answers whose number
    /// something else bounds.
    public func post(_ message: [UInt8]) throws {
        guard let stream, end == nil else { throw end ?? CallStatus(.cancelled) }
        guard stream.pending <= server.limits.unsent else {
            throw CallStatus(.resourceExhausted, "the client does not take its answers")
        }
        sendHead(on: stream)
        let prefix = MessageDecoder.prefix(of: message)
        posted += 5 + message.count
        stream.send(message, behind: prefix)
    }

    /// Ends the call. The handler need not call it; what comes after it does nothing.
    public func finish(_ status: CallStatus) {
        guard end == nil else { return }
        conclude(status)
        guard let stream else { return }
        if !headSent, !initialMetadata.fields.isEmpty { sendHead(on: stream) }
        let fields = fields(of: status)
        if headSent {
            stream.finish(trailers: fields)
        } else {
            stream.send(head: fields, end: true)
        }
        if !requestEnded { stream.stopAfterSending() }
        watchTaking()
    }

    // MARK: Inside

    /// Runs the method on the loop.
    func start() {
        task = loop.spawn(holding: self) { await $0.run() }
    }

    private func run() async {
        var outcome = CallStatus(.ok)
        do { try await route?.method.run(self) } catch { outcome = CallStatus(error) }
        // There is nothing to cancel any more.
        task = nil
        finish(outcome)
    }

    var requestEnded = false

    static let head: HeaderFields = [":status": "200", "content-type": "application/grpc"]
    private static let success: HeaderFields = ["grpc-status": "0"]
    /// Details that do not fit into a head are left out.
    private static let mostDetails = 8 << 10

    private func fields(of status: CallStatus) -> HeaderFields {
        var fields = headSent ? HeaderFields() : Self.head
        if status.status == .ok {
            fields = headSent ? Self.success : fields
            if !headSent { fields.append("grpc-status", "0") }
        } else {
            fields.append("grpc-status", "\(status.status.rawValue)")
        }
        if !status.message.isEmpty { fields.append("grpc-message", StatusMessage.encode(status.message)) }
        if !status.details.isEmpty, status.details.count <= Self.mostDetails {
            fields.append("grpc-status-details-bin", Base64.standardUnpadded.encode(status.details))
        }
        if let acceptsEncoding { fields.append("grpc-accept-encoding", acceptsEncoding) }
        trailers.write(to: &fields)
        return fields
    }

    private func deadlinePassed() {
        let waits = stream.map { $0.pending > 0 } ?? false
        finish(CallStatus(.deadlineExceeded, "the deadline of the call has passed"))
        // The status would stand behind what the client does not take.
        if waits { stream?.reset(.cancel) }
    }

    /// Cuts off a client that takes nothing of what waits for it.
    private func watchTaking() {
        guard watch == nil, let stream, stream.pending >= HTTP2.Stream.lowWater else { return }
        let taken = posted - stream.pending
        watch = loop.schedule(after: server.limits.untaken) { [weak self] in
            guard let self, let stream = self.stream else { return }
            watch = nil
            guard posted - stream.pending == taken else { return watchTaking() }
            stream.reset(.cancel)
            abandon(CallStatus(.cancelled, "the client takes nothing of the answer"))
        }
    }

    private func sendHead(on stream: HTTP2.Stream) {
        guard !headSent else { return }
        headSent = true
        var head = Self.head
        initialMetadata.write(to: &head)
        stream.send(head: head)
    }

    /// The client is gone, or it has cancelled.
    func abandon(_ status: CallStatus) {
        stream = nil
        if let watch { loop.cancel(watch) }
        watch = nil
        guard end == nil else { return }
        conclude(status)
    }

    private func conclude(_ status: CallStatus) {
        end = status
        if let timer { loop.cancel(timer) }
        timer = nil
        inbox.drop()
        inbox.fail(status.status == .ok ? CallStatus(.cancelled, "the call has ended") : status)
        wakeWriter()
        task?.cancel()
        task = nil
        server.observe(self, status)
    }

    func wakeWriter() {
        guard let waiting = writer else { return }
        writer = nil
        waiting.resume()
    }
}

extension ServerCall: StreamHandler {
    public func received(head: HeaderFields) {}
    public func received(trailers: HeaderFields) {}
    public func received(body: Span<UInt8>) {
        guard end == nil else {
            stream?.taken(body.count)
            return
        }
        do { try inbox.receive(body, from: stream) } catch { finish(error) }
    }

    public func receivedEnd() {
        requestEnded = true
        guard end == nil else { return }
        do { try inbox.end() } catch { finish(error) }
    }

    public func writable() { wakeWriter() }

    public func closed(_ close: StreamClose) {
        abandon(
            CallStatus(
                .cancelled, close == .disconnected ? "the connection has ended" : "the client cancelled"))
    }
}
