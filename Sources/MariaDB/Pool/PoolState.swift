// SPDX-License-Identifier: Apache-2.0

/// The pool's rules as a machine without clock, threads or connections: events go in, orders come out.
///
/// Each slot stands for one thread and the connection that it may hold. A job waits in line until a slot with a good
/// connection is free; connecting and checking happen beside the line, so a job's wait is bounded whatever the
/// server does. While no server answers, one slot at a time tries, after growing pauses.
///
///     empty -> connecting -> ready -> busy -> ready
///                            ready -> checking -> ready
///     and from each of these back to empty when the connection is broken, refused or too old
struct PoolState {
    typealias Instant = ContinuousClock.Instant
    typealias JobID = UInt64

    /// What a slot's thread has to do next.
    enum Order: Equatable {
        case run(JobID)
        case connect
        /// Ping before the connection is lent.
        case check
        /// Close the connection.
        case retire
        /// End the thread; the connection is closed.
        case exit
    }

    /// Why a job leaves the pool without having been run to its end.
    enum Refusal: Equatable {
        case lineIsFull
        case closed
        /// All connections were in use all the time.
        case waitedTooLong
        /// No server answered.
        case databaseAway
        /// It is still running, well past its deadline.
        case overran
    }

    struct Refused: Equatable {
        var job: JobID
        var refusal: Refusal
    }

    fileprivate enum Slot: Equatable {
        case empty
        case connecting
        case ready(openedAt: Instant, usedAt: Instant)
        case checking(openedAt: Instant)
        case busy(JobID, openedAt: Instant)
        case gone
    }

    private struct Waiter {
        var job: JobID
        var until: Instant
        var deadline: Instant?
    }

    private let limits: PoolLimits
    private var slots: [Slot]
    private var line: [Waiter] = []
    /// Jobs with a deadline that are under way.
    private var running: [JobID: Instant] = [:]
    /// Failed attempts to connect since the last good one, and when the next may start.
    private(set) var failures = 0
    private var retryAt: Instant?
    /// Connections last used before this are suspect, because a neighbour broke.
    private var suspectUntil: Instant?
    private var drainUntil: Instant?

    /// How far a job may run over its deadline before its caller is told; its statements end by themselves.
    static let grace = Duration.milliseconds(250)

    init(_ limits: PoolLimits) {
        self.limits = limits
        slots = Array(repeating: .empty, count: max(1, limits.size))
    }

    var slotCount: Int { slots.count }
    var waiting: Int { line.count }
    var busy: Int { slots.count { $0.isBusy } }
    var connections: Int { slots.count { $0.isConnected } }
    /// All threads have let go.
    var isGone: Bool { slots.allSatisfy { $0 == .gone } }
}

// MARK: - Jobs

extension PoolState {
    /// A job gets in line, until `deadline` or as long as the limits allow; `nil` when it was taken.
    mutating func submit(_ job: JobID, deadline: Instant?, now: Instant) -> Refusal? {
        guard drainUntil == nil else { return .closed }
        guard line.count < limits.waiters else { return .lineIsFull }
        line.append(Waiter(job: job, until: deadline ?? now + limits.wait, deadline: deadline))
        return nil
    }

    /// Takes a job out of the line; `false` when it is not there any more.
    mutating func cancel(_ job: JobID) -> Bool {
        guard let place = line.firstIndex(where: { $0.job == job }) else { return false }
        line.remove(at: place)
        return true
    }

    /// Jobs whose time is up.
    mutating func expire(now: Instant) -> [Refused] {
        var refused: [Refused] = []
        let isDrained = drainUntil.map { $0 <= now } ?? false
        let late = failures > 0 ? Refusal.databaseAway : .waitedTooLong
        line.removeAll { waiter in
            guard isDrained || waiter.until <= now else { return false }
            refused.append(Refused(job: waiter.job, refusal: isDrained ? .closed : late))
            return true
        }
        for (job, deadline) in running where deadline + Self.grace <= now {
            running[job] = nil
            refused.append(Refused(job: job, refusal: .overran))
        }
        return refused
    }

    /// When `expire` has something to do.
    var nextExpiry: Instant? {
        let waits = line.lazy.map { $0.until }.min()
        let runs = running.values.min().map { $0 + Self.grace }
        let drain = line.isEmpty ? nil : drainUntil
        return [waits, runs, drain].compactMap { $0 }.min()
    }

