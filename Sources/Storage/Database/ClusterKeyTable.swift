// SPDX-License-Identifier: Apache-2.0

internal import Keyring
internal import MariaDB

/// `signing_cluster_key` or `certifying_cluster_key`, which have the same columns.
struct ClusterKeyTable {
    let plane: Plane

    private var name: String { plane == .data ? "signing_cluster_key" : "certifying_cluster_key" }
    private static let columns = "id, provider, wrapping_key, wrapping_version, ciphertext, created_at"

    func insert(_ key: WrappedKey, _ connection: DatabaseConnection) throws {
        try connection.execute(
            "INSERT INTO \(name) (\(Self.columns)) VALUES (?, ?, ?, ?, ?, ?)",
            [
                key.id.field, .text(key.provider), .text(key.secret.key), .text(key.secret.version),
                .bytes(key.secret.ciphertext), key.created.field,
            ])
    }

    func keys(_ connection: DatabaseConnection) throws -> [WrappedKey] {
        try connection.execute("SELECT \(Self.columns) FROM \(name) ORDER BY created_at DESC, id DESC").rows
            .map {
                try key($0)
            }
    }

    func key(_ id: ClusterKeyID, _ connection: DatabaseConnection) throws -> WrappedKey? {
        try connection.execute("SELECT \(Self.columns) FROM \(name) WHERE id = ?", [id.field]).onlyRow().map {
            try key($0)
        }
    }

    func delete(_ id: ClusterKeyID, _ connection: DatabaseConnection) throws {
        try connection.execute("DELETE FROM \(name) WHERE id = ?", [id.field])
    }

    /// How many rows are under it.
    static func uses(of id: ClusterKeyID, _ connection: DatabaseConnection) throws -> Int {
        try ["signing_key", "certifying_key", "signing_grant", "proposal"].reduce(0) { sum, table in
            let row = try connection.execute(
                "SELECT COUNT(*) AS n FROM \(table) WHERE code_key = ?", [id.field]
            )
            .onlyRow()
            return sum + Int(try row?.int("n") ?? 0)
        }
    }

    /// Refuses a new row under a cluster key that was retired meanwhile.
    static func expect(_ code: RowCode, _ plane: Plane, _ connection: DatabaseConnection) throws {
        let isThere = try connection.execute(
            "SELECT 1 FROM \(ClusterKeyTable(plane: plane).name) WHERE id = ?", [code.clusterKey.field]
        ).onlyRow()
        guard isThere != nil else { throw KeyFaults.clusterKeyRetired }
    }

    func key(_ row: DatabaseRow) throws -> WrappedKey {
        try reading("a cluster key") {
            WrappedKey(
                id: try row.id("id"), plane: plane, provider: try row.text("provider"),
                secret: WrappedSecret(
                    key: try row.text("wrapping_key"), version: try row.text("wrapping_version"),
                    ciphertext: try row.bytes("ciphertext")), created: try row.moment("created_at"))
        }
    }
}
