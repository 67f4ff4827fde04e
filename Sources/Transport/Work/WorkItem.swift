// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// One job of the queue. It goes from the thread that submits it to the loop that works on it and back to its origin;
/// each hand-over is a lock, so no two threads touch it at once.
class WorkItem: @unchecked Sendable {
    let lane: WorkQueue.Lane
    /// The loop whose pass finishes the job.
    final var origin: EventLoop?

    init(lane: WorkQueue.Lane) { self.lane = lane }

    /// Computes the result, on any loop.
    func work() {}
    /// Gives the result to whoever waits, on the origin.
    func finish() {}
}

final class WorkJob<Value: Sendable>: WorkItem, @unchecked Sendable {
    var continuation: CheckedContinuation<Value, any Error>?
    private let body: @Sendable () throws -> Value
    private var result: Result<Value, any Error>?
    private let cancelled = Atomic(false)

    init(lane: WorkQueue.Lane, _ body: @escaping @Sendable () throws -> Value) {
        self.body = body
        super.init(lane: lane)
    }

    func cancel() { cancelled.store(true, ordering: .relaxed) }

    override func work() {
        result =
            cancelled.load(ordering: .relaxed)
            ? .failure(CancellationError()) : Result { () throws -> Value in try body() }
    }

    override func finish() {
        guard let result, let continuation else { return }
        self.continuation = nil
        continuation.resume(with: result)
    }
}
