// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Diagnostics
internal import Glibc

/// What epoll reports to: a listener, a connection.
protocol Watcher: AnyObject {
    func ready(_ readiness: Readiness)
    /// The loop ends: let go of every descriptor.
    func loopEnded()
}

/// The state of one loop and its pass. Only the loop's thread touches it.
///
/// A pass: wait for events (not at all when work is left) -> sockets -> what other threads left -> timers -> tasks ->
/// new jobs to the shared queue -> help with the shared queue, for at most `burst` -> tasks again, they got results ->
/// flush what was written. So a job's result and the bytes that it causes leave in the same pass, and many results
/// share a record.
final class LoopCore {
    unowned let loop: EventLoop
    var timers = TimerHeap()
    var jobs: [UnownedJob] = []
    /// Jobs for the shared queue that tasks of this pass made.
    var newWork: [WorkItem] = []
    let readBuffer: ReadBuffer
    /// The time when the pass began, by the loop's clock.
    private(set) var now: UInt64
    /// How many passes there were.
    private(set) var passes = 0

    private let poll: Poll
    private var watchers: [UInt64: any Watcher] = [:]
    private var dirty: [Connection] = []
    private var unread: [Connection] = []
    private var ended: [Connection] = []

    /// How long tasks, and jobs of the shared queue, may keep the sockets waiting.
    private static let burst: UInt64 = 500_000
    private static let wakerID: UInt64 = 0

    init(of loop: EventLoop) throws(TransportError) {
        self.loop = loop
        now = loop.clock.nanoseconds()
        poll = try Poll()
        readBuffer = ReadBuffer(capacity: 64 << 10)
        try poll.add(loop.waker.number, Self.wakerID, .input)
    }

    // MARK: Watched descriptors

    /// Events are told apart by the watcher's id, which is never used again: a descriptor's number is.
    func watch(_ watcher: any Watcher, _ descriptor: Int32, id: UInt64, _ interest: Readiness)
        throws(TransportError)
    {
        try poll.add(descriptor, id, interest)
        watchers[id] = watcher
    }

    func change(_ descriptor: Int32, id: UInt64, _ interest: Readiness) {
        poll.change(descriptor, id, interest)
    }

    /// Reports nothing more of it until it is watched again.
    func silence(_ descriptor: Int32) { poll.remove(descriptor) }

    func unwatch(_ descriptor: Int32, id: UInt64) {
        poll.remove(descriptor)
        watchers[id] = nil
    }

    func eachConnection(_ body: (Connection) -> Void) {
        for case let connection as Connection in watchers.values { body(connection) }
    }

    // MARK: What a connection asks for

    func flushSoon(_ connection: Connection) { dirty.append(connection) }
    func readAgain(_ connection: Connection) { unread.append(connection) }
    func tellEnd(_ connection: Connection) { ended.append(connection) }

    // MARK: The pass

    func run() {
        var more = false
        while true {
            let milliseconds = more ? 0 : untilNextTimer()
            poll.wait(milliseconds: milliseconds, woken: { now = loop.clock.nanoseconds() }) {
                id, readiness in
                if id == Self.wakerID {
                    var count: UInt64 = 0
                    unsafe read(loop.waker.number, &count, 8)
                } else {
                    watchers[id]?.ready(readiness)
                }
            }
            passes &+= 1
            guard !takeInbox() else { break }
            runTimers()
            readLeftovers()
            more = runJobs()
            more = work() || more
            more = runJobs() || more
            flush()
            tellEnds()
            more = more || !jobs.isEmpty || !newWork.isEmpty || !unread.isEmpty || !dirty.isEmpty
        }
        end()
    }

    private func untilNextTimer() -> Int32 {
        guard let deadline = timers.nextDeadline else { return -1 }
        let now = loop.clock.nanoseconds()
        guard deadline > now else { return 0 }
        return Int32(clamping: (deadline - now + 999_999) / 1_000_000)
    }

    /// Takes over what other threads left; true when the loop shall end.
    private func takeInbox() -> Bool {
        let inbox = loop.inbox.withLock { inbox in
            let taken = inbox
            inbox = EventLoop.Inbox(stopped: inbox.stopped)
            return taken
        }
        jobs.append(contentsOf: inbox.jobs)
        for call in inbox.calls { call() }
        for item in inbox.finished { item.finish() }
        return inbox.stopped
    }

    private func runTimers() {
        while let timer = timers.popDue(now) { timer.take()?() }
    }

    private func readLeftovers() {
        guard !unread.isEmpty else { return }
        let batch = unread
        unread = []
        for connection in batch { connection.readLeftovers() }
    }

    /// Runs tasks for at most a burst; true when some are left.
    private func runJobs() -> Bool {
        guard !jobs.isEmpty else { return false }
        let start = LoopClock.monotonic.nanoseconds()
        var next = 0
        repeat {
            let job = jobs[next]
            next += 1
            unsafe job.runSynchronously(on: loop.asUnownedTaskExecutor())
        } while next < jobs.count && LoopClock.monotonic.nanoseconds() &- start < Self.burst
        guard next < jobs.count else {
            jobs.removeAll(keepingCapacity: true)
            return false
        }
        jobs.removeFirst(next)
        return true
    }

    /// Hands new jobs to the shared queue and works on it for a burst; true when the queue was not empty at its end.
    private func work() -> Bool {
        if !newWork.isEmpty {
            loop.queue.add(newWork, from: loop)
            newWork.removeAll(keepingCapacity: true)
        }
        return loop.queue.help(loop, nanoseconds: Self.burst)
    }

    private func flush() {
        // A flush may ask for another one, which waits for the next pass.
        let batch = dirty
        dirty = []
        for connection in batch { connection.flush() }
    }

    private func tellEnds() {
        while !ended.isEmpty {
            let batch = ended
            ended = []
            for connection in batch { connection.tellEnd() }
        }
    }

    private func end() {
        for watcher in watchers.values { watcher.loopEnded() }
        watchers = [:]
        tellEnds()
        // Tasks that the ends woke run to their own end as far as they come without the loop.
        while runJobs() || !jobs.isEmpty {}
        while loop.queue.help(loop, nanoseconds: Self.burst) {}
    }
}
