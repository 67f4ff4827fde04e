// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization
import TestSupport
import Testing

@testable import MariaDB

@Suite struct PoolTests {
    @Test func lendsEachConnectionToOneCallerAtATime() async throws {
        let pool = try DatabasePool(DatabaseFixture.settings())
        let ids = try await withThrowingTaskGroup(of: UInt64.self) { group in
            for _ in 0..<40 {
                group.addTask {
                    try await pool.run { connection in
                        let before = try connection.execute("SELECT CONNECTION_ID() AS id").onlyRow()?.uint(
                            "id")
                        try connection.execute("DO SLEEP(0.005)")
                        let after = try connection.execute("SELECT CONNECTION_ID() AS id").onlyRow()?.uint(
                            "id")
                        #expect(before == after)
                        return after ?? 0
                    }
                }
            }
            return try await group.reduce(into: Set<UInt64>()) { $0.insert($1) }
        }
        #expect(ids.count <= 4)
        // The last caller has its answer a moment before it is counted.
        await eventually { pool.statistics.served == 40 }
        #expect(pool.statistics.connects <= 4)
        await pool.close()
        #expect(pool.statistics.connections == 0)
    }

    @Test func errorsOfTheClosureComeThroughAndTheConnectionStays() async throws {
        struct Own: Error {}
        // One connection: with more, a caller may get a new one while the last is still on its way back.
        var limits = PoolLimits()
        limits.size = 1
        let pool = try DatabasePool(DatabaseFixture.settings(), limits: limits)
        await #expect(throws: Own.self) { try await pool.run { _ in throw Own() } }
        await #expect(throws: DatabaseError.self) { try await pool.run { try $0.execute("SELEC") } }
        #expect(try await pool.run { try $0.execute("SELECT 1 AS one").onlyRow()?.int("one") } == 1)
        #expect(pool.statistics.connects == 1)
        await pool.close()
    }

    @Test func aTransactionLeftOpenIsRolledBack() async throws {
        let connection = try DatabaseFixture.open()
        try DatabaseFixture.table("left_open", "id INT PRIMARY KEY", on: connection)
        var limits = PoolLimits()
        limits.size = 1
        let pool = try DatabasePool(DatabaseFixture.settings(), limits: limits)
        try await pool.run { connection in
            try connection.executeDirectly("START TRANSACTION")
            try connection.execute("INSERT INTO left_open VALUES (1)")
        }
        let count = try await pool.run {
            try $0.execute("SELECT COUNT(*) AS n FROM left_open").onlyRow()?.int("n")
        }
        #expect(count == 0)
        await pool.close()
    }

    @Test func waitsInLineOnlySoLong() async throws {
        var limits = PoolLimits()
        limits.size = 1
        limits.wait = .seconds(2)
        limits.waiters = 1
        let pool = try DatabasePool(DatabaseFixture.settings(), limits: limits)
        try await pool.run { _ in }
        let gate = Gate()
        async let holder: Void = pool.run { _ in gate.pass() }
        await gate.isReached()
        let waiter = Task { try await pool.run { _ in } }
        await eventually { pool.statistics.waiting == 1 }
        await expect(kind(.poolExhausted, "the line is full")) { try await pool.run { _ in } }
        await expect(kind(.poolExhausted, "became free")) { try await waiter.value }
        gate.open()
        try await holder
        await pool.close()
    }

