// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Diagnostics
internal import Glibc
internal import Synchronization

/// One thread that waits for sockets and timers and runs what belongs to them: connections, tasks, and jobs of the
/// shared `WorkQueue` between polls.
///
/// Everything that lives on a loop is used from its thread alone, so it needs no lock and no actor. A task started with
/// `spawn` prefers the loop as its executor: its plain (nonisolated) `async` code, its child tasks included, runs there
/// and comes back there after every `await`.
///
/// It is a task executor and no serial one: code that ran as a serial executor's would leave it, through the queue, at
/// every call of a function that is not bound to an actor, so that others could run between a check and the wait for
/// its change. As it is, nothing else runs on the loop between two points where a task really waits.
public final class EventLoop: TaskExecutor {
    /// Which of its `EventLoops` it is, from 0.
    public let index: Int
    public let clock: LoopClock
    public let queue: WorkQueue

    /// What other threads left for this one.
    struct Inbox {
        var jobs: [UnownedJob] = []
        var calls: [@Sendable () -> Void] = []
        var finished: [WorkItem] = []
        var stopped = false
        var isEmpty: Bool { jobs.isEmpty && calls.isEmpty && finished.isEmpty }
    }

    let inbox = Lock(Inbox())
    /// How many connections it serves, for the hand-out of new ones.
    let load = Atomic<Int>(0)
    let waker: Descriptor
    private let thread = Atomic<UInt>(0)
    private let confined = Confined()

    /// Holds the core, which is made on the loop's own thread.
    private final class Confined: @unchecked Sendable {
        var core: LoopCore?
    }

    init(index: Int, clock: LoopClock, queue: WorkQueue) throws(TransportError) {
        self.index = index
        self.clock = clock
        self.queue = queue
        waker = try Descriptor(eventfd(0, Int32(shim_EFD_FLAGS)), from: "eventfd")
    }

    /// Whether the caller runs on the loop.
    public var isCurrent: Bool { thread.load(ordering: .relaxed) == UInt(pthread_self()) }

    /// Stops the program when the caller is not on the loop: a mistake of ours that a peer cannot cause.
    public func checkIsolated() {
        precondition(isCurrent, "used outside of its event loop")
    }

    // MARK: Work for the loop

    /// Starts a task on the loop that owns `value`, the caller's way to give it a connection or what it built on one.
    @discardableResult @inlinable
    public func spawn<Value>(
        holding value: Value, _ body: @escaping @Sendable (Value) async -> Void
    ) -> Task<Void, Never> {
        let bound = LoopBound(value, on: self)
        return Task(executorPreference: self) { await body(bound.value) }
    }

    /// Starts a task on the loop.
    @discardableResult
    public func spawn(_ body: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
        Task(executorPreference: self) { await body() }
    }

    /// Runs a closure on the loop, soon, whatever thread the caller is on.
    public func execute(_ body: @escaping @Sendable () -> Void) {
        leave { $0.calls.append(body) }
    }

    /// Does something later. Called on the loop.
    public func schedule(after delay: Duration, _ action: @escaping () -> Void) -> LoopTimer {
        schedule(at: clock.nanoseconds() &+ delay.nanoseconds, action)
    }

    /// Called on the loop; a timer that already ran or was cancelled is fine.
    public func cancel(_ timer: LoopTimer) {
        core.timers.remove(timer)
        _ = timer.take()
    }

    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if isCurrent { core.jobs.append(job) } else { leave { $0.jobs.append(job) } }
    }

    // MARK: Inside

    func schedule(at deadline: UInt64, _ action: @escaping () -> Void) -> LoopTimer {
        let timer = LoopTimer(deadline: deadline, action: action)
        core.timers.insert(timer)
        return timer
    }

    /// The loop's own state; only on the loop.
    var core: LoopCore {
        checkIsolated()
        guard let core = confined.core else { preconditionFailure("the loop has ended") }
        return core
    }

    /// One wake-up for all that arrives while the loop sleeps.
    func leave(_ put: (inout Inbox) -> Void) {
        let wake = inbox.withLock { inbox in
            let wasEmpty = inbox.isEmpty
            put(&inbox)
            return wasEmpty
        }
        if wake { self.wake() }
    }

    /// Ends the wait of the loop. It also looks at its clock anew.
    func wake() {
        var one: UInt64 = 1
        unsafe write(waker.number, &one, 8)
    }

    /// The thread's body: runs until `stop`.
    func run(started: @Sendable (TransportError?) -> Void) {
        thread.store(UInt(pthread_self()), ordering: .relaxed)
        do {
            confined.core = try LoopCore(of: self)
        } catch {
            return started(error)
        }
        started(nil)
        core.run()
        confined.core = nil
    }

    func stop() {
        inbox.withLock { $0.stopped = true }
        wake()
    }
}
