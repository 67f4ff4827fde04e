// SPDX-License-Identifier: Apache-2.0

internal import HTTP2

/// The messages of one side of a call: decoded as they come, waited for by one reader, and paid back to the stream's
/// window when the reader has taken them, so that a slow reader holds up its peer and not this side's memory.
final class Inbox {
    private var messages: Messages
    private var reader: CheckedContinuation<Void, Never>?

    init(
        message: Int, messages: Int = .max, bytes: UInt64 = .max, waiting: Int = 64,
        budget: MemoryBudget? = nil
    ) {
        self.messages = Messages(
            decoder: MessageDecoder(limit: message), mostMessages: messages, mostBytes: bytes,
            mostWaiting: waiting, budget: budget)
    }

    /// Takes a piece of the body. A thrown status ends the call.
    func receive(_ body: Span<UInt8>, from stream: HTTP2.Stream?) throws(CallStatus) {
        let due = try messages.receive(body)
        pay(due, to: stream)
        wake()
    }

    /// The peer has sent all.
    func end() throws(CallStatus) {
        try messages.end()
        wake()
    }

    /// Nothing more comes: waiting for a message after those that are there throws this.
    func fail(_ status: CallStatus) {
        messages.fail(status)
        wake()
    }

    /// Nobody takes what is there.
    func drop() { messages.drop() }

    /// Waits until `take` has an answer.
    func wait() async {
        while mustWait, reader == nil {
            await withCheckedContinuation { continuation in
                // The task may have let others run on its way here, and what it waits for may have come.
                if mustWait, reader == nil { reader = continuation } else { continuation.resume() }
            }
        }
    }

    var mustWait: Bool { messages.mustWait }

    /// The next message; nil after the last.
    func take(_ stream: HTTP2.Stream?) throws(CallStatus) -> [UInt8]? {
        let (message, due) = try messages.take()
        pay(due, to: stream)
        return message
    }

    /// Called when nothing holds the messages any more: it may lead back here.
    private func pay(_ due: Int, to stream: HTTP2.Stream?) {
        if due > 0 { stream?.taken(due) }
    }

    private func wake() {
        guard let waiting = reader, !mustWait else { return }
        reader = nil
        waiting.resume()
    }
}

/// What came of a call and was not taken yet. A struct, so that a step of its owner is one guarded access and not one
/// for each field.
private struct Messages {
    private var decoder: MessageDecoder
    private let mostMessages: Int
    private let mostBytes: UInt64
    private let mostWaiting: Int
    private let budget: MemoryBudget?
    /// The message that is next; most calls have no other, and need no list.
    private var first: [UInt8]?
    private var later: [[UInt8]] = []
    private var waitingBytes = 0
    /// How many of `later` are taken.
    private var taken = 0
    private var total = 0
    private var bytes: UInt64 = 0
    /// Bytes of the window that are not paid back yet.
    private var owed = 0
    /// What it holds of the budget.
    private var held = 0
    private var isComplete = false
    private var failure: CallStatus?

    init(
        decoder: MessageDecoder, mostMessages: Int, mostBytes: UInt64, mostWaiting: Int, budget: MemoryBudget?
    ) {
        self.decoder = decoder
        self.mostMessages = mostMessages
        self.mostBytes = mostBytes
        self.mostWaiting = mostWaiting
        self.budget = budget
    }

    var mustWait: Bool { first == nil && !isComplete && failure == nil }

    /// Returns how much of the window is to be paid back.
    mutating func receive(_ body: Span<UInt8>) throws(CallStatus) -> Int {
        owed += body.count
        bytes += UInt64(body.count)
        guard bytes <= mostBytes else {
            throw CallStatus(.resourceExhausted, "a call of more than \(mostBytes) bytes")
        }
        var offset = 0
        while let message = try decoder.next(body, from: &offset) {
            total += 1
            guard total <= mostMessages else {
                throw CallStatus(.resourceExhausted, "a call of more than \(mostMessages) messages")
            }
            if first == nil { first = message } else { later.append(message) }
            waitingBytes += message.count
        }
        guard account() else {
            throw CallStatus(.resourceExhausted, "too many messages wait in memory; send less at once")
        }
        return settle()
    }

    mutating func end() throws(CallStatus) {
        guard !decoder.isInMessage else { throw CallStatus(.internal, "the stream ended within a message") }
        isComplete = true
    }

    mutating func fail(_ status: CallStatus) {
        if failure == nil { failure = status }
    }

    mutating func drop() {
        first = nil
        later = []
        (taken, waitingBytes) = (0, 0)
        decoder.drop()
        _ = account()
    }

    mutating func take() throws(CallStatus) -> (message: [UInt8]?, due: Int) {
        guard let message = first else {
            if let failure { throw failure }
            if isComplete { return (nil, 0) }
            throw CallStatus(.internal, "two readers of one call")
        }
        waitingBytes -= message.count
        advance()
        _ = account()
        return (message, settle())
    }

    private mutating func advance() {
        guard taken < later.count else {
            first = nil
            return
        }
        first = later[taken]
        later[taken] = []
        taken += 1
        guard taken == later.count else { return }
        later.removeAll(keepingCapacity: later.count <= mostWaiting)
        taken = 0
    }

    private var count: Int { first == nil ? 0 : 1 + later.count - taken }

    /// False when the budget has no room for what came.
    private mutating func account() -> Bool {
        guard let budget else { return true }
        // Each message costs an allocation besides its bytes.
        let now = decoder.buffered + waitingBytes + 64 * count
        guard budget.change(by: now - held) else { return false }
        held = now
        return true
    }

    /// A message that is not whole must go on coming; whole ones wait until they are taken.
    private mutating func settle() -> Int {
        guard owed > 0, count == 0 || count < mostWaiting && owed < 16 * 1024 else { return 0 }
        defer { owed = 0 }
        return owed
    }
}
