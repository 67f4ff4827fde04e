// SPDX-License-Identifier: Apache-2.0

internal import HTTP2

/// The messages of one side of a call: decoded as they come, waited for by one reader, and paid back to the stream's
/// window when the reader has taken them, so that a slow reader holds up its peer and not this side's memory.
final class Inbox {
    private var decoder: MessageDecoder
    private let mostMessages: Int
    private let mostBytes: UInt64
    private let mostWaiting: Int
    private let budget: MemoryBudget?
    private var waiting: [[UInt8]] = []
    private var waitingBytes = 0
    private var taken = 0
    private var messages = 0
    private var bytes: UInt64 = 0
    /// Bytes of the window that are not paid back yet.
    private var owed = 0
    /// What it holds of the budget.
    private var held = 0
    private var isComplete = false
    private var failure: CallStatus?
    private var reader: CheckedContinuation<Void, Never>?

    init(
        message: Int, messages: Int = .max, bytes: UInt64 = .max, waiting: Int = 64,
        budget: MemoryBudget? = nil
    ) {
        decoder = MessageDecoder(limit: message)
        mostMessages = messages
        mostBytes = bytes
        mostWaiting = waiting
        self.budget = budget
    }

    /// Takes a piece of the body. A thrown status ends the call.
    func receive(_ body: Span<UInt8>, from stream: HTTP2.Stream?) throws(CallStatus) {
        owed += body.count
        bytes += UInt64(body.count)
        guard bytes <= mostBytes else {
            throw CallStatus(.resourceExhausted, "a call of more than \(mostBytes) bytes")
        }
        var offset = 0
        while let message = try decoder.next(body, from: &offset) {
            messages += 1
            guard messages <= mostMessages else {
                throw CallStatus(.resourceExhausted, "a call of more than \(mostMessages) messages")
            }
            waiting.append(message)
            waitingBytes += message.count
        }
        guard account() else {
            throw CallStatus(.resourceExhausted, "too many messages wait in memory; send less at once")
        }
        settle(stream)
        if count > 0 { wake() }
    }

    /// The peer has sent all.
    func end() throws(CallStatus) {
        guard !decoder.isInMessage else { throw CallStatus(.internal, "the stream ended within a message") }
        isComplete = true
        wake()
    }

    /// Nothing more comes: waiting for a message after those that are there throws this.
    func fail(_ status: CallStatus) {
        if failure == nil { failure = status }
        wake()
    }

    /// Nobody takes what is there.
    func drop() {
        waiting = []
        (taken, waitingBytes) = (0, 0)
        decoder.drop()
        _ = account()
    }

    /// Waits until `take` has an answer.
    func wait() async {
        while mustWait, reader == nil {
            await withCheckedContinuation { continuation in
                // The task may have let others run on its way here, and what it waits for may have come.
                if mustWait, reader == nil { reader = continuation } else { continuation.resume() }
            }
        }
    }

    var mustWait: Bool { count == 0 && !isComplete && failure == nil }

    /// The next message; nil after the last.
    func take(_ stream: HTTP2.Stream?) throws(CallStatus) -> [UInt8]? {
        guard count > 0 else {
            if let failure { throw failure }
            if isComplete { return nil }
            throw CallStatus(.internal, "two readers of one call")
        }
        let message = waiting[taken]
        waiting[taken] = []
        waitingBytes -= message.count
        taken += 1
        if taken == waiting.count {
            waiting.removeAll(keepingCapacity: waiting.count <= mostWaiting)
            taken = 0
        }
        _ = account()
        settle(stream)
        return message
    }

    private var count: Int { waiting.count - taken }

    /// False when the budget has no room for what came.
    private func account() -> Bool {
        guard let budget else { return true }
        // Each message costs an allocation besides its bytes.
        let now = decoder.buffered + waitingBytes + 64 * count
        guard budget.change(by: now - held) else { return false }
        held = now
        return true
    }

    /// A message that is not whole must go on coming; whole ones wait until they are taken.
    private func settle(_ stream: HTTP2.Stream?) {
        guard owed > 0, count == 0 || count < mostWaiting && owed < 16 * 1024 else { return }
        stream?.taken(owed)
        owed = 0
    }

    private func wake() {
        reader?.resume()
        reader = nil
    }
}
