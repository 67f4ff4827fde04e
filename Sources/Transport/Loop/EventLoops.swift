// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Diagnostics
internal import Glibc
internal import Synchronization

/// The loops of a process, one a core, and the queue of work that they share.
public final class EventLoops: Sendable {
    public let all: [EventLoop]
    public let queue: WorkQueue
    private let threads: Lock<[Thread]>
    private let turn = Atomic<Int>(0)

    /// Starts `count` threads. SIGPIPE is ignored from here on: a peer's end is an error of a write, not of us.
    public init(count: Int = Cores.available, clock: LoopClock = .monotonic) throws(TransportError) {
        signal(SIGPIPE, SIG_IGN)
        Self.keepMemory()
        let count = min(max(1, count), WorkQueue.mostLoops)
        let queue = WorkQueue(loops: count)
        var loops: [EventLoop] = []
        for index in 0..<count { loops.append(try EventLoop(index: index, clock: clock, queue: queue)) }
        all = loops
        self.queue = queue
        threads = Lock([])
        queue.loops.withLock { [loops] in $0 = loops }
        for loop in loops {
            do {
                let thread = try Self.start(loop)
                threads.withLock { $0.append(thread) }
            } catch {
                stop()
                throw error
            }
        }
    }

    /// Has the allocator keep what a pass frees for the next one, instead of giving it back to the system each time: by
    /// freeing a block of its own mapping, which raises what it keeps to twice the block's size (mallopt(3)).
    private static func keepMemory() {
        let block = UnsafeMutableRawPointer.allocate(byteCount: 1 << 20, alignment: 16)
        unsafe block.storeBytes(of: 1, as: UInt8.self)
        unsafe block.deallocate()
    }

    /// The loop whose turn it is, among those with the fewest connections.
    public func next() -> EventLoop {
        let first = turn.wrappingAdd(1, ordering: .relaxed).oldValue
        var best = all[abs(first % all.count)]
        var least = best.load.load(ordering: .relaxed)
        for step in 1..<max(2, all.count) {
            let other = all[abs((first &+ step) % all.count)]
            let load = other.load.load(ordering: .relaxed)
            if load < least { (best, least) = (other, load) }
        }
        return best
    }

    /// Makes every loop look at its clock and mail: for tests that move a clock of their own.
    public func wake() {
        for loop in all { loop.wake() }
    }

    /// Closes every connection, ends the threads and waits for them: the last act of a program, since tasks of the loops
    /// get no further. Listeners are drained before, if at all. Not to be called on a loop.
    @available(*, noasync, message: "blocks until the loops have ended")
    public func stop() {
        for loop in all { loop.stop() }
        let threads = threads.withLock { threads in
            defer { threads = [] }
            return threads
        }
        for thread in threads { thread.join() }
        queue.loops.withLock { $0 = [] }
    }

    /// Starts the loop's thread and waits until the loop takes work.
    private static func start(_ loop: EventLoop) throws(TransportError) -> Thread {
        let outcome = Outcome()
        let thread = try Thread(named: "loop-\(loop.index)") {
            loop.run { error in outcome.tell(error) }
        }
        guard let error = outcome.wait() else { return thread }
        thread.join()
        throw error
    }

    /// How the start of a loop went.
    private final class Outcome: Sendable {
        private let state = Lock<(told: Bool, error: TransportError?)>((false, nil))

        func tell(_ error: TransportError?) {
            state.withLock { $0 = (true, error) }
            state.wakeAll()
        }

        @available(*, noasync)
        func wait() -> TransportError? {
            state.withLock(when: { $0.told }) { $0.error } ?? nil
        }
    }
}
