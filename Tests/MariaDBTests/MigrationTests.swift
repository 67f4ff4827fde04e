// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Foundation
import TestSupport
import Testing

@testable import MariaDB

/// Each test has a database of its own, since a schema has one version.
@Suite(.serialized) struct MigrationTests {
    private static let files = [
        "0001_first.up.sql": "CREATE TABLE first (id INT PRIMARY KEY);\nINSERT INTO first VALUES (1), (2);\n",
        "0001_first.down.sql": "DROP TABLE first;",
        "0002_second.up.sql":
            "ALTER TABLE first ADD COLUMN n INT NOT NULL DEFAULT 7;\nUPDATE first SET n = id * 10;",
        "0002_second.down.sql": "ALTER TABLE first DROP COLUMN n;",
    ]

    private let server: DatabaseServer
    private let settings: DatabaseSettings

    init() throws {
        server = try DatabaseFixture.server.get()
        let name = "m" + String(UInt64.random(in: 0 ... .max), radix: 36)
        try server.sql("CREATE DATABASE \(name) CHARACTER SET utf8mb4; GRANT ALL ON \(name).* TO signet@'%'")
        var settings = DatabaseFixture.settings(server)
        settings.database = name
        settings.statementDeadline = .seconds(20)
        self.settings = settings
    }

    private func open() throws -> DatabaseConnection { try DatabaseConnection.open(settings) }

    private func runner(_ change: (inout [String: String]) -> Void = { _ in }) throws -> MigrationRunner {
        var files = Self.files
        change(&files)
        let list = files.map { (name: $0.key, contents: Array($0.value.utf8)) }
        return MigrationRunner(try Migrations(files: list, folder: "migrations"))
    }

    private func error(_ body: () throws -> Void) -> MigrationError? {
        #expect(throws: MigrationError.self) { try body() }
    }

