// SPDX-License-Identifier: Apache-2.0

internal import Keyring
internal import MariaDB

/// `freeze`. A row bears no code: that it is there only stops what would be allowed, and whoever could take it away could
/// take its code away with it.
enum FreezeTable {
    private static let columns = "subject, account_id, account_name, frozen_at, reason"

    static func insert(_ freeze: Freeze, _ connection: DatabaseConnection) throws {
        try connection.execute(
            "INSERT INTO freeze (\(columns)) VALUES (\(places(5)))",
            [
                .bytes(freeze.subject.bytes), .id(ifPresent: freeze.by.user), .text(freeze.by.name),
                freeze.by.time.field, .text(freeze.reason),
            ])
    }

    /// Only the one that was seen.
    static func remove(_ freeze: Freeze, _ connection: DatabaseConnection) throws {
        guard try self.freeze(of: freeze.subject, connection) == freeze else {
            throw ProposalFaults.freezeMeanwhile
        }
        try connection.execute("DELETE FROM freeze WHERE subject = ?", [.bytes(freeze.subject.bytes)])
    }

    static func freeze(of subject: Proposal.Subject, _ connection: DatabaseConnection) throws -> Freeze? {
        try connection.execute("SELECT \(columns) FROM freeze WHERE subject = ?", [.bytes(subject.bytes)])
            .onlyRow().map { try freeze($0) }
    }

    static func freezes(_ connection: DatabaseConnection) throws -> [Freeze] {
        try connection.execute("SELECT \(columns) FROM freeze ORDER BY frozen_at, subject").rows
            .map { try freeze($0) }
    }

    /// What data-servers have to know. Before the fourth version of the schema nothing could be frozen.
    static func frozen(_ connection: DatabaseConnection) throws -> FrozenKeys {
        let version = try connection.execute("SELECT MAX(number) AS number FROM schema_migration").onlyRow()
        guard try version?.uint("number") ?? 0 >= 4 else { return FrozenKeys() }
        var frozen = FrozenKeys()
        for row in try connection.execute("SELECT subject FROM freeze").rows {
            if let key = try key(row) { frozen.keys.insert(key) } else { frozen.all = true }
        }
        return frozen
    }

    /// `nil` stands for all keys.
    private static func key(_ row: DatabaseRow) throws -> KeyID? {
        let subject = try row.bytes("subject")
        guard subject != Proposal.Subject.everything.bytes else { return nil }
        return try KeyID(subject.span)
    }

    private static func freeze(_ row: DatabaseRow) throws -> Freeze {
        try reading("a freeze") {
            try Freeze(
                key: key(row),
                by: Proposal.Voice(
                    user: row.idIfPresent("account_id"), name: row.text("account_name"),
                    time: row.moment("frozen_at")), because: row.text("reason"))
        }
    }
}
