// SPDX-License-Identifier: Apache-2.0

/// The right of one runner to change the schema: a row, taken by compare-and-set and kept by renewing it.
///
/// It ends by the database's clock, so a crashed runner does not keep it; it always outlasts the longest statement,
/// because it is renewed before each. No lock of the server is held, so it holds across the nodes of a cluster too.
struct MigrationClaim {
    private let connection: DatabaseConnection
    private let holder: [UInt8]
    private let seconds: UInt64

    static let table = """
        CREATE TABLE IF NOT EXISTS schema_migration_claim (
            id TINYINT UNSIGNED NOT NULL PRIMARY KEY,
            holder BINARY(16) NOT NULL,
            expires_at DATETIME(6) NOT NULL
        ) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4
        """

    /// Takes the claim, or says until when another runner has it.
    init(_ connection: DatabaseConnection) throws {
        self.connection = connection
        let random = connection.surroundings.random
        holder = [random(), random()].flatMap { number in
            (0..<8).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
        }
        seconds = UInt64(clamping: connection.settings.statementDeadline.components.seconds + 30)
        let (holder, seconds) = (holder, seconds)
        let other = try connection.transaction { connection -> String? in
            try connection.execute(
                "INSERT IGNORE INTO schema_migration_claim VALUES (1, ?, '1970-01-01')", [.bytes(holder)])
            let taken = try connection.execute(
                """
                UPDATE schema_migration_claim SET holder = ?, expires_at = UTC_TIMESTAMP(6) + INTERVAL ? SECOND
                WHERE id = 1 AND expires_at < UTC_TIMESTAMP(6)
                """, [.bytes(holder), .uint(seconds)])
            if taken.affectedRows == 1 { return nil }
            return try connection.execute(
                "SELECT CAST(expires_at AS CHAR) AS until FROM schema_migration_claim WHERE id = 1"
            ).onlyRow()?.text("until")
        }
        if let other {
            throw MigrationError.busy(
                "another runner of migrations is at work; if it crashed, its claim ends at \(other) UTC")
        }
    }

    /// Has to be part of every transaction that the claim stands for.
    func renew() throws {
        let kept = try connection.execute(
            """
            UPDATE schema_migration_claim SET expires_at = UTC_TIMESTAMP(6) + INTERVAL ? SECOND
            WHERE id = 1 AND holder = ? AND expires_at >= UTC_TIMESTAMP(6)
            """, [.uint(seconds), .bytes(holder)])
        guard kept.affectedRows == 1 else {
            throw MigrationError.busy(
                "the claim of this runner ended, and another may be at work; start again")
        }
    }

    /// A claim that cannot be given back ends by itself.
    func release() {
        guard !connection.isBroken else { return }
        _ = try? connection.execute(
            "UPDATE schema_migration_claim SET expires_at = '1970-01-01' WHERE id = 1 AND holder = ?",
            [.bytes(holder)])
    }
}
