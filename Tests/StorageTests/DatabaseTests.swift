// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Foundation
import Keyring
import MariaDB
import Storage
import TestSupport
import Testing

/// What only a database has: rights, versions, and rows that somebody edits.
@Suite struct DatabaseTests {
    @Test(arguments: DatabaseRights.allCases)
    func theRightsAreThoseOfTheTable(_ role: DatabaseRights) async throws {
        let database = try await TestDatabase.empty()
        let shown = try database.sql("SHOW GRANTS FOR '\(database.user(role))'@'%'")
        let lines = shown.split(separator: "\n").dropFirst().map(String.init)
        #expect(lines.first == "GRANT USAGE ON *.* TO `\(database.user(role))`@`%`")
        let expected = role.statements(database: database.name, user: database.user(role), host: "%").map {
            $0.replacing("'", with: "`")
        }
        #expect(lines.dropFirst().sorted() == expected.sorted())
    }

    @Test func theDocumentSaysTheSame() throws {
        let text = try String(contentsOfFile: Repository.path("docs/reference/database.md"), encoding: .utf8)
        for role in DatabaseRights.allCases {
            let statements = role.statements(
                database: "signet", user: "signet_\(role.rawValue)", host: "%"
            ).map { $0 + ";" }.joined(separator: "\n")
            #expect(text.contains("```sql\n\(statements)\n```"), "\(role):\n\(statements)")
        }
    }