    @Test func aCancelledTaskLeavesTheLine() async throws {
        var limits = PoolLimits()
        limits.size = 1
        let pool = try DatabasePool(DatabaseFixture.settings(), limits: limits)
        try await pool.run { _ in }
        let gate = Gate()
        async let holder: Void = pool.run { _ in gate.pass() }
        await gate.isReached()
        let waiter = Task { try await pool.run { _ in Issue.record("it was cancelled") } }
        await eventually { pool.statistics.waiting == 1 }
        waiter.cancel()
        await #expect(throws: CancellationError.self) { try await waiter.value }
        await eventually { pool.statistics.waiting == 0 }
        gate.open()
        try await holder
        await #expect(throws: CancellationError.self) {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.cancelAll()
                group.addTask {
                    while !Task.isCancelled { await Task.yield() }
                    try await pool.run { _ in try Task.checkCancellation() }
                    try Task.checkCancellation()
                }
                try await group.next()
            }
        }
        await pool.close()
    }

    @Test func aJobThatOverrunsItsDeadlineIsAnsweredAnyway() async throws {
        var limits = PoolLimits()
        limits.size = 1
        let pool = try DatabasePool(DatabaseFixture.settings(), limits: limits)
        try await pool.run { _ in }
        let gate = Gate()
        await expect(kind(.deadline, "went on past")) {
            try await pool.run(deadline: .now + .milliseconds(50)) { _ in gate.pass() }
        }
        gate.open()
        #expect(try await pool.run { try $0.execute("SELECT 1 AS one").onlyRow()?.int("one") } == 1)
        await pool.close()
    }

    @Test func closingServesTheLineAndRefusesTheRest() async throws {
        var limits = PoolLimits()
        limits.size = 1
        let pool = try DatabasePool(DatabaseFixture.settings(), limits: limits)
        try await pool.run { _ in }
        let gate = Gate()
        async let holder: Int = pool.run { _ in
            gate.pass()
            return 1
        }
        await gate.isReached()
        async let waiter: Int = pool.run(deadline: .now + .seconds(60)) { _ in 2 }
        await eventually { pool.statistics.waiting == 1 }
        async let closed: Void = pool.close(within: .seconds(20))
        await eventually {
            do {
                try await pool.run(deadline: .now + .milliseconds(10)) { _ in }
                return false
            } catch { return (error as? DatabaseError)?.kind == .poolClosed }
        }
        gate.open()
        #expect(try await holder == 1)
        #expect(try await waiter == 2)
        await closed
        #expect(pool.statistics.connections == 0)
        await pool.close()
    }

    @Test func threadsEndWithThePool() async throws {
        let settings = try DatabaseFixture.settings()
        var before = 0
        for round in 0..<6 {
            if round == 1 { before = threads }
            let pool = try DatabasePool(settings)
            try await pool.run { _ in }
            _ = consume pool
        }
        // Other suites come and go beside this one, but thirty left-over threads would show.
        await eventually { threads < before + 20 }
    }

    @Test func aPoolWithoutThreadsIsNone() async throws {
        let started = Atomic(0)
        var surroundings = Surroundings.system
        surroundings.startThread = { body in
            guard started.add(1, ordering: .relaxed).newValue <= 2 else { return false }
            return PoolThread.start {
                body()
                started.subtract(1, ordering: .relaxed)
            }
        }
        let settings = try DatabaseFixture.settings()
        await expect(kind(.noThread, "no thread left")) { [surroundings] in
            try DatabasePool(settings, surroundings)
        }
        // The two that did start are gone again, and the one that was refused was counted.
        await eventually { started.load(ordering: .relaxed) == 1 }
    }

    private var threads: Int {
        (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").count) ?? 0
    }
}

/// A place where a blocking closure stands still until the test opens it.
final class Gate: Sendable {
    private let arrived = Atomic(false)
    private let isOpen = DispatchSemaphore(value: 0)

    func pass() {
        arrived.store(true, ordering: .sequentiallyConsistent)
        isOpen.wait()
        isOpen.signal()
    }

    func open() { isOpen.signal() }
    func isReached() async { await eventually { arrived.load(ordering: .sequentiallyConsistent) } }
}

/// `body` has to fail so.
func expect<Value>(
    _ match: KindMatch, _ body: () async throws -> Value, _ place: SourceLocation = #_sourceLocation
) async {
    do {
        _ = try await body()
        Issue.record("nothing was thrown instead of \(match.kind)", sourceLocation: place)
    } catch {
        #expect(match.matches(error), "\(String(reflecting: error))", sourceLocation: place)
    }
}

/// Matches a database error of this kind whose message holds these words.
func kind(_ kind: DatabaseError.Kind, _ words: String = "") -> KindMatch {
    KindMatch(kind: kind, words: words)
}

struct KindMatch {
    var kind: DatabaseError.Kind
    var words: String

    func matches(_ error: any Error) -> Bool {
        guard let error = error as? DatabaseError else { return false }
        return error.kind == kind && (words.isEmpty || error.message.contains(words))
    }
}
