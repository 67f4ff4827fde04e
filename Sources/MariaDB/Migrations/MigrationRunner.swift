// SPDX-License-Identifier: Apache-2.0

/// Brings the schema to the version of a folder of migrations, one runner at a time.
///
/// DDL commits by itself on both servers, so a migration cannot be one transaction. Each statement is recorded instead:
/// data statements in one transaction with their mark, others with a mark before and one after. A crash between two
/// statements goes on at the next; a crash inside one is found and told, since nobody knows whether it took effect. A
/// statement that the server refused changed nothing: the file may be mended behind the statements that are done.
///
/// ```swift
/// let runner = MigrationRunner(try Migrations(folder: "migrations"))
/// let applied = try runner.apply(on: connection)
/// ```
public struct MigrationRunner: Sendable {
    private let migrations: Migrations

    public init(_ migrations: Migrations) { self.migrations = migrations }

    private static let table = """
        CREATE TABLE IF NOT EXISTS schema_migration (
            number INT UNSIGNED NOT NULL PRIMARY KEY,
            name VARCHAR(80) NOT NULL,
            up_checksum BINARY(32) NOT NULL,
            down_checksum BINARY(32) NOT NULL,
            state VARCHAR(10) NOT NULL,
            begun INT UNSIGNED NOT NULL,
            done INT UNSIGNED NOT NULL,
            done_checksum BINARY(32) NOT NULL,
            changed_at DATETIME(6) NOT NULL
        ) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
        """

    /// Where the schema stands. It needs the right to read `schema_migration` alone.
    @available(*, noasync, message: "it blocks the thread")
    public func status(on connection: DatabaseConnection) throws -> MigrationStatus {
        try migrations.status(records(connection))
    }

    /// Applies what is pending, up to and including `number`, and returns the labels.
    @available(*, noasync, message: "it blocks the thread")
    @discardableResult
    public func apply(upTo number: Int = .max, on connection: DatabaseConnection) throws -> [String] {
        try withClaim(connection) { claim in
            let records = try records(connection)
            let status = try migrations.status(records)
            if let last = records.last, last.state == .reverting {
                throw MigrationError.interrupted(
                    "\(migrations.all[last.number - 1].file(.down)) is half done; finish reverting first")
            }
            var applied: [String] = []
            for migration in migrations.all.dropFirst(status.version) where migration.number <= number {
                let resumed = records.first { $0.number == migration.number }
                try up(migration, from: resumed?.done, claim, connection)
                applied.append(migration.label)
            }
            return applied
        }
    }

    /// Reverts everything after `number`, the newest first, and returns the labels.
    @available(*, noasync, message: "it blocks the thread")
    @discardableResult
    public func revert(downTo number: Int, on connection: DatabaseConnection) throws -> [String] {
        try withClaim(connection) { claim in
            let records = try records(connection)
            _ = try migrations.status(records)
            if let last = records.last, last.state == .applying {
                throw MigrationError.interrupted(
                    "\(migrations.all[last.number - 1].file(.up)) is half done; finish applying first")
            }
            var reverted: [String] = []
            for record in records.reversed() where record.number > number {
                let migration = migrations.all[record.number - 1]
                try down(migration, from: record.state == .reverting ? record.done : nil, claim, connection)
                reverted.append(migration.label)
            }
            return reverted
        }
    }

    /// Tells what became of the statement in which a runner stopped, after somebody has looked.
    @available(*, noasync, message: "it blocks the thread")
    public func settle(_ number: Int, statementIsDone: Bool, on connection: DatabaseConnection) throws {
        try withClaim(connection) { claim in
            guard let record = try records(connection).first(where: { $0.number == number }),
                record.begun != record.done, number <= migrations.all.count
            else { throw MigrationError.invalid("migration \(number) did not stop in a statement") }
            let step = statementIsDone ? record.begun : record.done
            let script = migrations.all[number - 1].script(record.direction)
            try connection.transaction { connection in
                try claim.renew()
                try mark(number, begun: step, done: step, script, connection)
            }
        }
    }
}

// MARK: - Steps

extension MigrationRunner {
    private func withClaim<Value>(_ connection: DatabaseConnection, _ body: (MigrationClaim) throws -> Value)
        throws
        -> Value
    {
        try connection.executeDirectly(Self.table)
        try connection.executeDirectly(MigrationClaim.table)
        let claim = try MigrationClaim(connection)
        defer { claim.release() }
        return try body(claim)
    }

    private func records(_ connection: DatabaseConnection) throws -> [MigrationRecord] {
        do {
            let sql = "SELECT \(MigrationRecord.columns) FROM schema_migration ORDER BY number"
            return try connection.execute(sql).rows.map { try MigrationRecord($0) }
        } catch let error as DatabaseError where error.number == 1146 {
            return []
        }
    }