    /// Takes no more jobs; those in line are served until `deadline`.
    mutating func drain(until deadline: Instant) {
        drainUntil = min(drainUntil ?? deadline, deadline)
    }
}

// MARK: - Slots

extension PoolState {
    /// What `slot` has to do now; `nil` while there is nothing.
    func order(for slot: Int, now: Instant) -> Order? {
        if let drainUntil, line.isEmpty || drainUntil <= now { return .exit }
        switch slots[slot] {
        case .ready(let openedAt, let usedAt):
            if now - openedAt >= limits.lifetime { return .retire }
            guard let first = line.first else { return now - usedAt >= limits.idleLimit ? .retire : nil }
            let isSuspect = suspectUntil.map { usedAt <= $0 } ?? false
            return isSuspect || now - usedAt >= limits.idleCheck ? .check : .run(first.job)
        case .empty:
            // Those that are on their way to the line count as there.
            guard line.count > slots.count(where: { $0.willServe }) else { return nil }
            guard failures > 0 else { return .connect }
            let isTried = slots.contains(.connecting)
            return !isTried && (retryAt ?? now) <= now ? .connect : nil
        case .connecting, .checking, .busy, .gone: return nil
        }
    }

    /// The slot's thread carries `order` out.
    mutating func begin(_ order: Order, on slot: Int) {
        switch (order, slots[slot]) {
        case (.run(let job), .ready(let openedAt, _)):
            if let place = line.firstIndex(where: { $0.job == job }) {
                running[job] = line.remove(at: place).deadline
            }
            slots[slot] = .busy(job, openedAt: openedAt)
        case (.check, .ready(let openedAt, _)): slots[slot] = .checking(openedAt: openedAt)
        case (.connect, _): slots[slot] = .connecting
        case (.exit, _): slots[slot] = .gone
        default: slots[slot] = .empty
        }
    }

    /// When a parked slot has to look again although nothing happened.
    func wakeTime(for slot: Int) -> Instant? {
        switch slots[slot] {
        case .ready(let openedAt, let usedAt): min(openedAt + limits.lifetime, usedAt + limits.idleLimit)
        case .empty: failures > 0 && !line.isEmpty ? retryAt : nil
        case .connecting, .checking, .busy, .gone: nil
        }
    }

    mutating func connected(_ slot: Int, now: Instant) {
        failures = 0
        retryAt = nil
        slots[slot] = .ready(openedAt: now, usedAt: now)
        // What was opened just now is above suspicion.
        if let until = suspectUntil, until >= now { suspectUntil = now - .nanoseconds(1) }
    }

    /// Returns the jobs that fail with the slot, because no later attempt can go better (`mayPass` is false).
    mutating func connectFailed(_ slot: Int, mayPass: Bool, now: Instant, random: UInt64) -> [JobID] {
        slots[slot] = .empty
        failures += 1
        retryAt = now + limits.reconnect.pause(before: failures, random: random)
        guard !mayPass else { return [] }
        defer { line.removeAll() }
        return line.map { $0.job }
    }

    mutating func checked(_ slot: Int, isGood: Bool, now: Instant) {
        guard isGood, case .checking(let openedAt) = slots[slot] else {
            slots[slot] = .empty
            return
        }
        slots[slot] = .ready(openedAt: openedAt, usedAt: now)
    }

    /// The job is over; its connection goes back, or was thrown away.
    mutating func finished(_ slot: Int, isGood: Bool, now: Instant) {
        guard case .busy(let job, let openedAt) = slots[slot] else { return }
        running[job] = nil
        slots[slot] = isGood ? .ready(openedAt: openedAt, usedAt: now) : .empty
        if !isGood { suspectUntil = now }
    }
}

extension PoolState.Slot {
    fileprivate var willServe: Bool {
        switch self {
        case .ready, .connecting, .checking: true
        case .empty, .busy, .gone: false
        }
    }

    fileprivate var isConnected: Bool {
        switch self {
        case .ready, .busy, .checking: true
        case .empty, .connecting, .gone: false
        }
    }

    fileprivate var isBusy: Bool {
        if case .busy = self { return true }
        return false
    }
}
