// SPDX-License-Identifier: Apache-2.0

internal import HTTP2
public import Transport

/// A client's way to a set of equal servers: connects to every address of its endpoints and deals calls round robin over
/// those that are ready. It lives on one loop, until `close()`.
///
/// ```swift
/// let channel = Channel(to: [.host("sign.example.org", port: 8443)], on: loop, settings)
/// let answer = try await channel.unary("/signet.v1.Signing/ListKeys", request, CallOptions(timeout: .seconds(5)))
/// try await channel.call("/signet.v1.Signing/Sign") { call in
///     try await call.send(request)
///     call.finishSending()
///     while let reply = try await call.next() { use(reply) }
/// }
/// ```
///
/// A server that cannot be reached, goes away or answers no ping is left out and tried again. Names are resolved
/// anew from time to time and when a server is lost; the last good answer holds when that fails.
public final class Channel {
    let endpoints: [Endpoint]
    let settings: ChannelSettings
    let loop: EventLoop
    var policy = RoundRobin()
    var subchannels: [Int: Subchannel] = [:]
    var lastID = 0
    private(set) var isClosed = false
    private(set) var waiting: [Waiter] = []

    // What `Channel+Names` keeps.
    var resolving: LoopTimer?
    var isResolving = false
    var resolvedAt: UInt64 = 0
    /// Every endpoint has been resolved once, or has failed to be.
    var isResolved = false
    var nameFailure: String?

    public init(to endpoints: [Endpoint], on loop: EventLoop, _ settings: ChannelSettings) {
        self.endpoints = endpoints
        self.loop = loop
        self.settings = settings
        resolve()
    }

    /// Ends the channel: calls that wait fail, those under way may finish.
    public func close() {
        guard !isClosed else { return }
        isClosed = true
        if let resolving { loop.cancel(resolving) }
        resolving = nil
        for subchannel in subchannels.values { subchannel.close() }
        subchannels = [:]
        policy = RoundRobin()
        serveWaiters()
    }

    /// The servers, and whether each is ready.
    public var servers: [(address: Address, isReady: Bool, underWay: Int)] {
        policy.entries.compactMap { entry in
            subchannels[entry.id].map { ($0.address, entry.isReady, entry.underWay) }
        }
    }

    // MARK: Calls

    /// Opens a call of whatever sort. Whoever opens it ends it: by taking its messages to the end, or with `cancel`.
    public func open(_ path: String, _ options: CallOptions = CallOptions()) async throws -> ClientCall {
        let start = loop.clock.nanoseconds()
        while true {
            let id = try await server(options, since: start)
            guard let subchannel = subchannels[id], let connection = subchannel.connection else {
                release(id)
                continue
            }
            let left = options.timeout.map { remaining(of: $0, since: start) }
            let call = ClientCall(server: subchannel.address, settings, deadline: left, on: loop)
            call.whenEnded = { [self] in release(id) }
            do {
                call.stream = try connection.session.request(
                    head(path, subchannel, options, left), handler: call)
                return call
            } catch {
                call.cancel()
                // It has no numbers left for streams, or is about to say that it goes away.
                subchannel.retire(connection, "\(error)")
            }
        }
    }

    /// A call of whatever sort, which ends with `body`: what is under way then, or when the task is cancelled, is
    /// cancelled as well.
    public func call<Result>(
        _ path: String, _ options: CallOptions = CallOptions(), _ body: (ClientCall) async throws -> Result
    ) async throws -> Result {
        let call = try await open(path, options)
        defer { call.cancel() }
        return try await body(call)
    }

    /// One message there, one message back. A server that did not look at the call, as one that goes away, is not
    /// the last to be asked.
    public func unary(
        _ path: String, _ message: [UInt8], _ options: CallOptions = CallOptions()
    ) async throws -> [UInt8] {
        let start = loop.clock.nanoseconds()
        var options = options
        let timeout = options.timeout
        for _ in 0..<4 {
            let call = try await open(path, options)
            do {
                return try await exchange(message, on: call)
            } catch {
                guard call.wasRefused else { throw error }
                options.timeout = timeout.map { remaining(of: $0, since: start) }
            }
        }
        throw CallStatus(.unavailable, "no server took the call")
    }

