// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

@testable import MariaDB

@Suite struct StatementTests {
    @Test(
        arguments: [
            ("tiny", "TINYINT", DatabaseValue.int(-128)),
            ("tiny unsigned", "TINYINT UNSIGNED", .uint(255)),
            ("smallest", "BIGINT", .int(.min)),
            ("largest", "BIGINT", .int(.max)),
            ("largest unsigned", "BIGINT UNSIGNED", .uint(.max)),
            ("double", "DOUBLE", .double(-1.5e300)),
            ("ascii", "VARCHAR(40)", .text("plain")),
            ("unicode", "VARCHAR(40)", .text("Grüße 🐧 日本 e\u{301}")),
            ("empty text", "VARCHAR(40)", .text("")),
            ("quotes", "TEXT", .text("'\"`\\; -- \0 /* ? */")),
            ("fixed bytes", "BINARY(4)", .bytes([0, 255, 39, 92])),
            ("empty bytes", "VARBINARY(10)", .bytes([])),
            ("blob", "BLOB", .bytes(Array(0...255))),
            ("at the slot", "BLOB", .bytes(Array(repeating: 7, count: 256))),
            ("over the slot", "BLOB", .bytes(Array(repeating: 7, count: 257))),
            ("long text", "TEXT", .text(String(repeating: "ö", count: 20_000))),
            ("microsecond", "DATETIME(6)", .time(Timestamp(microseconds: 1_700_000_000_123_457))),
            ("before 1970", "DATETIME(6)", .time(Timestamp(microseconds: -1))),
            ("last", "DATETIME(6)", .time(.latest)),
            ("timestamp", "TIMESTAMP(6) NULL", .time(Timestamp(microseconds: 1_700_000_000_000_001))),
            ("null text", "VARCHAR(4)", .null),
            ("null time", "DATETIME(6)", .null),
            ("null number", "BIGINT", .null),
        ] as [(String, String, DatabaseValue)])
    func valuesComeBackAsTheyWent(_ name: String, _ type: String, _ value: DatabaseValue) throws {
        let connection = try DatabaseFixture.open()
        let table = "v_" + name.replacingOccurrences(of: " ", with: "_")
        try DatabaseFixture.table(table, "value \(type)", on: connection)
        let inserted = try connection.execute("INSERT INTO \(table) VALUES (?)", [value])
        #expect(inserted.affectedRows == 1)
        let row = try #require(try connection.execute("SELECT value FROM \(table)").onlyRow())
        #expect(try row["value"] == value)
        let found = try connection.execute("SELECT COUNT(*) AS n FROM \(table) WHERE value <=> ?", [value])
        #expect(try found.onlyRow()?.int("n") == 1)
    }

    @Test func sixteenMebibytesComeBackWhole() throws {
        let connection = try DatabaseFixture.open()
        try DatabaseFixture.table("big", "id INT PRIMARY KEY, value LONGBLOB", on: connection)
        var random = Trials.generator("big value")
        var bytes = (0..<4096).map { _ in UInt8.random(in: .min ... .max, using: &random) }
        while bytes.count < 16 << 20 { bytes += bytes }
        try connection.execute("INSERT INTO big VALUES (1, ?)", [.bytes(bytes)])
        let result = try connection.execute("SELECT value, SHA2(value, 256) AS hash FROM big")
        #expect(try result.onlyRow()?.bytes("value") == bytes)
    }

