// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics

/// Work that costs CPU, shared by all loops: each works on it between polls, so one connection can keep every core busy
/// while its sockets are still served.
///
/// Jobs wait in lanes, one for each client, and lanes take turns, so nobody's thousand jobs delay another's single
/// one by more than one job for each loop. The result comes back to the caller's own loop, together with all others of
/// the same burst. A job whose task is cancelled before its turn is not run.
///
/// ```swift
/// let lane = loops.queue.lane(named: client.name)
/// let signature = try await loops.queue.run(in: lane) { try key.sign(digest) }
/// ```
public final class WorkQueue: Sendable {
    /// The place of one client in the queue. Keep it as long as the client is there.
    public final class Lane: @unchecked Sendable {
        /// Touched under the queue's lock alone.
        fileprivate let turns = TurnQueue<WorkItem>.Lane()

        public init() {}
    }

    private struct WeakLane {
        weak var lane: Lane?
    }

    private struct State {
        var items = TurnQueue<WorkItem>()
        /// One bit for each loop that found nothing to do, and sleeps or is about to.
        var idle: UInt64
        var lanes: [String: WeakLane] = [:]
        var sweepAt = 64
    }

    static let mostLoops = 64
    let loops = Lock<[EventLoop]>([])
    private let state: Lock<State>

    init(loops: Int) {
        // All are idle at first, else work that comes before a loop's first pass would not wake it.
        state = Lock(State(idle: loops >= Self.mostLoops ? .max : (1 << UInt64(loops)) - 1))
    }

    /// How many jobs wait.
    public var count: Int { state.withLock { $0.items.count } }

    /// The lane that all users of `name` share, as long as one of them keeps it.
    public func lane(named name: String) -> Lane {
        state.withLock { state in
            if let lane = state.lanes[name]?.lane { return lane }
            let lane = Lane()
            state.lanes[name] = WeakLane(lane: lane)
            if state.lanes.count > state.sweepAt {
                state.lanes = state.lanes.filter { $0.value.lane != nil }
                state.sweepAt = max(64, 2 * state.lanes.count)
            }
            return lane
        }
    }

    /// Waits for a turn, runs the job on whichever loop is free and returns its result on the caller's executor.
    public func run<Result: Sendable>(
        in lane: Lane, _ body: @escaping @Sendable () throws -> Result
    ) async throws -> Result {
        let job = WorkJob(lane: lane, body)
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                job.continuation = continuation
                submit(job)
            }
        } onCancel: {
            job.cancel()
        }
    }

    /// On a loop, the jobs of one pass go to the queue together.
    private func submit(_ item: WorkItem) {
        if let loop = loops.withLock({ loops in loops.first { $0.isCurrent } }) {
            item.origin = loop
            loop.core.newWork.append(item)
        } else {
            add([item], from: nil)
        }
    }

    /// Queues a batch and wakes as many idle loops as can help; the loop that brings it takes one job itself.
    func add(_ batch: [WorkItem], from loop: EventLoop?) {
        let woken = state.withLock { state in
            for item in batch { state.items.add(item, to: item.lane.turns) }
            var helpers = loop == nil ? batch.count : state.items.count - 1
            var woken: UInt64 = 0
            var idle = state.idle
            if let loop { idle &= ~(1 << UInt64(loop.index)) }
            while helpers > 0, idle != 0 {
                let bit: UInt64 = 1 << UInt64(idle.trailingZeroBitCount)
                idle &= ~bit
                woken |= bit
                helpers -= 1
            }
            state.idle &= ~woken
            return woken
        }
        guard woken != 0 else { return }
        loops.withLock { loops in
            for loop in loops where woken & (1 << UInt64(loop.index)) != 0 { loop.wake() }
        }
    }

    /// The next job; without one the loop counts as idle from now on.
    private func next(for loop: EventLoop) -> WorkItem? {
        state.withLock { state in
            let bit: UInt64 = 1 << UInt64(loop.index)
            guard let item = state.items.pop() else {
                state.idle |= bit
                return nil
            }
            state.idle &= ~bit
            return item
        }
    }

    /// Works on the queue until it is empty or the time is over; true when the time was over.
    func help(_ loop: EventLoop, nanoseconds: UInt64) -> Bool {
        guard let first = next(for: loop) else { return false }
        let start = LoopClock.monotonic.nanoseconds()
        var foreign: [ObjectIdentifier: (loop: EventLoop, items: [WorkItem])] = [:]
        var item = first
        var more = true
        while true {
            item.work()
            if let origin = item.origin, origin !== loop {
                foreign[ObjectIdentifier(origin), default: (origin, [])].items.append(item)
            } else {
                item.finish()
            }
            guard LoopClock.monotonic.nanoseconds() &- start < nanoseconds else { break }
            guard let following = next(for: loop) else {
                more = false
                break
            }
            item = following
        }
        for (origin, items) in foreign.values { origin.leave { $0.finished.append(contentsOf: items) } }
        return more
    }
}