    @Test func goesUpAndDownAndUpAgain() throws {
        let connection = try open()
        let runner = try runner()
        #expect(
            try runner.status(on: connection)
                == .init(version: 0, unfinished: nil, pending: ["0001_first", "0002_second"]))
        #expect(try runner.apply(on: connection) == ["0001_first", "0002_second"])
        #expect(try runner.apply(on: connection) == [])
        #expect(try runner.status(on: connection) == .init(version: 2, unfinished: nil, pending: []))
        let rows = try connection.execute("SELECT n FROM first ORDER BY id").rows.map { try $0.int("n") }
        #expect(rows == [10, 20])
        #expect(try runner.revert(downTo: 1, on: connection) == ["0002_second"])
        #expect(try connection.execute("SELECT * FROM first").columns == ["id"])
        #expect(try runner.apply(upTo: 1, on: connection) == [])
        #expect(try runner.apply(on: connection) == ["0002_second"])
        #expect(try runner.revert(downTo: 0, on: connection) == ["0002_second", "0001_first"])
        #expect(try runner.status(on: connection).version == 0)
    }

    @Test(arguments: [
        (
            "a gap", ["0002_second.up.sql", "0002_second.down.sql"],
            ["0003_third.up.sql", "0003_third.down.sql"], "0002 is missing"
        ),
        ("no first", ["0001_first.up.sql", "0001_first.down.sql"], [], "0001 is missing"),
        ("a missing half", ["0002_second.down.sql"], [], "0002_second.down.sql is missing"),
        ("a duplicate", [], ["0002_other.up.sql", "0002_other.down.sql"], "number 2 is taken"),
        ("a bad name", [], ["2_other.up.sql"], "2_other.up.sql: a migration is called"),
    ])
    func refusesAFolderWith(_ name: String, _ without: [String], _ with: [String], _ words: String) throws {
        let error = error {
            _ = try runner { files in
                for file in without { files[file] = nil }
                for file in with { files[file] = "SELECT 1" }
            }
        }
        #expect(error?.message.contains(words) == true, "\(error as Any)")
        #expect(error?.code.id == "migration-invalid")
    }

    @Test func readsARealFolder() throws {
        let folder = try TemporaryFolder()
        for (name, text) in Self.files { try folder.write(name, text) }
        try folder.write("README.md", "not SQL")
        #expect(try Migrations(folder: folder.path).all.map(\.label) == ["0001_first", "0002_second"])
        let checksum = try Command.check(["sha256sum", folder.path + "/0001_first.up.sql"]).text.prefix(64)
        let ours = try Migrations(folder: folder.path).all[0].up.checksum.map { String(format: "%02x", $0) }
            .joined()
        #expect(ours == checksum)
        try folder.write("0004_gap.up.sql", "SELECT 1")
        #expect(throws: MigrationError.self) { try Migrations(folder: folder.path) }
        #expect(throws: MigrationError.self) { try Migrations(folder: folder.path + "/nothing") }
        try FileManager.default.createDirectory(
            atPath: folder.path + "/0003_x.up.sql", withIntermediateDirectories: true)
        #expect(throws: MigrationError.self) { try Migrations(folder: folder.path) }
    }

    @Test func refusesAChangedOrMissingAppliedMigration() throws {
        let connection = try open()
        try runner().apply(on: connection)
        let changes: [(String, (inout [String: String]) -> Void, String)] = [
            ("up changed", { $0["0001_first.up.sql"]? += "-- more" }, "0001_first.up.sql changed after"),
            ("down changed", { $0["0002_second.down.sql"]? += " " }, "0002_second.down.sql changed after"),
            (
                "missing",
                {
                    $0["0002_second.up.sql"] = nil
                    $0["0002_second.down.sql"] = nil
                }, "0002_second, which the folder lacks"
            ),
            (
                "renamed",
                {
                    $0["0002_other.up.sql"] = $0.removeValue(forKey: "0002_second.up.sql")
                    $0["0002_other.down.sql"] = $0.removeValue(forKey: "0002_second.down.sql")
                }, "is called second in the database"
            ),
        ]
        for (name, change, words) in changes {
            let runner = try runner(change)
            for act in [
                { try runner.apply(on: connection) }, { try runner.revert(downTo: 0, on: connection) },
            ] {
                let error = error { _ = try act() }
                #expect(error?.message.contains(words) == true, "\(name): \(error as Any)")
                #expect(error?.code.id == "migration-changed")
            }
        }
        #expect(try runner().status(on: connection).version == 2)
    }

    @Test func aRefusedStatementCanBeMendedBehindWhatIsDone() throws {
        let connection = try open()
        let bad = try runner { $0["0002_second.up.sql"]? += "; CREATE TABLE first (id INT)" }
        let error = #expect(throws: DatabaseError.self) { try bad.apply(on: connection) }
        #expect(error?.message.contains("0002_second.up.sql:2: ") == true, "\(error as Any)")
        #expect(try bad.status(on: connection) == .init(version: 1, unfinished: 2, pending: []))
        let rewritten = try runner {
            $0["0002_second.up.sql"] = "ALTER TABLE first ADD COLUMN m INT; SELECT 1; SELECT 2"
        }
        #expect(
            self.error { try rewritten.apply(on: connection) }?.message.contains("first 2 statements") == true
        )
        let mended = try runner { $0["0002_second.up.sql"]? += "; CREATE TABLE other (id INT)" }
        #expect(
            self.error { try mended.revert(downTo: 0, on: connection) }?.message.contains("half done") == true
        )
        #expect(try mended.apply(on: connection) == ["0002_second"])
        #expect(
            try connection.execute("SELECT COUNT(*) AS n FROM first WHERE n = id * 10").onlyRow()?.int("n")
                == 2)
        #expect(try mended.apply(on: connection) == [])
    }

    /// A runner that dies in a DDL statement leaves the mark, and nobody goes on before somebody has looked.
    @Test(arguments: [true, false])
    func aCrashInTheMiddleIsFoundAndSettled(_ tookEffect: Bool) throws {
        let connection = try open()
        let runner = try runner()
        try runner.apply(upTo: 1, on: connection)
        try connection.execute(
            """
            INSERT INTO schema_migration SELECT 2, 'second', ?, ?, 'applying', 1, 0, ?, UTC_TIMESTAMP(6)
            """,
            [
                .bytes(Array(repeating: 0, count: 32)), .bytes(Array(repeating: 0, count: 32)),
                .bytes(try SQLScript([], name: "x").checksum(ofFirst: 0)),
            ])
        if tookEffect {
            try connection.executeDirectly("ALTER TABLE first ADD COLUMN n INT NOT NULL DEFAULT 7")
        }
        let error = error { try runner.apply(on: connection) }
        #expect(error?.code.id == "migration-interrupted")
        #expect(error?.message.contains("0002_second.up.sql:1: a runner stopped in statement 1 of 2") == true)
        #expect(self.error { try runner.settle(1, statementIsDone: true, on: connection) } != nil)
        try runner.settle(2, statementIsDone: tookEffect, on: connection)
        #expect(try runner.apply(on: connection) == ["0002_second"])
        #expect(
            try connection.execute("SELECT COUNT(*) AS n FROM first WHERE n = id * 10").onlyRow()?.int("n")
                == 2)
    }

    @Test func ofManyRunnersOneWorksAtATime() throws {
        let slow = try runner {
            $0["0002_second.up.sql"]? +=
                "; CREATE TABLE slow AS SELECT SLEEP(0.3) AS s; INSERT INTO first VALUES (3, 3)"
            $0["0002_second.down.sql"]? += "; DROP TABLE slow"
        }
        let settings = settings
        let outcomes = Outcomes()
        let threads = (0..<4).map { _ in
            Thread {
                do {
                    let labels = try slow.apply(on: DatabaseConnection.open(settings))
                    outcomes.add(labels.count)
                } catch let error as MigrationError where error.code.id == "migration-busy" {
                    outcomes.add(-1)
                } catch {
                    Issue.record(error)
                    outcomes.add(-2)
                }
            }
        }
        for thread in threads { thread.start() }
        let deadline = ContinuousClock.now + .seconds(60)
        while outcomes.all.count < 4, ContinuousClock.now < deadline { usleep(10_000) }
        let all = outcomes.all.sorted()
        #expect(all.count == 4)
        #expect(all.filter { $0 == 2 }.count == 1, "\(all)")
        #expect(all.filter { $0 == -1 }.count >= 1, "\(all)")
        #expect(try slow.status(on: open()).version == 2)
        #expect(try open().execute("SELECT COUNT(*) AS n FROM first").onlyRow()?.int("n") == 3)
    }

    @Test func aCrashedRunnersClaimEndsByTheDatabasesClock() throws {
        let connection = try open()
        let runner = try runner()
        try runner.apply(upTo: 1, on: connection)
        try connection.execute(
            "UPDATE schema_migration_claim SET expires_at = UTC_TIMESTAMP(6) + INTERVAL 1 HOUR")
        let busy = error { try runner.apply(on: connection) }
        #expect(busy?.message.contains("its claim ends at 2") == true, "\(busy as Any)")
        try connection.execute(
            "UPDATE schema_migration_claim SET expires_at = UTC_TIMESTAMP(6) - INTERVAL 1 SECOND")
        #expect(try runner.apply(on: connection) == ["0002_second"])
    }

    @Test func aRunnerWhoseClaimWasTakenOverStops() throws {
        let connection = try open()
        try connection.executeDirectly(MigrationClaim.table)
        let claim = try MigrationClaim(connection)
        try claim.renew()
        try connection.execute("UPDATE schema_migration_claim SET expires_at = '1970-01-01'")
        let other = try MigrationClaim(open())
        #expect(error { try claim.renew() }?.code.id == "migration-busy")
        claim.release()
        #expect(throws: Never.self) { try other.renew() }
    }
}

private final class Outcomes: @unchecked Sendable {
    private let lock = NSLock()
    private var list: [Int] = []
    func add(_ outcome: Int) { lock.withLock { list.append(outcome) } }
    var all: [Int] { lock.withLock { list } }
}
