// SPDX-License-Identifier: Apache-2.0

internal import Transport

/// A call that waits for a server of its channel.
final class Waiter {
    let waitsForReady: Bool
    var timer: LoopTimer?
    /// Set when the wait is over, which may be before the task has come to wait.
    private var outcome: Result<Int, any Error>?
    private var continuation: CheckedContinuation<Int, any Error>?

    init(_ waitsForReady: Bool) { self.waitsForReady = waitsForReady }

    var isOver: Bool { outcome != nil }

    func wait(_ continuation: CheckedContinuation<Int, any Error>) {
        if let outcome { continuation.resume(with: outcome) } else { self.continuation = continuation }
    }

    func resume(_ result: Result<Int, any Error>, on loop: EventLoop) {
        guard outcome == nil else { return }
        outcome = result
        if let timer { loop.cancel(timer) }
        timer = nil
        continuation?.resume(with: result)
        continuation = nil
    }
}
