// SPDX-License-Identifier: Apache-2.0

internal import Cryptography
internal import Diagnostics
internal import Keyring
public import MariaDB

/// All tables of the control plane into a backup and out of it, on a connection that is lent for that.
///
/// What it reads is what was committed at one moment, whatever changes meanwhile. What it writes is one transaction, and
/// only where nothing was ever done. The tables are those of `DatabaseRights.control`; which migrations are applied is
/// not among them: a backup goes into the schema that it is of.
public enum DatabaseBackup {
    static let tables = DatabaseRights.control.tables.map(\.table).filter { $0 != "schema_migration" }
    /// One of these has a row as soon as anything was done.
    private static let first = [
        "audit_entry", "signature_record", "account", "public_key", "signing_cluster_key",
        "certifying_cluster_key",
    ]
    private static let rowsAtOnce = 500

    /// Writes everything but the code.
    @available(*, noasync, message: "it blocks the thread")
    public static func write(
        _ connection: DatabaseConnection, head: BackupHead, to sink: ([UInt8]) throws -> Void
    ) throws {
        try connection.executeDirectly("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        try connection.transaction(readOnly: true) { connection in
            try sink(BackupFrame.magic + BackupFrame.head(head).encoded)
            var rows: UInt64 = 0
            for table in tables { rows += try write(table, connection, to: sink) }
            try sink(BackupFrame.end(rows: rows).encoded)
        }
    }

    private static func write(
        _ table: String, _ connection: DatabaseConnection, to sink: ([UInt8]) throws -> Void
    ) throws -> UInt64 {
        let shape = try connection.execute(
            """
            SELECT column_name AS name, column_key AS sort FROM information_schema.columns
                WHERE table_schema = DATABASE() AND table_name = ? ORDER BY ordinal_position
            """, [.text(table)]
        ).rows
        let columns = try shape.map { try $0.text("name") }
        let key = try shape.filter { try $0.text("sort") == "PRI" }.map { try $0.text("name") }
        guard !key.isEmpty else {
            throw StorageError(.schemaMismatch, "the table \(table) is not there, or has no primary key")
        }
        try sink(BackupFrame.table(table, columns: columns).encoded)
        let places = key.compactMap { columns.firstIndex(of: $0) }
        // Behind the last one: (a > ?) OR (a = ? AND b > ?)
        let behind = key.indices.map { place in
            "("
                + (key[..<place].map { "`\($0)` = ?" } + ["`\(key[place])` > ?"]).joined(separator: " AND ")
                + ")"
        }.joined(separator: " OR ")
        let select = "SELECT \(columns.map { "`\($0)`" }.joined(separator: ", ")) FROM `\(table)`"
        let order = "ORDER BY \(key.map { "`\($0)`" }.joined(separator: ", ")) LIMIT \(rowsAtOnce)"
        var last: [DatabaseValue]?
        var count: UInt64 = 0
        while true {
            let found = try connection.execute(
                "\(select) \(last == nil ? "" : "WHERE \(behind)") \(order)",
                last.map { last in key.indices.flatMap { Array(last[...$0]) } } ?? []
            ).rows
            for row in found { try sink(BackupFrame.row(row.values).encoded) }
            count += UInt64(found.count)
            guard found.count == rowsAtOnce, let end = found.last else { return count }
            last = places.map { end.values[$0] }
        }
    }

    /// Throws unless nothing was ever done here.
    @available(*, noasync, message: "it blocks the thread")
    public static func expectEmpty(_ connection: DatabaseConnection) throws {
        for table in first {
            let row = try connection.execute("SELECT 1 FROM `\(table)` LIMIT 1").onlyRow()
            guard row == nil else {
                throw StorageError(
                    .databaseInUse, "the database is not empty: the table \(table) has rows")
            }
        }
    }

    /// Writes the rows of a backup whose digest was found good before. How many there were.
    @available(*, noasync, message: "it blocks the thread")
    public static func restore(
        _ reader: () throws -> BackupReader, digest: [UInt8], _ connection: DatabaseConnection
    ) throws -> Int {
        try connection.executeDirectly("SET SESSION foreign_key_checks = 0")
        return try connection.transaction { connection in
            try expectEmpty(connection)
            var reader = try reader()
            var batch: BatchInsert?
            var waiting: [[DatabaseValue]] = []
            var count = 0
            func flush() throws {
                if let batch, !waiting.isEmpty { try connection.insert(waiting, with: batch) }
                count += waiting.count
                waiting = []
            }
            while let frame = try reader.next() {
                switch frame {
                case .table(let name, let columns):
                    try flush()
                    guard tables.contains(name) else {
                        throw BackupFrame.malformed("the table \(name) is not known")
                    }
                    // Rows that a migration put there are in the backup as they were.
                    try connection.execute("DELETE FROM `\(name)`")
                    batch = BatchInsert(into: name, columns: columns)
                case .row(let values):
                    waiting.append(values)
                    if waiting.count == rowsAtOnce { try flush() }
                default: break
                }
            }
            try flush()
            guard reader.seal?.digest.bytes == digest else {
                throw StorageError(.backupBroken, "the backup changed while it was read")
            }
            return count
        }
    }
}
