// SPDX-License-Identifier: Apache-2.0

internal import Cryptography
internal import Diagnostics
internal import Keyring
internal import MariaDB

/// `revision`, `audit_head` and `audit_entry`: what every change writes.
enum RevisionTable {
    static let missing = StorageError(
        .schemaMismatch, "the database lacks the row of its revision; restore it from a backup")

    static func pulse(_ connection: DatabaseConnection) throws -> Pulse {
        let row = try connection.execute("SELECT number, UTC_TIMESTAMP(6) AS now FROM revision WHERE id = 1")
            .onlyRow()
        guard let row else { throw missing }
        return Pulse(revision: Revision(try row.uint("number")), time: try row.moment("now"))
    }

    /// Takes the next revision. Changes of other servers wait for this transaction, or make it run again.
    static func advance(_ connection: DatabaseConnection) throws -> Revision {
        try connection.execute("UPDATE revision SET number = number + 1 WHERE id = 1")
        return try pulse(connection).revision
    }

    /// Waits for a transaction that may still be under way.
    static func settle(_ connection: DatabaseConnection) throws {
        try connection.execute("SELECT number FROM revision WHERE id = 1 FOR UPDATE")
    }

    static func head(_ connection: DatabaseConnection) throws -> ChainHead {
        let row = try connection.execute("SELECT sequence, digest FROM audit_head WHERE id = 1").onlyRow()
        guard let row else { throw missing }
        return ChainHead(sequence: try row.uint("sequence"), digest: try row.digest("digest"))
    }

    static func append(_ entry: AuditEntry, _ connection: DatabaseConnection) throws {
        let event = entry.event
        let actor =
            switch event.actor {
            case .user(_, let name): name
            case .program(let name): name
            }
        try connection.execute(
            """
            INSERT INTO audit_entry (sequence, happened_at, actor, action, subject, body) VALUES (?, ?, ?, ?, ?, ?)
            """,
            [
                .uint(entry.sequence), event.time.field, .text(actor), .text(event.action),
                .text(event.subject),
                .bytes(entry.encoded),
            ])
        let moved = try connection.execute(
            "UPDATE audit_head SET sequence = ?, digest = ? WHERE id = 1 AND sequence = ?",
            [.uint(entry.sequence), .bytes(entry.head.digest.bytes), .uint(entry.sequence - 1)])
        guard moved.affectedRows == 1 else {
            throw StorageError(.chainBroken, "the end of the audit's chain moved during a change")
        }
    }

    static func entries(after sequence: UInt64, limit: Int, _ connection: DatabaseConnection) throws
        -> [AuditEntry]
    {
        try connection.execute(
            "SELECT body FROM audit_entry WHERE sequence > ? ORDER BY sequence LIMIT ?",
            [.uint(sequence), .int(Int64(max(0, limit)))]
        ).rows.map { try AuditEntry(decoding: $0.bytes("body")) }
    }
}
