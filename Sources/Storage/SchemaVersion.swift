// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
public import MariaDB

/// Which versions of the schema the programs of this release take. What data-servers read changes seldom, so they take
/// older ones too: a farm upgrades them first, then migrates and starts the new control-server.
public enum SchemaVersion {
    /// By the control plane.
    public static let taken = 4...4
    /// By data-servers.
    public static let takenByData = 1...4

    /// The version that the database has; 0 without any migration. It needs to read `schema_migration` alone.
    public static func present(_ pool: DatabasePool) async throws -> Int {
        try await pool.run { connection in
            do {
                let rows = try connection.execute("SELECT number, state FROM schema_migration").rows
                guard try rows.allSatisfy({ try $0.text("state") == "applied" }) else {
                    throw StorageError(
                        .schemaMismatch, "a migration of the schema is under way or stopped half-way")
                }
                return Int(clamping: try rows.map { try $0.uint("number") }.max() ?? 0)
            } catch let error as DatabaseError where error.number == 1146 {
                return 0
            }
        }
    }

    /// Throws when this release does not fit the schema.
    public static func check(_ pool: DatabasePool, taken: ClosedRange<Int> = taken) async throws {
        let version = try await present(pool)
        guard taken.contains(version) else {
            throw StorageError(
                .schemaMismatch,
                """
                the database has schema version \(version), this program takes \(taken.lowerBound) to \
                \(taken.upperBound); \(version < taken.lowerBound ? "migrate the schema" : "upgrade the program")
                """)
        }
    }
}
