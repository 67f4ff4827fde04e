// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics

/// What the threads of a pool share: the machine and the jobs under one lock. It carries out what the machine orders.
final class PoolCore: Sendable {
    /// One closure of a caller. Whoever takes it out of `jobs` answers it.
    struct Job: Sendable {
        var run: @Sendable (DatabaseConnection) -> Void
        var refuse: @Sendable (DatabaseError) -> Void
        var deadline: ContinuousClock.Instant?
        /// What to tell the caller when the job overran its deadline and nobody knows what it will still do.
        var overrun: DatabaseError.Kind
    }

    private struct Books {
        var state: PoolState
        var jobs: [PoolState.JobID: Job] = [:]
        var nextJob: PoolState.JobID = 0
        var servers: ServerList
        /// Why connecting failed last.
        var cause: DatabaseError?
        var totals = PoolStatistics()
        var whenGone: [@Sendable () -> Void] = []
    }

    private let settings: DatabaseSettings
    private let surroundings: Surroundings
    private let size: Int
    private let lock: Lock<Books>

    init(_ settings: DatabaseSettings, _ limits: PoolLimits, _ surroundings: Surroundings) {
        self.settings = settings
        self.surroundings = surroundings
        size = max(1, limits.size)
        lock = Lock(Books(state: PoolState(limits), servers: ServerList(settings)))
    }

    /// Starts the threads: one for each slot and one that watches the deadlines.
    func start() throws {
        var isComplete = (0..<size).allSatisfy { slot in surroundings.startThread { self.serve(slot) } }
        if isComplete { isComplete = surroundings.startThread { self.watch() } }
        guard !isComplete else { return }
        // Those that did start go home again.
        drain(within: .zero)
        throw DatabaseError(
            .noThread,
            "the system has no thread left for the \(size) connections of a pool; raise the limit on processes or choose a smaller pool"
        )
    }
}

// MARK: - Callers

extension PoolCore {
    func newJob() -> PoolState.JobID {
        lock.withLock { books in
            books.nextJob += 1
            return books.nextJob
        }
    }

    func submit(_ id: PoolState.JobID, _ job: Job) {
        let now = surroundings.now()
        let refusal = lock.withLock { books -> PoolState.Refusal? in
            let refusal = books.state.submit(id, deadline: job.deadline, now: now)
            if refusal == nil { books.jobs[id] = job } else { books.totals.refused += 1 }
            return refusal
        }
        guard let refusal else { return lock.wakeAll() }
        job.refuse(error(for: refusal, job, cause: nil))
    }

    /// Whether the job was still in line, and left it.
    func cancel(_ id: PoolState.JobID) -> Bool {
        lock.withLock { books in
            guard books.state.cancel(id) else { return false }
            books.jobs[id] = nil
            return true
        }
    }

    /// Takes a job out, so that its answer is given once.
    func take(_ id: PoolState.JobID) -> Bool {
        lock.withLock { $0.jobs.removeValue(forKey: id) != nil }
    }

    var statistics: PoolStatistics {
        lock.withLock { books in
            var statistics = books.totals
            statistics.connections = books.state.connections
            statistics.busy = books.state.busy
            statistics.waiting = books.state.waiting
            return statistics
        }
    }

    /// `whenGone` is called once, when the last thread lets go.
    func drain(within time: Duration, whenGone: (@Sendable () -> Void)? = nil) {
        let deadline = surroundings.now() + time
        let isGone = lock.withLock { books in
            books.state.drain(until: deadline)
            if books.state.isGone { return true }
            if let whenGone { books.whenGone.append(whenGone) }
            return false
        }
        lock.wakeAll()
        if isGone { whenGone?() }
    }

    private func error(for refusal: PoolState.Refusal, _ job: Job, cause: DatabaseError?) -> DatabaseError {
        switch refusal {
        case .lineIsFull:
            DatabaseError(.poolExhausted, "all \(size) database connections are in use and the line is full")
        case .closed: DatabaseError(.poolClosed, "the connections to the database are being closed")
        case .waitedTooLong:
            DatabaseError(.poolExhausted, "none of \(size) database connections became free in time")
        case .databaseAway:
            cause?.seen(as: .cannotConnect, "the database did not come back in time")
                ?? DatabaseError(.cannotConnect, "the database did not come back in time")
        case .overran: DatabaseError(job.overrun, "the database work went on past its deadline")
        }
    }
}

// MARK: - Threads

