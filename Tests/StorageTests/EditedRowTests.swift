// SPDX-License-Identifier: Apache-2.0

import Bytes
import Diagnostics
import Foundation
import Keyring
import MariaDB
import Signatures
import Storage
import TestSupport
import Testing

/// What somebody who may write to the database can do to rows that stand under a code: nothing that is believed.
///
/// Every column that a table has is tried, as the database itself lists them, so that a new one is not forgotten.
@Suite struct EditedRowTests {
    private let stores: Stores
    private let database: TestDatabase
    private let pool: DatabasePool

    init() async throws {
        stores = try await Stores(.mariaDB)
        database = try #require(stores.database)
        pool = try database.pool(.migration, size: 1)
    }

    private func run(_ sql: String) async throws {
        try await pool.run { connection in
            // As an attacker's session may be: nothing is refused for its value, or for what refers to it.
            try connection.execute("SET SESSION sql_mode = ''")
            try connection.execute("SET SESSION foreign_key_checks = 0")
            try connection.execute(sql)
        }
    }

    private func columns(_ table: String) async throws -> [(name: String, type: String)] {
        let schema = database.name
        return try await pool.run { connection in
            try connection.execute(
                "SELECT column_name AS name, data_type AS type FROM information_schema.columns "
                    + "WHERE table_schema = '\(schema)' AND table_name = '\(table)' ORDER BY ordinal_position"
            ).rows.map { (try $0.text("name"), try $0.text("type")) }
        }
    }

    /// Other values for a column of that type; each has to be found out.
    private func edits(_ column: String, _ type: String) -> [String] {
        switch type {
        case "binary", "varbinary", "mediumblob":
            // The first bit and the last one, a byte more and one less, and nothing.
            [
                "CONCAT(CHAR(ASCII(\(column)) ^ 1), SUBSTRING(\(column), 2))",
                "CONCAT(SUBSTRING(\(column), 1, LENGTH(\(column)) - 1), CHAR(ASCII(RIGHT(\(column), 1)) ^ 128))",
                "CONCAT(\(column), 'x')", "SUBSTRING(\(column), 2)", "NULL",
                "UNHEX(REPEAT('07', 16))",
            ]
        case "datetime": ["'0000-00-00 00:00:00'", "'2031-02-03 04:05:06'", "NULL"]
        case "varchar":
            [
                "CONCAT(\(column), 'x')", "''", "'enabled'", "'openpgp'", "'rsa4096'", "'dns'", "'deletion'",
                "'open'",
            ]
        default: ["\(column) + 1", "0"]
        }
    }