    private func exchange(_ message: [UInt8], on call: ClientCall) async throws -> [UInt8] {
        defer { call.cancel() }
        try call.post(message)
        call.finishSending()
        guard let answer = try await call.next() else {
            throw CallStatus(.internal, "the server answered without a message")
        }
        guard try await call.next() == nil else {
            throw CallStatus(.internal, "the server answered with several messages")
        }
        return answer
    }

    private func head(
        _ path: String, _ subchannel: Subchannel, _ options: CallOptions, _ left: Duration?
    ) -> HeaderFields {
        var secure = true
        if case .plain = settings.security { secure = false }
        var head: HeaderFields = [
            ":method": "POST", ":scheme": secure ? "https" : "http", ":path": path,
            ":authority": subchannel.serverName ?? "localhost", "content-type": "application/grpc",
            "te": "trailers",
        ]
        if let left { head.append("grpc-timeout", Timeout.format(left)) }
        options.metadata.write(to: &head)
        return head
    }

    private func remaining(of timeout: Duration, since start: UInt64) -> Duration {
        let gone = Duration.nanoseconds(Int64(clamping: loop.clock.nanoseconds() &- start))
        return max(.zero, timeout - gone)
    }

    // MARK: Waiting for a server

    /// Picks a server, on which the call counts as under way.
    private func server(_ options: CallOptions, since start: UInt64) async throws -> Int {
        if waiting.isEmpty, let id = policy.pick() { return id }
        if let refusal = refusal(options.waitsForReady) { throw refusal }
        guard waiting.count < settings.mostWaiting else {
            throw CallStatus(.resourceExhausted, "\(waiting.count) calls wait for a server already")
        }
        let waiter = Waiter(options.waitsForReady)
        if let timeout = options.timeout {
            waiter.timer = loop.schedule(after: remaining(of: timeout, since: start)) {
                [weak self, weak waiter] in
                guard let self, let waiter else { return }
                end(waiter, CallStatus(.deadlineExceeded, noServer))
            }
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                waiter.wait(continuation)
                guard !waiter.isOver else { return }
                waiting.append(waiter)
                // The task may have let others run on its way here, and a server may be free or none be left.
                serveWaiters()
            }
        } onCancel: { [loop, bound = LoopBound((waiter, self), on: loop)] in
            loop.execute {
                let (waiter, channel) = bound.value
                channel.end(waiter, CallStatus(.cancelled, "the task of the call was cancelled"))
            }
        }
    }

    private func end(_ waiter: Waiter, _ status: CallStatus) {
        waiting.removeAll { $0 === waiter }
        waiter.resume(.failure(status), on: loop)
    }

    private func release(_ id: Int) {
        policy.finished(id)
        serveWaiters()
    }

    /// Why a call does not wait: the channel is closed, or every server has been tried and failed.
    private func refusal(_ waitsForReady: Bool) -> CallStatus? {
        if isClosed { return CallStatus(.unavailable, "the channel is closed") }
        guard !waitsForReady, isResolved, !policy.hasReady, subchannels.values.allSatisfy(\.wasTried) else {
            return nil
        }
        return CallStatus(.unavailable, noServer)
    }

    private var noServer: String {
        let reasons = subchannels.values.compactMap { subchannel in
            subchannel.lastFailure.map { "\(subchannel.address): \($0)" }
        }
        let known = reasons.sorted() + (nameFailure.map { [$0] } ?? [])
        return known.isEmpty
            ? "no server of \(endpoints.map(\.description).joined(separator: ", ")) is ready"
            : "no server is ready: \(known.joined(separator: "; "))"
    }

    func serveWaiters() {
        guard !waiting.isEmpty else { return }
        var served = 0
        while served < waiting.count, let id = policy.pick() {
            waiting[served].resume(.success(id), on: loop)
            served += 1
        }
        waiting.removeFirst(served)
        for waitsForReady in [false, true] {
            guard let refusal = refusal(waitsForReady) else { continue }
            let refused = waiting.filter { $0.waitsForReady == waitsForReady }
            waiting.removeAll { $0.waitsForReady == waitsForReady }
            for waiter in refused { waiter.resume(.failure(refusal), on: loop) }
        }
    }
}