extension PoolCore {
    private func serve(_ slot: Int) {
        var connection: DatabaseConnection?
        while true {
            switch nextOrder(for: slot) {
            case nil: continue
            case .run(let id): run(id, on: slot, &connection)
            case .connect: connect(slot, &connection)
            case .check: check(slot, &connection)
            case .retire: connection = nil
            case .exit:
                connection = nil
                return leave()
            }
            // What changed here may be what another slot waited for.
            lock.wakeAll()
        }
    }

    /// Waits until there is something to do, or until it is time to look again.
    private func nextOrder(for slot: Int) -> PoolState.Order? {
        let wake = lock.withLock { $0.state.wakeTime(for: slot) }
        let wait = wake.map { max(.milliseconds(1), $0 - surroundings.now()) }
        var order: PoolState.Order?
        _ = lock.withLock(
            when: { books in
                order = books.state.order(for: slot, now: surroundings.now())
                return order != nil
            }, within: wait
        ) { books in
            if let order { books.state.begin(order, on: slot) }
        }
        return order
    }

    private func run(_ id: PoolState.JobID, on slot: Int, _ connection: inout DatabaseConnection?) {
        let job = lock.withLock { $0.jobs[id] }
        if let job, let connection {
            connection.limit = job.deadline
            job.run(connection)
            connection.limit = nil
            if !connection.isBroken, connection.serverIsInTransaction { connection.rollBack() }
        }
        let isGood = connection.map { !$0.isBroken } ?? false
        let retries = connection?.retries ?? 0
        connection?.retries = 0
        if !isGood { connection = nil }
        let now = surroundings.now()
        lock.withLock { books in
            books.state.finished(slot, isGood: isGood, now: now)
            books.totals.served += 1
            books.totals.retries += retries
            if !isGood { books.totals.lost += 1 }
        }
    }

    private func connect(_ slot: Int, _ connection: inout DatabaseConnection?) {
        var servers = lock.withLock { $0.servers }
        do {
            connection = try DatabaseConnection.open(settings, &servers, surroundings, limit: nil)
            let (tried, now) = (servers, surroundings.now())
            lock.withLock { books in
                books.servers = tried
                books.cause = nil
                books.totals.connects += 1
                books.state.connected(slot, now: now)
            }
        } catch {
            let cause = error as? DatabaseError ?? DatabaseError(.settings, "\(error)")
            let (tried, now, random) = (servers, surroundings.now(), surroundings.random())
            let failed = lock.withLock { books -> [Job] in
                books.servers = tried
                books.cause = cause
                books.totals.failedConnects += 1
                let jobs = books.state.connectFailed(
                    slot, mayPass: cause.kind.mayPass, now: now, random: random)
                books.totals.refused += jobs.count
                return jobs.compactMap { books.jobs.removeValue(forKey: $0) }
            }
            for job in failed { job.refuse(cause) }
        }
    }

    private func check(_ slot: Int, _ connection: inout DatabaseConnection?) {
        let isGood = (try? connection?.ping()) != nil
        if !isGood { connection = nil }
        let now = surroundings.now()
        lock.withLock { books in
            if !isGood { books.totals.lost += 1 }
            books.state.checked(slot, isGood: isGood, now: now)
        }
    }

    private func leave() {
        let tell = lock.withLock { books -> [@Sendable () -> Void] in
            guard books.state.isGone else { return [] }
            defer { books.whenGone = [] }
            return books.whenGone
        }
        lock.wakeAll()
        for tell in tell { tell() }
    }

    /// Answers the callers whose time is up, whatever the threads of the slots are stuck in.
    private func watch() {
        while true {
            let (next, isGone) = lock.withLock { ($0.state.nextExpiry, $0.state.isGone) }
            guard !isGone else { return }
            let wait = next.map { max(.zero, $0 - surroundings.now()) }
            _ = lock.withLock(when: { $0.state.nextExpiry != next || $0.state.isGone }, within: wait) { _ in }
            expire()
        }
    }

    private func expire() {
        let now = surroundings.now()
        let expired = lock.withLock { books -> [(Job, DatabaseError)] in
            let refused = books.state.expire(now: now)
            books.totals.refused += refused.count
            let cause = books.cause
            return refused.compactMap { refused in
                books.jobs.removeValue(forKey: refused.job).map {
                    ($0, error(for: refused.refusal, $0, cause: cause))
                }
            }
        }
        for (job, error) in expired { job.refuse(error) }
        if !expired.isEmpty { lock.wakeAll() }
    }
}
