// SPDX-License-Identifier: Apache-2.0

import Foundation
import MariaDB
import Synchronization
import TestSupport
import Testing

@Suite struct TransactionTests {
    @Test func allOfItOrNothing() throws {
        struct Own: Error {}
        let connection = try DatabaseFixture.open()
        try DatabaseFixture.table("whole", "id INT PRIMARY KEY", on: connection)
        #expect(throws: Own.self) {
            try connection.transaction { connection in
                try connection.execute("INSERT INTO whole VALUES (1)")
                throw Own()
            }
        }
        #expect(try count("whole", connection) == 0)
        let answer = try connection.transaction { connection in
            try connection.execute("INSERT INTO whole VALUES (2)")
            return "done"
        }
        #expect(answer == "done")
        #expect(try count("whole", connection) == 1)
    }

    /// A trigger that signals makes exactly one statement of a transaction fail.
    @Test func aStatementThatFailsInsideLeavesNothingBehind() throws {
        let connection = try DatabaseFixture.open()
        try DatabaseFixture.table("with_trigger", "id INT PRIMARY KEY, name VARCHAR(20)", on: connection)
        try connection.executeDirectly("DROP TRIGGER IF EXISTS with_trigger_insert")
        try connection.executeDirectly(
            """
            CREATE TRIGGER with_trigger_insert BEFORE INSERT ON with_trigger FOR EACH ROW
            BEGIN
                IF NEW.name = 'boom' THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'injected'; END IF;
            END
            """)
        let insert: (Int64, String) throws -> Void = { id, name in
            try connection.execute("INSERT INTO with_trigger VALUES (?, ?)", [.int(id), .text(name)])
        }
        let error = #expect(throws: DatabaseError.self) {
            try connection.transaction { _ in
                try insert(1, "fine")
                try insert(2, "boom")
                try insert(3, "never reached")
            }
        }
        #expect(error?.kind == .signalled)
        #expect(error?.number == 1644)
        #expect(try count("with_trigger", connection) == 0)
        try connection.executeDirectly("DROP TRIGGER with_trigger_insert")
        try connection.transaction { _ in try insert(2, "boom") }
        #expect(try count("with_trigger", connection) == 1)
    }

    @Test func twoThatDeadlockBothSucceedInTheEnd() async throws {
        let pool = try DatabasePool(DatabaseFixture.settings())
        try await pool.run { connection in
            try DatabaseFixture.table("locked", "id INT PRIMARY KEY, n INT", on: connection)
            try connection.execute("INSERT INTO locked VALUES (1, 0), (2, 0)")
        }
        let bothHold = Meeting(2)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for order in [[1, 2], [2, 1]] {
                group.addTask {
                    try await pool.transaction { connection in
                        try connection.execute("UPDATE locked SET n = n + 1 WHERE id = \(order[0])")
                        bothHold.arrive()
                        try connection.execute("UPDATE locked SET n = n + 1 WHERE id = \(order[1])")
                    }
                }
            }
            try await group.waitForAll()
        }
        let sums = try await pool.run { connection in
            try connection.execute("SELECT n FROM locked ORDER BY id").rows.map { try $0.int("n") }
        }
        #expect(sums == [2, 2])
        #expect(pool.statistics.retries >= 1)
        await pool.close()
    }

    @Test func aCaughtDeadlockStillRunsTheWholeTransactionAgain() async throws {
        let pool = try DatabasePool(DatabaseFixture.settings())
        try await pool.run { connection in
            try DatabaseFixture.table("swallowed", "id INT PRIMARY KEY, n INT", on: connection)
            try connection.execute("INSERT INTO swallowed VALUES (1, 0), (2, 0)")
        }
        let bothHold = Meeting(2)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for order in [[1, 2], [2, 1]] {
                group.addTask {
                    try await pool.transaction { connection in
                        try connection.execute("UPDATE swallowed SET n = n + 1 WHERE id = \(order[0])")
                        bothHold.arrive()
                        // The server has rolled everything back when this fails: what follows must not be a
                        // transaction of its own.
                        _ = try? connection.execute("UPDATE swallowed SET n = n + 1 WHERE id = \(order[1])")
                        _ = try? connection.execute("UPDATE swallowed SET n = n + 10 WHERE id = \(order[0])")
                    }
                }
            }
            try await group.waitForAll()
        }
        let sums = try await pool.run { connection in
            try connection.execute("SELECT n FROM swallowed ORDER BY id").rows.map { try $0.int("n") }
        }
        #expect(sums == [12, 12])
        await pool.close()
    }

    @Test func retriesPauseAsTheirPolicySaysAndEnd() throws {
        var settings = try DatabaseFixture.settings()
        settings.retry = RetryPolicy(attempts: 4, first: .milliseconds(8), longest: .milliseconds(16))
        settings.lockWait = .seconds(1)
        settings.statementDeadline = .seconds(20)
        let pauses = Pauses()
        let surroundings = Surroundings(
            now: { .now }, pause: { pauses.note($0) }, random: { .max })
        let holder = try DatabaseFixture.open()
        try DatabaseFixture.table("held", "id INT PRIMARY KEY", on: holder)
        try holder.execute("INSERT INTO held VALUES (1)")
        let connection = try DatabaseConnection.open(settings, surroundings)
        try connection.executeDirectly("SET innodb_lock_wait_timeout = 0")
        var runs = 0
        try holder.transaction { holder in
            try holder.execute("SELECT id FROM held WHERE id = 1 FOR UPDATE")
            let error = #expect(throws: DatabaseError.self) {
                try connection.transaction { connection in
                    runs += 1
                    try connection.execute("SELECT id FROM held WHERE id = 1 FOR UPDATE")
                }
            }
            #expect(error?.kind == .lockWait)
        }
        #expect(runs == 4)
        let rounded = pauses.all.map { ($0 / .milliseconds(1)).rounded() }
        #expect(rounded == [8, 16, 16])
    }

    @Test func ddlInsideIsToldBecauseItCommits() throws {
        let connection = try DatabaseFixture.open()
        let error = #expect(throws: DatabaseError.self) {
            try connection.transaction { try DatabaseFixture.table("ddl_inside", "id INT", on: $0) }
        }
        #expect(error?.message.contains("ended the transaction") == true)
        let nested = #expect(throws: DatabaseError.self) {
            try connection.transaction { try $0.transaction { _ in } }
        }
        #expect(nested?.kind == .badStatement)
    }

    @Test func aReadOnlyTransactionWritesNothing() throws {
        let connection = try DatabaseFixture.open()
        try DatabaseFixture.table("only_read", "id INT PRIMARY KEY", on: connection)
        let error = #expect(throws: DatabaseError.self) {
            try connection.transaction(readOnly: true) { try $0.execute("INSERT INTO only_read VALUES (1)") }
        }
        #expect(error?.number == 1792)
    }

    private func count(_ table: String, _ connection: DatabaseConnection) throws -> Int64? {
        try connection.execute("SELECT COUNT(*) AS n FROM \(table)").onlyRow()?.int("n")
    }
}

/// Blocking code of several threads waits here until all have come once; who comes again goes on.
final class Meeting: Sendable {
    private let missing: Atomic<Int>
    private let all = DispatchSemaphore(value: 0)

    init(_ count: Int) { missing = Atomic(count) }

    func arrive() {
        let left = missing.subtract(1, ordering: .sequentiallyConsistent).newValue
        if left <= 0 { all.signal() } else { all.wait() }
    }
}

private final class Pauses: Sendable {
    private let pauses = Mutex<[Duration]>([])
    func note(_ pause: Duration) { pauses.withLock { $0.append(pause) } }
    var all: [Duration] { pauses.withLock { $0 } }
}
