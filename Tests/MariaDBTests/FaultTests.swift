// SPDX-License-Identifier: Apache-2.0

import Foundation
import MariaDB
import TestSupport
import Testing

/// A server of their own that these tests kill, freeze and fill.
@Suite(.serialized) struct FaultTests {
    private static let shared = Result { try DatabaseServer() }
    private let server: DatabaseServer
    private let settings: DatabaseSettings

    init() throws {
        server = try Self.shared.get()
        var settings = DatabaseFixture.settings(server)
        settings.retry = RetryPolicy(attempts: 200, first: .milliseconds(10), longest: .milliseconds(100))
        self.settings = settings
    }

    private func pool(_ settings: DatabaseSettings, size: Int = 3) throws -> DatabasePool {
        var limits = PoolLimits()
        limits.size = size
        limits.reconnect = RetryPolicy(attempts: 0, first: .milliseconds(20), longest: .milliseconds(100))
        return try DatabasePool(settings, limits: limits)
    }

    @Test func transactionsOutliveAKilledServer() async throws {
        let pool = try pool(settings)
        try await pool.run { connection in
            try DatabaseFixture.table("killed", "id INT PRIMARY KEY, n INT NOT NULL", on: connection)
        }
        let unknown = try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<60 {
                group.addTask {
                    try await Task.sleep(for: .milliseconds(number * 10))
                    do {
                        try await pool.transaction(deadline: .now + .seconds(30)) { connection in
                            try connection.execute("INSERT INTO killed VALUES (\(number), 1)")
                            try connection.execute("UPDATE killed SET n = n + 1 WHERE id = \(number)")
                        }
                        return 0
                    } catch let error as DatabaseError where error.kind == .commitUnknown {
                        // As a caller has to: read back, and write what is not there.
                        try await pool.transaction(deadline: .now + .seconds(30)) { connection in
                            try connection.execute(
                                "INSERT INTO killed VALUES (\(number), 2) ON DUPLICATE KEY UPDATE n = n")
                        }
                        return 1
                    }
                }
            }
            try await Task.sleep(for: .milliseconds(200))
            server.crash()
            try server.start()
            return try await group.reduce(0, +)
        }
        let rows = try await pool.run { try $0.execute("SELECT n FROM killed").rows.map { try $0.int("n") } }
        #expect(rows == Array(repeating: 2, count: 60), "\(unknown) commits were unknown")
        #expect(pool.statistics.lost >= 1)
        await pool.close()
    }

    @Test func aHungServerHoldsNobodyPastHisDeadline() async throws {
        let pool = try pool(settings, size: 2)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<2 { group.addTask { _ = try await pool.run { try $0.execute("DO SLEEP(0.05)") } } }
            try await group.waitForAll()
        }
        let threads = threads
        server.freeze()
        defer { server.thaw() }
        let start = ContinuousClock.now
        let kinds = await withTaskGroup(of: DatabaseError.Kind?.self) { group in
            for _ in 0..<30 {
                group.addTask {
                    do {
                        try await pool.run(deadline: start + .milliseconds(400)) {
                            try $0.execute("SELECT 1")
                        }
                        return nil
                    } catch { return (error as? DatabaseError)?.kind }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        let waited = ContinuousClock.now - start
        #expect(kinds.allSatisfy { [.deadline, .poolExhausted, .cannotConnect].contains($0) }, "\(kinds)")
        #expect(kinds.contains(.deadline))
        #expect(waited < .seconds(4), "the deadline was 0.4 s, the wait \(waited)")
        #expect(self.threads <= threads + 4, "other tests start some, thirty callers none")
        server.thaw()
        let one = try await pool.run(deadline: .now + .seconds(20)) {
            try $0.execute("SELECT 1 AS one").onlyRow()?.int("one")
        }
        #expect(one == 1)
        await pool.close()
    }

    @Test func aCommitIntoSilenceIsUnknown() throws {
        var settings = settings
        settings.statementDeadline = .milliseconds(400)
        let connection = try DatabaseConnection.open(settings)
        try DatabaseFixture.table("silent", "id INT PRIMARY KEY", on: connection)
        defer { server.thaw() }
        let error = #expect(throws: DatabaseError.self) {
            try connection.transaction { connection in
                try connection.execute("INSERT INTO silent VALUES (1)")
                server.freeze()
            }
        }
        #expect(error?.kind == .commitUnknown)
        #expect(connection.isBroken)
        server.thaw()
        let again = try DatabaseConnection.open(settings)
        let count = try again.execute("SELECT COUNT(*) AS n FROM silent").onlyRow()?.int("n")
        #expect(count == 0 || count == 1)
    }

    @Test func connectingToAFrozenServerEndsAtItsTimeLimit() throws {
        var settings = settings
        settings.connectTimeout = .milliseconds(300)
        for address in [settings.servers[0], .address(host: "127.0.0.1", port: server.port)] {
            settings.servers = [address]
            server.freeze()
            defer { server.thaw() }
            let start = ContinuousClock.now
            let error = #expect(throws: DatabaseError.self) { try DatabaseConnection.open(settings) }
            #expect(error?.kind == .cannotConnect)
            #expect(ContinuousClock.now - start < .seconds(3))
        }
    }

    @Test func aStatementOverItsTimeIsEndedByTheServerAndTheConnectionStays() throws {
        var settings = settings
        settings.statementDeadline = .seconds(1)
        let connection = try DatabaseConnection.open(settings)
        let error = #expect(throws: DatabaseError.self) {
            try connection.execute(
                "SELECT COUNT(*) FROM seq_1_to_1000000 a JOIN seq_1_to_1000000 b ON a.seq <> b.seq")
        }
        #expect(error?.kind == .deadline)
        #expect(error?.number == 1969)
        #expect(!connection.isBroken)
        #expect(try connection.execute("SELECT 1 AS one").onlyRow()?.int("one") == 1)
    }

    @Test func aDatabaseThatIsAwayAtTheStartIsWaitedFor() async throws {
        server.crash()
        let pool = try pool(settings)
        await expect(kind(.cannotConnect, server.socket)) {
            try await pool.run(deadline: .now + .milliseconds(200)) { _ in }
        }
        let early = Task {
            try await pool.run(deadline: .now + .seconds(30)) {
                try $0.execute("SELECT 1 AS one").onlyRow()?.int("one")
            }
        }
        try server.start()
        #expect(try await early.value == 1)
        #expect(pool.statistics.failedConnects >= 1)
        await pool.close()
        #expect(throws: Never.self) { try DatabaseConnection.open(settings) }
    }

    @Test func whenTheServerIsFullThePoolWaits() async throws {
        // One connection is kept for administrators on top of the limit.
        try server.sql("SET GLOBAL max_connections = 10")
        var held: [DatabaseConnection] = []
        let error = #expect(throws: DatabaseError.self) {
            for _ in 0..<20 { held.append(try DatabaseConnection.open(settings)) }
        }
        #expect(error?.kind == .tooManyConnections)
        #expect(error?.number == 1040)
        let pool = try pool(settings)
        await expect(kind(.cannotConnect, "Too many connections")) {
            try await pool.run(deadline: .now + .milliseconds(300)) { _ in }
        }
        held.removeAll()
        try await pool.run(deadline: .now + .seconds(20)) { try $0.execute("SELECT 1") }
        await pool.close()
        try server.sql("SET GLOBAL max_connections = 151")
    }

    @Test func aReadOnlyServerIsToldAndLeft() async throws {
        let pool = try pool(settings, size: 1)
        try await pool.run { try DatabaseFixture.table("writable", "id INT PRIMARY KEY", on: $0) }
        try server.sql("SET GLOBAL read_only = 1")
        await expect(kind(.readOnly, "read-only")) {
            try await pool.transaction { try $0.execute("INSERT INTO writable VALUES (1)") }
        }
        #expect(
            try await pool.run { try $0.execute("SELECT COUNT(*) AS n FROM writable").onlyRow()?.int("n") }
                == 0)
        try server.sql("SET GLOBAL read_only = 0")
        try await pool.transaction { try $0.execute("INSERT INTO writable VALUES (1)") }
        #expect(pool.statistics.connects >= 2, "a read-only server may be the wrong one by now")
        await pool.close()
    }

    @Test func aKilledConnectionIsReplacedWithoutTheCallerNoticing() async throws {
        let pool = try pool(settings, size: 1)
        let id = try await pool.run {
            try $0.execute("SELECT CONNECTION_ID() AS id").onlyRow()?.uint("id") ?? 0
        }
        try server.sql("KILL \(id)")
        let next = try await pool.transaction {
            try $0.execute("SELECT CONNECTION_ID() AS id").onlyRow()?.uint("id")
        }
        #expect(next != id)
        await eventually { pool.statistics.lost == 1 }
        await pool.close()
    }

    @Test func theNextServerOfTheListIsTried() throws {
        var settings = settings
        let good = settings.servers[0]
        settings.servers = [
            .socket(path: server.folder.path + "/nobody"), .address(host: "127.0.0.1", port: 1), good,
        ]
        #expect(try DatabaseConnection.open(settings).server == good)
        settings.order = .random
        for _ in 0..<5 { #expect(try DatabaseConnection.open(settings).server == good) }
        settings.servers.removeLast()
        let error = #expect(throws: DatabaseError.self) { try DatabaseConnection.open(settings) }
        #expect(error?.kind == .cannotConnect)
        #expect(error?.message.contains("/nobody") == true)
        #expect(error?.message.contains("127.0.0.1:1") == true)
        settings.servers = []
        #expect(kind { _ = try DatabaseConnection.open(settings) } == .settings)
    }

    private var threads: Int {
        (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").count) ?? 0
    }
}
