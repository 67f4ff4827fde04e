// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Diagnostics
internal import Secrets
internal import Transport

/// The body of a request as it comes in. What is not read holds up the client, once some of it has come.
public final class RequestBody {
    /// The length that the client announced; nil for chunks, or an HTTP/2 body without one.
    public let length: Int?
    /// The route's limit.
    var limit = Int.max {
        didSet { if total > limit { fail(.bodyTooLarge(limit)) } }
    }
    /// Nothing of it is left behind here, where it waits for the handler.
    var isSecret = false
    /// The handler wants the body: what was held back may come, 100 may be said.
    var whenWanted: () -> Void = {}
    /// The handler has taken so many bytes.
    var whenTaken: (Int) -> Void = { _ in }

    private(set) var isComplete: Bool
    private(set) var total = 0
    private var buffer: [UInt8]
    private var failure: HTTPError?
    private var reader: CheckedContinuation<Void, Never>?
    private let pace: Pace?

    /// A body that is there already.
    init(whole: [UInt8]) {
        length = whole.count
        buffer = whole
        total = whole.count
        isComplete = true
        pace = nil
    }

    init(length: Int?, on loop: EventLoop, limits: ServerLimits) {
        self.length = length
        buffer = []
        isComplete = false
        pace = Pace(loop, limits)
    }

    /// Whether it is certain that nothing comes.
    var isEmpty: Bool { length == 0 || isComplete && total == 0 }

    // MARK: For handlers

    /// The next piece, as soon as there is one; nil at the end. Throws when the body is too large, too slow, malformed
    /// or cut off; what a handler makes of it should then be thrown away.
    public func read() async throws(HTTPError) -> [UInt8]? {
        while true {
            if let failure { throw failure }
            if !buffer.isEmpty { break }
            if isComplete { return nil }
            await arrival()
        }
        let piece = buffer
        buffer = []
        whenTaken(piece.count)
        return piece
    }

    /// Looks and waits in one step: the way into `withCheckedContinuation` may itself take a turn of the loop.
    private func arrival() async {
        await withCheckedContinuation { continuation in
            guard buffer.isEmpty, !isComplete, failure == nil else { return continuation.resume() }
            precondition(reader == nil, "two readers of one body")
            reader = continuation
            whenWanted()
            pace?.begin { [unowned self] in
                fail(HTTPError(.requestTimeout, "the body comes too slowly", status: .requestTimeout))
            }
        }
    }

    /// All of the body, within the route's limit.
    public func whole() async throws(HTTPError) -> [UInt8] {
        var all: [UInt8] = []
        while let piece = try await read() {
            if all.isEmpty { all = piece } else { all += piece }
        }
        return all
    }

    // MARK: From the connection

    /// What waits to be read.
    var unread: Int { buffer.count }
    var hasFailed: Bool { failure != nil }

    func receive(_ bytes: Span<UInt8>) {
        let (sum, overflows) = total.addingReportingOverflow(bytes.count)
        total = overflows ? .max : sum
        pace?.count(bytes.count)
        guard failure == nil else { return whenTaken(bytes.count) }
        guard total <= limit else {
            fail(.bodyTooLarge(limit))
            return whenTaken(bytes.count)
        }
        if isSecret { makeRoom(for: bytes.count) }
        buffer.append(copying: bytes)
        wake()
    }

    /// An array that grows would leave what it held.
    private func makeRoom(for count: Int) {
        guard buffer.capacity < buffer.count + count else { return }
        var larger: [UInt8] = []
        larger.reserveCapacity(max(2 * (buffer.count + count), 16 << 10))
        larger += buffer
        buffer.wipe()
        buffer = larger
    }

    func end() {
        isComplete = true
        wake()
    }

    /// The first failure counts; a body that is complete cannot fail any more but by its size.
    func fail(_ error: HTTPError) {
        guard failure == nil else { return }
        failure = error
        let dropped = buffer.count
        if isSecret { buffer.wipe() } else { buffer = [] }
        if dropped > 0 { whenTaken(dropped) }
        wake()
    }

    private func wake() {
        pace?.end()
        reader?.resume()
        reader = nil
    }
}

/// The least rate of a body, over the time in which somebody waits for it.
private final class Pace {
    private let loop: EventLoop
    private let window: UInt64
    private let least: Int
    private var waited: UInt64 = 0
    private var received = 0
    private var since: UInt64?
    private var timer: LoopTimer?

    init(_ loop: EventLoop, _ limits: ServerLimits) {
        self.loop = loop
        window = limits.bodyWindow.wholeNanoseconds
        least = limits.leastBody
    }

    func count(_ bytes: Int) { received += bytes }

    func begin(_ tooSlow: @escaping () -> Void) {
        // Who has kept the pace begins anew, so that a burst gives no more time than the window.
        if received >= least { (waited, received) = (0, 0) }
        since = loop.clock.nanoseconds()
        let left = Duration.nanoseconds(Int64(clamping: window - min(window, waited)))
        timer = loop.schedule(after: left) { [weak self] in
            guard let self, since != nil else { return }
            end()
            if waited >= window { tooSlow() } else { begin(tooSlow) }
        }
    }

    func end() {
        if let timer { loop.cancel(timer) }
        timer = nil
        guard let since else { return }
        let now = loop.clock.nanoseconds()
        waited += now > since ? now - since : 0
        self.since = nil
    }
}
