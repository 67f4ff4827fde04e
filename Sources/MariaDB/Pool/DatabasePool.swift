// SPDX-License-Identifier: Apache-2.0

/// A fixed number of connections, each on a thread of its own, for async code.
///
/// A closure runs on the thread of the connection that it is lent, as straight blocking code; the caller awaits its
/// result. When the server hangs, callers get their error at their deadline, the number of threads stays the same, and
/// the pool is of use again as soon as the server is. Opening a pool needs no server: jobs wait for it.
///
/// ```swift
/// let pool = try DatabasePool(settings)
/// let name = try await pool.run { connection in
///     try connection.execute("SELECT name FROM data_key WHERE id = ?", [.uint(7)]).onlyRow()?.text("name")
/// }
/// await pool.close()
/// ```
public final class DatabasePool: Sendable {
    private let core: PoolCore
    private let retry: RetryPolicy
    private let surroundings: Surroundings

    /// Fails only when the system has no threads left.
    public init(
        _ settings: DatabaseSettings, limits: PoolLimits = PoolLimits(),
        _ surroundings: Surroundings = .system
    ) throws {
        core = PoolCore(settings, limits, surroundings)
        retry = settings.retry
        self.surroundings = surroundings
        try core.start()
    }

    deinit { core.drain(within: .zero) }

    /// Lends a connection to `body`. Whatever transaction `body` leaves open is rolled back.
    ///
    /// Without a deadline the wait in line is bounded by the pool's limits, and each statement by the settings. With
    /// one, both the wait and all statements together end there. A cancelled task leaves the line; `body` is not
    /// interrupted once it runs.
    @discardableResult
    public func run<Value: Sendable>(
        deadline: ContinuousClock.Instant? = nil,
        _ body: @escaping @Sendable (DatabaseConnection) throws -> Value
    ) async throws -> Value {
        try await lend(deadline: deadline, overrun: .deadline, body)
    }

    /// Runs `body` as one transaction (see `DatabaseConnection.transaction`), and again from the start on another
    /// connection when the first broke before COMMIT was sent.
    @discardableResult
    public func transaction<Value: Sendable>(
        readOnly: Bool = false, deadline: ContinuousClock.Instant? = nil,
        _ body: @escaping @Sendable (DatabaseConnection) throws -> Value
    ) async throws -> Value {
        var attempt = 1
        while true {
            do {
                return try await lend(deadline: deadline, overrun: readOnly ? .deadline : .commitUnknown) {
                    try $0.transaction(readOnly: readOnly, body)
                }
            } catch let error as DatabaseError
                where Self.movesOn.contains(error.kind) && attempt < retry.attempts
            {
                let pause = retry.pause(before: attempt, random: surroundings.random())
                if let deadline, surroundings.now() + pause >= deadline { throw error }
                try await Task.sleep(for: pause)
                attempt += 1
            }
        }
    }

    /// After these nothing of the transaction stands, and the connection was thrown away.
    private static let movesOn: Set<DatabaseError.Kind> = [.connectionLost, .notReady]

    public var statistics: PoolStatistics { core.statistics }

    /// Takes no more work, lets the callers in line and on connections finish within `time`, and closes all
    /// connections. Returns when the threads have let go.
    public func close(within time: Duration = .seconds(5)) async {
        await withCheckedContinuation { continuation in
            core.drain(within: time) { continuation.resume() }
        }
    }

    private func lend<Value: Sendable>(
        deadline: ContinuousClock.Instant?, overrun: DatabaseError.Kind,
        _ body: @escaping @Sendable (DatabaseConnection) throws -> Value
    ) async throws -> Value {
        let id = core.newJob()
        let answer = Answer<Value>()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                answer.expect(continuation)
                let job = PoolCore.Job(
                    run: { [core] connection in
                        let result = Result { try body(connection) }
                        if core.take(id) { answer.give(result) }
                    }, refuse: { answer.give(.failure($0)) }, deadline: deadline, overrun: overrun)
                core.submit(id, job)
                if Task.isCancelled, core.cancel(id) { answer.give(.failure(CancellationError())) }
            }
        } onCancel: {
            if core.cancel(id) { answer.give(.failure(CancellationError())) }
        }
    }
}
