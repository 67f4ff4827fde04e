// SPDX-License-Identifier: Apache-2.0

public import HTTP2
public import Transport

/// One call under way, on the loop of its channel.
public final class ClientCall {
    /// The server that it went to.
    public let server: Address
    public private(set) var initialMetadata = Metadata()
    /// What came with the status; complete once `next()` has returned nil or thrown.
    public private(set) var trailers = Metadata()
    /// Nil until the call has ended.
    public private(set) var status: CallStatus?

    /// The server did not look at the call, so that it may be made again without harm.
    public private(set) var wasRefused = false

    var stream: HTTP2.Stream?
    private let inbox: Inbox
    private let unsent: Int
    private let loop: EventLoop
    private var timer: LoopTimer?
    private var writer: CheckedContinuation<Void, Never>?
    private var headTaken = false
    private var received: CallStatus?
    var whenEnded: () -> Void = {}

    init(server: Address, _ settings: ChannelSettings, deadline: Duration?, on loop: EventLoop) {
        self.server = server
        self.loop = loop
        unsent = settings.unsent
        inbox = Inbox(message: settings.message)
        if let deadline {
            timer = loop.schedule(after: deadline) { [weak self] in
                self?.end(CallStatus(.deadlineExceeded, "the deadline of the call has passed"))
            }
        }
    }

    /// Sends a message; it waits while the server is slow to take what was sent before. Cancelling the task that waits
    /// cancels the call.
    public func send(_ message: [UInt8]) async throws {
        while mustWaitToSend {
            guard writer == nil else { throw CallStatus(.internal, "two writers of one call") }
            await cancelling {
                await withCheckedContinuation { continuation in
                    // The task may have let others run on its way here.
                    if mustWaitToSend { writer = continuation } else { continuation.resume() }
                }
            }
        }
        try post(message)
    }

    private func cancelling(_ wait: () async -> Void) async {
        await withTaskCancellationHandler {
            await wait()
        } onCancel: { [loop, bound = LoopBound(self, on: loop)] in
            loop.execute { bound.value.cancel() }
        }
    }

    private var mustWaitToSend: Bool {
        status == nil && stream.map { !$0.hasRoom } == true
    }

    /// Sends a message without waiting, up to `ChannelSettings.unsent` of what waits already.
    public func post(_ message: [UInt8]) throws {
        guard status == nil, let stream else {
            throw status ?? CallStatus(.unavailable, "the call has ended")
        }
        guard stream.pending <= unsent else {
            throw CallStatus(.resourceExhausted, "\(stream.pending) bytes of the call wait to be sent")
        }
        stream.send(message, behind: MessageDecoder.prefix(of: message))
    }

    /// Says that no message follows.
    public func finishSending() { stream?.finish() }

    /// The next message; nil when the call has ended OK. Throws the status of a call that ended otherwise, after the
    /// messages that came before the status. Cancelling the task that waits cancels the call.
    public func next() async throws -> [UInt8]? {
        if inbox.mustWait { await cancelling { await inbox.wait() } }
        return try inbox.take(stream)
    }

    /// Ends the call; the server is told.
    public func cancel() { end(CallStatus(.cancelled)) }

    private func end(_ status: CallStatus) {
        guard self.status == nil else { return }
        stream?.reset(.cancel)
        inbox.drop()
        conclude(status)
    }

    private func conclude(_ status: CallStatus) {
        guard self.status == nil else { return }
        self.status = status
        if let timer { loop.cancel(timer) }
        timer = nil
        if status.status == .ok {
            do { try inbox.end() } catch {
                self.status = error
                inbox.fail(error)
            }
        } else {
            inbox.fail(status)
        }
        wakeWriter()
        let told = whenEnded
        whenEnded = {}
        told()
    }

    private func wakeWriter() {
        guard let waiting = writer else { return }
        writer = nil
        waiting.resume()
    }

    private func take(trailers fields: HeaderFields) {
        trailers = Metadata(fields)
        guard let text = fields["grpc-status"] else { return }
        let code = Int(text).flatMap(CallStatus.Code.init(rawValue:)) ?? .unknown
        let details = trailers.bytes(of: "grpc-status-details-bin") ?? []
        received = CallStatus(code, StatusMessage.decode(fields["grpc-message"] ?? ""), details: details)
    }
}

extension ClientCall: StreamHandler {
    public func received(head: HeaderFields) {
        guard !headTaken, head[":status"]?.first != "1" else { return }
        headTaken = true
        guard head.has(":status", "200"), head["content-type"]?.hasPrefix("application/grpc") == true else {
            received = head["grpc-status"] == nil ? .fromHTTP(head[":status"]) : nil
            if received == nil { take(trailers: head) }
            return
        }
        initialMetadata = Metadata(head)
        if head.contains("grpc-status") { take(trailers: head) }
        if let encoding = head["grpc-encoding"], encoding != "identity" {
            end(
                CallStatus(
                    .internal, "the server answers with grpc-encoding \(encoding), which was not offered"))
        }
    }

    public func received(body: Span<UInt8>) {
        guard status == nil, received == nil else {
            stream?.taken(body.count)
            return
        }
        do { try inbox.receive(body, from: stream) } catch { end(error) }
    }

    public func received(trailers fields: HeaderFields) { take(trailers: fields) }

    public func receivedEnd() {
        conclude(received ?? withoutStatus)
        // It may have answered before this side was done; what it did not wait for is not sent.
        stream?.finishNow()
    }

    private var withoutStatus: CallStatus {
        stream?.headIsCut == true
            ? CallStatus(.resourceExhausted, "the metadata of the answer is over the limit")
            : CallStatus(.internal, "the server ended the call without a status")
    }

    public func writable() { wakeWriter() }

    public func closed(_ close: StreamClose) {
        let without = withoutStatus
        stream = nil
        switch close {
        case .finished: conclude(received ?? without)
        case .disconnected: conclude(CallStatus(.unavailable, "the connection to \(server) ended"))
        case .reset(let code, _):
            wasRefused = code == .refusedStream && !headTaken
            conclude(received ?? Self.status(of: code))
        }
    }

    /// The table of the gRPC specification for resets.
    private static func status(of code: ResetCode) -> CallStatus {
        switch code {
        case .refusedStream: CallStatus(.unavailable, "the server did not take the call")
        case .cancel: CallStatus(.cancelled, "the server cancelled the call")
        case .enhanceYourCalm: CallStatus(.resourceExhausted, "the server is asked too much")
        case .inadequateSecurity:
            CallStatus(.permissionDenied, "the connection is not safe enough for the server")
        default: CallStatus(.internal, "the server reset the call with code \(code.rawValue)")
        }
    }
}