    private func up(
        _ migration: Migration, from done: Int?, _ claim: MigrationClaim, _ connection: DatabaseConnection
    ) throws {
        if done == nil {
            try connection.transaction { connection in
                try claim.renew()
                try connection.execute(
                    """
                    INSERT INTO schema_migration (\(MigrationRecord.columns), changed_at)
                    VALUES (?, ?, ?, ?, 'applying', 0, 0, ?, UTC_TIMESTAMP(6))
                    """,
                    [
                        .uint(UInt64(migration.number)), .text(migration.name), .bytes(migration.up.checksum),
                        .bytes(migration.down.checksum), .bytes(migration.up.checksum(ofFirst: 0)),
                    ])
            }
        }
        try run(migration, .up, from: done ?? 0, claim, connection)
        try connection.transaction { connection in
            try claim.renew()
            // A file that was mended on the way is recorded as it was carried out.
            try connection.execute(
                """
                UPDATE schema_migration SET state = 'applied', up_checksum = ?, down_checksum = ?,
                changed_at = UTC_TIMESTAMP(6) WHERE number = ?
                """,
                [
                    .bytes(migration.up.checksum), .bytes(migration.down.checksum),
                    .uint(UInt64(migration.number)),
                ])
        }
    }

    private func down(
        _ migration: Migration, from done: Int?, _ claim: MigrationClaim, _ connection: DatabaseConnection
    ) throws {
        if done == nil {
            try connection.transaction { connection in
                try claim.renew()
                try connection.execute(
                    """
                    UPDATE schema_migration SET state = 'reverting', begun = 0, done = 0, done_checksum = ?,
                    changed_at = UTC_TIMESTAMP(6) WHERE number = ?
                    """, [.bytes(migration.down.checksum(ofFirst: 0)), .uint(UInt64(migration.number))])
            }
        }
        try run(migration, .down, from: done ?? 0, claim, connection)
        try connection.transaction { connection in
            try claim.renew()
            try connection.execute(
                "DELETE FROM schema_migration WHERE number = ?", [.uint(UInt64(migration.number))])
        }
    }

    private func run(
        _ migration: Migration, _ direction: MigrationFileName.Direction, from done: Int,
        _ claim: MigrationClaim,
        _ connection: DatabaseConnection
    ) throws {
        let script = migration.script(direction)
        for (place, statement) in script.statements.enumerated().dropFirst(done) {
            do {
                try run(statement, place + 1, migration.number, script, claim, connection)
            } catch let error as DatabaseError {
                throw error.seen(as: error.kind, "\(migration.file(direction)):\(statement.line)")
            }
        }
    }

    private func run(
        _ statement: SQLScript.Statement, _ step: Int, _ number: Int, _ script: SQLScript,
        _ claim: MigrationClaim,
        _ connection: DatabaseConnection
    ) throws {
        if statement.isTransactional {
            try connection.transaction { connection in
                try claim.renew()
                try connection.executeDirectly(statement.text)
                try mark(number, begun: step, done: step, script, connection)
            }
            return
        }
        try connection.transaction { connection in
            try claim.renew()
            try mark(number, begun: step, done: step - 1, script, connection)
        }
        let refusal = try refusal(of: statement, connection)
        let done = refusal == nil ? step : step - 1
        try connection.transaction { connection in
            try claim.renew()
            try mark(number, begun: done, done: done, script, connection)
        }
        if let refusal { throw refusal }
    }

    /// `nil` when it was carried out. When nobody knows whether it was, the error is thrown.
    private func refusal(of statement: SQLScript.Statement, _ connection: DatabaseConnection) throws
        -> DatabaseError?
    {
        do {
            try connection.executeDirectly(statement.text)
            return nil
        } catch {
            guard error.isRefusal else { throw error }
            return error
        }
    }

    private func mark(
        _ number: Int, begun: Int, done: Int, _ script: SQLScript, _ connection: DatabaseConnection
    )
        throws
    {
        try connection.execute(
            """
            UPDATE schema_migration SET begun = ?, done = ?, done_checksum = ?, changed_at = UTC_TIMESTAMP(6)
            WHERE number = ?
            """,
            [
                .uint(UInt64(begun)), .uint(UInt64(done)), .bytes(script.checksum(ofFirst: done)),
                .uint(UInt64(number)),
            ])
    }
}

extension DatabaseError {
    /// The server answered that it did not carry the statement out; DDL is atomic on both servers.
    fileprivate var isRefusal: Bool {
        switch kind {
        case .connectionLost, .deadline, .cannotConnect, .tls, .commitUnknown: false
        default: true
        }
    }
}