    @Test(arguments: [
        "SELECT * FROM certifying_key", "SELECT * FROM certifying_cluster_key", "SELECT * FROM account",
        "SELECT * FROM api_token", "SELECT * FROM audit_entry", "SELECT * FROM audit_head",
        "SELECT * FROM key_name", "SELECT * FROM public_key", "UPDATE signature_record SET server = 'x'",
        "DELETE FROM signature_record", "UPDATE revision SET number = 1",
        "UPDATE signing_key SET state = 'enabled'",
        "INSERT INTO grant_key VALUES ('', '')", "DELETE FROM client_denial", "DROP TABLE revision",
        "CREATE TABLE t (id INT)",
    ])
    func theDataUserIsRefused(_ statement: String) async throws {
        let database = try await TestDatabase.empty()
        let pool = try database.pool(.data, size: 1)
        let error = await #expect(throws: DatabaseError.self) {
            try await pool.run { try $0.execute(statement) }
        }
        #expect(error?.kind == .denied)
        await pool.close()
    }

    @Test(arguments: [
        "UPDATE signature_record SET server = 'x'", "INSERT INTO signature_record (server) VALUES ('x')",
        "UPDATE audit_entry SET actor = 'x'", "DELETE FROM audit_entry", "DELETE FROM public_key",
        "DELETE FROM signing_key", "UPDATE signing_cluster_key SET provider = 'x'",
        "UPDATE signing_grant SET sort = 'x'",
        "DROP TABLE revision",
    ])
    func theControlUserIsRefused(_ statement: String) async throws {
        let database = try await TestDatabase.empty()
        let pool = try database.pool(.control, size: 1)
        let error = await #expect(throws: DatabaseError.self) {
            try await pool.run { try $0.execute(statement) }
        }
        #expect(error?.kind == .denied)
        await pool.close()
    }

    // MARK: Versions

    @Test func programsNameTheVersionsTheyTake() async throws {
        let database = try TestDatabase()
        try await SchemaVersion.check(database.pool(.control))
        try await SchemaVersion.check(database.pool(.data), taken: SchemaVersion.takenByData)
        #expect(SchemaVersion.taken.upperBound == SchemaVersion.takenByData.upperBound)
        let pool = try database.pool(.data)
        #expect(try await SchemaVersion.present(pool) == SchemaVersion.taken.upperBound)
        #expect(try TestDatabase.migrations.get().all.count == SchemaVersion.taken.upperBound)
        try database.sql("UPDATE schema_migration SET state = 'applying' WHERE number = 1")
        #expect(await code { try await SchemaVersion.check(pool) } == .schemaMismatch)
        try database.sql("UPDATE schema_migration SET state = 'applied', number = 99 WHERE number = 1")
        #expect(await code { try await SchemaVersion.check(pool) } == .schemaMismatch)
        try database.sql("DELETE FROM schema_migration")
        #expect(try await SchemaVersion.present(pool) == 0)
        #expect(await code { try await SchemaVersion.check(pool) } == .schemaMismatch)
    }

    @Test func theSchemaGoesThereAndBack() async throws {
        let database = try TestDatabase()
        let runner = MigrationRunner(try TestDatabase.migrations.get())
        let tables = try database.sql("SHOW TABLES")
        try await database.pool(.migration).run { connection in
            try runner.revert(downTo: 0, on: connection)
        }
        #expect(try database.sql("SHOW TABLES").contains("signing_key") == false)
        try await database.pool(.migration).run { connection in try runner.apply(on: connection) }
        #expect(try database.sql("SHOW TABLES") == tables)
    }

    // MARK: What somebody edits

    @Test(arguments: [
        "name = 'other-name'", "state = 'disabled'", "expires_at = NULL", "summary = 'x'",
        "certificate = 'x'",
        "version = 2", "created_at = created_at + INTERVAL 1 SECOND", "parent = id", "code = REPEAT('x', 32)",
        "code_key = id", "sealed = NULL", "sealed = CONCAT(sealed, 'x')", "scheme = 'cms'",
    ])
    func anEditedRowDoesNotOpen(_ edit: String) async throws {
        let stores = try await Stores(.mariaDB)
        let key = try await stores.added("kernel-modules")
        try stores.database?.sql("SET foreign_key_checks = 0;\nUPDATE signing_key SET \(edit)")
        let found = await code {
            guard let read = try await stores.source.signingKey(key.record.id) else { return }
            _ = try stores.data.unseal(read)
        }
        #expect(found == .rowForged || found == .sealBroken, "\(edit)")
    }

    @Test(arguments: ["sealed", "public_key", "fingerprint"])
    func swappedColumnsDoNotOpen(_ column: String) async throws {
        let stores = try await Stores(.mariaDB)
        let one = try await stores.added("key-one")
        let two = try await stores.added("key-two")
        try stores.database?.sql(
            """
            CREATE TEMPORARY TABLE kept AS SELECT * FROM signing_key;
            UPDATE signing_key k JOIN kept o ON o.id <> k.id SET k.\(column) = o.\(column);
            """)
        for id in [one.record.id, two.record.id] {
            let found = await code {
                guard let read = try await stores.source.signingKey(id) else { return }
                _ = try stores.data.unseal(read)
            }
            #expect(found == .rowForged)
        }
    }

    @Test(arguments: [
        "pattern = 'spiffe://evil/*'", "kinds = 'module rpm'", "expires_at = '2099-01-01'", "sort = 'dns'",
        "kinds = 'nonsense'",
    ])
    func anEditedGrantIsRefused(_ edit: String) async throws {
        let stores = try await Stores(.mariaDB)
        let key = try await stores.added("kernel-modules")
        try await stores.grants.add(stores.grant([key.record.id]), Stores.event(.grantCreate))
        try stores.database?.sql("UPDATE signing_grant SET \(edit)")
        let found = await code {
            let access = try await stores.source.access()
            if let fault = access.faults.first { throw fault }
            for grant in access.grants { try stores.data.checkRow(grant) }
        }
        #expect(found == .rowForged)
    }

    /// A row that nobody can read is left out, and the others count.
    @Test(arguments: [
        "kinds = 'nonsense'", "sort = 'nonsense'", "pattern = ''", "kinds = ''",
    ])
    func anUnreadableGrantSpoilsNoOther(_ edit: String) async throws {
        let stores = try await Stores(.mariaDB)
        let (one, other) = (try await stores.added("key-one"), try await stores.added("key-two"))
        try await stores.grants.add(stores.grant([one.record.id]), Stores.event(.grantCreate))
        let good = try stores.grant([other.record.id])
        try await stores.grants.add(good, Stores.event(.grantCreate))
        let id = one.record.id.bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        try stores.database?.sql(
            """
            SET sql_mode = '';
            UPDATE signing_grant SET \(edit) WHERE id IN (SELECT grant_id FROM grant_key WHERE key_id = x'\(id)')
            """)
        let access = try await stores.source.access()
        #expect(access.grants == [good])
        #expect(access.faults.map(\.code) == [.rowForged])
    }

    @Test(arguments: [
        "scheme = 'nonsense'", "state = 'nonsense'", "name = '-'", "public_key = 'short'",
        "fingerprint = 'short'",
        "sealed = 'short'", "version = 0",
    ])
    func anUnreadableKeySpoilsNoOther(_ edit: String) async throws {
        let stores = try await Stores(.mariaDB)
        let (one, other) = (try await stores.added("key-one"), try await stores.added("key-two"))
        try stores.database?.sql(
            "SET sql_mode = '', foreign_key_checks = 0; UPDATE signing_key SET \(edit) WHERE name = 'key-one'"
        )
        let read = try await stores.source.signingKeys([one.record.id, other.record.id])
        #expect(read.keys.map(\.record) == [other.record])
        #expect(
            read.faults.count == 1 && read.faults.allSatisfy { [.rowForged, .sealBroken].contains($0.code) })
    }

    @Test func aGrantWidenedByAKeyIsRefused() async throws {
        let stores = try await Stores(.mariaDB)
        let key = try await stores.added("key-one")
        let other = try await stores.added("key-two")
        try await stores.grants.add(stores.grant([key.record.id]), Stores.event(.grantCreate))
        let id = other.record.id.bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }
            .joined()
        try stores.database?.sql("INSERT INTO grant_key SELECT id, x'\(id)' FROM signing_grant")
        let found = await code {
            for grant in try await stores.source.access().grants { try stores.data.checkRow(grant) }
        }
        #expect(found == .rowForged)
    }

    @Test func theDatabasesClock() async throws {
        let stores = try await Stores(.mariaDB)
        let time = try await stores.source.pulse().time.seconds
        #expect(abs(time - Int64(Date().timeIntervalSince1970)) < 60)
    }
}