    @Test func readsTheServersOtherTypes() throws {
        let connection = try DatabaseFixture.open()
        let row = try #require(
            try connection.execute(
                """
                SELECT CAST(12.50 AS DECIMAL(6,2)) AS d, CAST('2024-02-29' AS DATE) AS day,
                CAST('-01:02:03.5' AS TIME(1)) AS t, 1.5e0 AS f, X'00ff' AS b, NULL AS nothing, 'é' AS s
                """
            ).onlyRow())
        #expect(try row.text("d") == "12.50")
        #expect(try row.text("day") == "2024-02-29")
        #expect(try row.text("t") == "-01:02:03.5")
        #expect(try row.double("f") == 1.5)
        #expect(try row.bytes("b") == [0, 255])
        #expect(try row.isNull("nothing"))
        #expect(try row.textIfPresent("nothing") == nil)
        #expect(try row[6] == .text("é"))
    }

    @Test func refusesToMisreadAColumn() throws {
        let connection = try DatabaseFixture.open()
        let row = try #require(
            try connection.execute(
                "SELECT 1 AS one, -1 AS minus, 'a' AS a, NULL AS nothing, CAST(-1 AS UNSIGNED) AS huge"
            ).onlyRow())
        let misreadings: [(String, () throws -> Void)] = [
            ("no column two", { _ = try row.int("two") }),
            ("column a is text, not an integer", { _ = try row.int("a") }),
            ("column one is a signed integer, not text", { _ = try row.text("one") }),
            ("column one is a signed integer, not bytes", { _ = try row.bytes("one") }),
            ("column one is a signed integer, not a time", { _ = try row.time("one") }),
            ("column nothing is NULL", { _ = try row.text("nothing") }),
            ("minus does not fit an unsigned", { _ = try row.uint("minus") }),
            ("huge does not fit a signed", { _ = try row.int("huge") }),
            ("minus holds neither 0 nor 1", { _ = try row.bool("minus") }),
            ("5 columns, no number 5", { _ = try row[5] }),
        ]
        for (words, reading) in misreadings {
            let error = #expect(throws: DatabaseError.self) { try reading() }
            // A flag that is none is the row's fault, not the statement's.
            #expect(error?.kind == (words.hasPrefix("minus holds") ? .badRow : .badStatement))
            #expect(
                error.map { "\($0)".contains(words.split(separator: ",")[0]) } == true,
                "\(words): \(error as Any)")
        }
    }

    @Test func theSessionIsSetUp() throws {
        let connection = try DatabaseFixture.open()
        let row = try #require(
            try connection.execute(
                """
                SELECT @@time_zone AS zone, @@sql_mode AS modes, @@autocommit AS autocommit,
                @@character_set_client AS client, @@character_set_connection AS connection
                """
            ).onlyRow())
        #expect(try row.text("zone") == "+00:00")
        #expect(try row.text("modes").contains("STRICT_ALL_TABLES"))
        #expect(try row.int("autocommit") == 1)
        #expect(try row.text("client") == "utf8mb4")
        #expect(try row.text("connection") == "utf8mb4")
        let isolation = connection.isMariaDB ? "tx_isolation" : "transaction_isolation"
        #expect(
            try connection.execute("SELECT @@\(isolation) AS level").onlyRow()?.text("level")
                == "READ-COMMITTED")
        let waits = try connection.execute("SHOW SESSION VARIABLES LIKE 'wsrep_sync_wait'").onlyRow()
        #expect(try waits == nil || waits?.text("Value") == "1")
        #expect(!connection.isMariaDB || waits != nil)
    }

    @Test func errorsHaveTheirKind() throws {
        let connection = try DatabaseFixture.open()
        try DatabaseFixture.table(
            "kinds", "id INT PRIMARY KEY, name VARCHAR(3), UNIQUE KEY by_name (name)", on: connection)
        try connection.execute("INSERT INTO kinds VALUES (1, 'abc')")
        let cases: [(String, [DatabaseValue], DatabaseError.Kind)] = [
            ("INSERT INTO kinds VALUES (1, 'x')", [], .duplicateKey),
            ("INSERT INTO kinds VALUES (2, ?)", [.text("long")], .badValue),
            ("INSERT INTO kinds VALUES (?, 'x')", [.null], .badValue),
            ("INSERT INTO kinds VALUES (?, 'x')", [.int(1 << 40)], .badValue),
            ("SELEC 1", [], .badStatement),
            ("SELECT nothing FROM kinds", [], .badStatement),
            ("SELECT * FROM no_such_table", [], .badStatement),
            ("SELECT ?", [], .badStatement),
            ("SELECT ?", [.int(1), .int(2)], .badStatement),
            ("SELECT ?", [.time(Timestamp(microseconds: .max))], .badValue),
        ]
        for (sql, parameters, wanted) in cases {
            let error = #expect(throws: DatabaseError.self) { try connection.execute(sql, parameters) }
            #expect(error?.kind == wanted, "\(sql): \(error.debugDescription)")
        }
        #expect(!connection.isBroken)
    }

    @Test func duplicatesNameTheirKeyAndKeepTheValueOut() throws {
        let connection = try DatabaseFixture.open()
        try DatabaseFixture.table(
            "duplicates", "id INT PRIMARY KEY, name VARCHAR(30), UNIQUE KEY by_name (name)", on: connection)
        try connection.execute("INSERT INTO duplicates VALUES (1, 'private words')")
        let error = #expect(throws: DatabaseError.self) {
            try connection.execute("INSERT INTO duplicates VALUES (2, ?)", [.text("private words")])
        }
        #expect(error?.constraint == "by_name")
        #expect(error?.number == 1062)
        #expect(error?.description.contains("private") == false)
        #expect(error?.debugDescription.contains("private") == true)
    }

    @Test func countsWhatItChanged() throws {
        let connection = try DatabaseFixture.open()
        try DatabaseFixture.table("counts", "id INT AUTO_INCREMENT PRIMARY KEY, n INT", on: connection)
        let first = try connection.execute("INSERT INTO counts (n) VALUES (1), (2), (3)")
        #expect(first.insertID == 1)
        #expect(first.affectedRows == 3)
        #expect(try connection.execute("UPDATE counts SET n = 2 WHERE n >= 2").affectedRows == 1)
        #expect(try connection.execute("INSERT INTO counts (n) VALUES (4)").insertID == 4)
        #expect(try connection.execute("DELETE FROM counts").affectedRows == 4)
    }

    @Test func preparedStatementsFollowAChangedTable() throws {
        let connection = try DatabaseFixture.open()
        try DatabaseFixture.table("changing", "a INT", on: connection)
        try connection.execute("INSERT INTO changing VALUES (1)")
        #expect(try connection.execute("SELECT * FROM changing").onlyRow()?.values == [.int(1)])
        try connection.executeDirectly("ALTER TABLE changing ADD COLUMN b VARCHAR(10) DEFAULT 'new'")
        #expect(
            try connection.execute("SELECT * FROM changing").onlyRow()?.values == [.int(1), .text("new")])
    }

    @Test func manyDifferentStatementsDoNotPileUpOnTheServer() throws {
        let connection = try DatabaseFixture.open()
        for number in 0..<200 { try connection.execute("SELECT \(number)") }
        let open = try connection.execute("SHOW STATUS LIKE 'Com_stmt_close'").rows.first
        #expect(try Int(open?.text("Value") ?? "0") ?? 0 >= 100)
    }

    @Test(arguments: [0, 1, 2, 3, 255, 256, 257, 700])
    func batchesInsertEveryRowOnce(_ count: Int) throws {
        let connection = try DatabaseFixture.open()
        try DatabaseFixture.table("batch_\(count)", "id INT PRIMARY KEY, name VARCHAR(20)", on: connection)
        let batch = BatchInsert(into: "batch_\(count)", columns: ["id", "name"], onDuplicate: "id = id")
        let rows = (0..<count).map { [DatabaseValue.int(Int64($0)), .text("row \($0)")] }
        #expect(try connection.insert(rows, with: batch) == count)
        #expect(try connection.insert(rows, with: batch) == 0)
        let sum = try connection.execute(
            "SELECT COUNT(*) AS n, COUNT(DISTINCT name) AS d FROM batch_\(count)"
        ).onlyRow()
        #expect(try sum?.int("n") == Int64(count))
        #expect(try sum?.int("d") == Int64(count))
    }

    @Test func batchesOfManyColumnsKeepBelowTheServersLimit() {
        let batch = BatchInsert(into: "wide`table", columns: (0..<1000).map { "c\($0)" })
        #expect(batch.chunks(of: 200) == [65, 65, 65, 4, 1])
        #expect(batch.sql(rows: 1).hasPrefix("INSERT INTO `wide``table` (`c0`, "))
        #expect(BatchInsert(into: "t", columns: ["a"]).chunks(of: 600) == [256, 256, 64, 16, 8])
    }
}