    /// Tries all edits of all columns of the row with this id. `read` reads and judges it; it throws, or finds nothing, for
    /// what is not believed. Returns how many edits changed the row.
    private func tryAll(
        _ table: String, _ id: [UInt8], not free: Set<String>, _ read: () async throws -> Bool
    ) async throws -> Int {
        let place = "id = x'\(Hex.encode(id))'"
        try await run("CREATE TABLE IF NOT EXISTS kept LIKE \(table)")
        try await run("DELETE FROM kept")
        try await run("INSERT INTO kept SELECT * FROM \(table) WHERE \(place)")
        #expect(try await read())
        var count = 0
        for (column, type) in try await columns(table) where !free.contains(column) {
            var isTried = false
            for edit in edits(column, type) {
                try await run("UPDATE IGNORE \(table) SET \(column) = \(edit) WHERE \(place)")
                if try await isEdited(table, column, place) {
                    (isTried, count) = (true, count + 1)
                    do {
                        let isBelieved = try await read()
                        #expect(!isBelieved, "\(table).\(column) = \(edit)")
                    } catch let error as any CodedError {
                        #expect(
                            error.code == .rowForged || error.code == .sealBroken,
                            "\(table).\(column) = \(edit): \(error.code.id) \(error.message)")
                    }
                }
                try await run("DELETE FROM \(table) WHERE \(place) OR id NOT IN (SELECT id FROM others)")
                try await run("INSERT INTO \(table) SELECT * FROM kept")
            }
            #expect(isTried, "\(table).\(column) was not tried")
        }
        #expect(try await read())
        return count
    }

    /// Whether the row is another now, or gone.
    private func isEdited(_ table: String, _ column: String, _ place: String) async throws -> Bool {
        try await pool.run { connection in
            let same = try connection.execute(
                "SELECT COUNT(*) AS same FROM \(table) t JOIN kept k USING (id) WHERE t.\(column) <=> k.\(column)"
            )
            return try same.onlyRow()?.int("same") == 0
        }
    }

    private func others(_ table: String, but id: [UInt8]) async throws {
        try await run("DROP TABLE IF EXISTS others")
        try await run("DROP TABLE IF EXISTS kept")
        try await run("CREATE TABLE others AS SELECT id FROM \(table) WHERE id != x'\(Hex.encode(id))'")
    }

    private func clean() async throws {
        try await run("DROP TABLE IF EXISTS others")
        try await run("DROP TABLE IF EXISTS kept")
        await pool.close()
    }

    @Test(arguments: KeyPurpose.allCases)
    func everyColumnOfAKey(_ purpose: KeyPurpose) async throws {
        let scheme: SigningScheme = purpose == .signing ? .module : .ca
        let key = try await stores.added("modules", scheme: scheme, purpose: purpose)
        let cluster = purpose == .signing ? stores.data : stores.control
        let table = purpose == .signing ? "signing_key" : "certifying_key"
        try await others(table, but: key.record.id.bytes)
        // The count of changes is no statement about the key: a change that goes by a wrong one is refused.
        let count = try await tryAll(table, key.record.id.bytes, not: ["edition"]) {
            guard let row = try await stores.keys.key(key.record.id) else { return false }
            try cluster.checkRow(row)
            _ = try cluster.unseal(row)
            return true
        }
        #expect(count >= 17)
        try await clean()
    }

    @Test func everyColumnOfAGrant() async throws {
        let key = try await stores.added("modules")
        let grant = try stores.grant([key.record.id])
        try await stores.grants.add(grant, Stores.event(.grantCreate))
        try await others("signing_grant", but: grant.grant.id.bytes)
        let count = try await tryAll("signing_grant", grant.grant.id.bytes, not: []) {
            // As a data-server reads it.
            let access = try await stores.source.access()
            if let fault = access.faults.first { throw fault }
            guard let row = access.grants.first, row.grant.id == grant.grant.id else { return false }
            try stores.data.checkRow(row)
            return true
        }
        #expect(count >= 9)
        // A key more or less in the grant shows as well.
        let other = try await stores.added("other")
        try await run(
            "INSERT INTO grant_key VALUES (x'\(Hex.encode(grant.grant.id.bytes))', x'\(Hex.encode(other.record.id.bytes))')"
        )
        let more = try #require(try await stores.source.access().grants.first)
        #expect(throws: KeyringError.self) { try stores.data.checkRow(more) }
        try await clean()
    }

    /// Every byte of a sealed half, in both tables.
    @Test(arguments: KeyPurpose.allCases)
    func everyByteOfABlob(_ purpose: KeyPurpose) async throws {
        let scheme: SigningScheme = purpose == .signing ? .module : .ca
        let key = try await stores.added("modules", scheme: scheme, purpose: purpose)
        let cluster = purpose == .signing ? stores.data : stores.control
        let table = purpose == .signing ? "signing_key" : "certifying_key"
        let sealed = try #require(key.sealed).encoded
        for index in sealed.indices {
            var bytes = sealed
            bytes[index] ^= UInt8(1 << (index % 8))
            try await run("UPDATE \(table) SET sealed = x'\(Hex.encode(bytes))'")
            let code = await refusal {
                guard let row = try await stores.keys.key(key.record.id) else { return }
                _ = try cluster.unseal(row)
            }
            #expect(code == .rowForged || code == .sealBroken, "byte \(index): \(code?.id ?? "opened")")
        }
        try await run("UPDATE \(table) SET sealed = x'\(Hex.encode(sealed))'")
        #expect(
            await refusal { _ = try cluster.unseal(#require(try await stores.keys.key(key.record.id))) }
                == nil)
        try await clean()
    }

    /// Blobs, with and without their codes, and whole rows under another's id.
    @Test(arguments: [
        "sealed", "sealed, code_key, code", "version", "name, code", "state, code",
        "public_key, fingerprint, sealed, code",
    ])
    func whatIsSwappedBetweenRows(_ columns: String) async throws {
        let one = try await stores.added("one-key")
        let two = try await stores.added("two-key", state: .disabled)
        try await run("UPDATE signing_key SET version = version WHERE name = 'one-key'")
        let names = columns.split(separator: ", ").map(String.init)
        let assignments = names.map { name in
            name == "version" ? "a.version = 2, b.version = 2" : "a.\(name) = c.\(name)"
        }.joined(separator: ", ")
        try await run("DROP TABLE IF EXISTS kept")
        try await run("CREATE TABLE kept AS SELECT * FROM signing_key")
        try await run(
            "UPDATE signing_key a JOIN kept c ON a.id != c.id JOIN signing_key b ON b.id = a.id SET \(assignments)"
        )
        for key in [one, two] {
            let code = await refusal {
                guard let row = try await stores.keys.key(key.record.id) else { return }
                _ = try stores.data.unseal(row)
            }
            #expect(code == .rowForged || code == .sealBroken, "\(columns): \(code?.id ?? "opened")")
        }
        try await clean()
    }

    /// A row that cannot be read is left out, and the others are read.
    @Test func aZeroDateIsItsRowsAffair() async throws {
        let good = try await stores.added("good-key")
        let bad = try await stores.added("bad-key")
        try await run("UPDATE signing_key SET created_at = '0000-00-00 00:00:00' WHERE name = 'bad-key'")
        let found = try await stores.source.signingKeys([good.record.id, bad.record.id])
        #expect(found.keys.map(\.record.id) == [good.record.id])
        #expect(found.faults.map(\.code) == [.rowForged])
        let grants = try [stores.grant([good.record.id]), stores.grant([good.record.id])]
        for grant in grants { try await stores.grants.add(grant, Stores.event(.grantCreate)) }
        try await run(
            "UPDATE signing_grant SET expires_at = '0000-00-00 00:00:00' WHERE id = x'\(Hex.encode(grants[0].grant.id.bytes))'"
        )
        let access = try await stores.source.access()
        #expect(access.grants.map(\.grant.id) == [grants[1].grant.id])
        #expect(access.faults.map(\.code) == [.rowForged])
        #expect(await refusal { _ = try await stores.keys.key(bad.record.id) } == .rowForged)
        try await clean()
    }

    private func refusal(_ body: () async throws -> Void) async -> ErrorCode? {
        do {
            try await body()
            return nil
        } catch { return (error as? any CodedError)?.code ?? .internalError }
    }
}
