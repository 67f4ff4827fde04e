// SPDX-License-Identifier: Apache-2.0

/// The three users of the database, and what each may do: no more than its program needs.
public enum DatabaseRights: String, CaseIterable, Sendable {
    /// control-server and control-admin.
    case control
    /// data-server: it reads what it signs with, adds records, and changes nothing.
    case data
    /// control-admin while it migrates the schema.
    case migration

    /// For each table its rights, in the order in which they are written.
    public var tables: [(table: String, rights: [String])] {
        switch self {
        case .control:
            [
                ("account", ["SELECT", "INSERT", "UPDATE"]),
                ("api_token", ["SELECT", "INSERT", "UPDATE"]),
                ("audit_entry", ["SELECT", "INSERT"]),
                ("audit_head", ["SELECT", "UPDATE"]),
                ("certifying_cluster_key", ["SELECT", "INSERT", "DELETE"]),
                ("certifying_key", ["SELECT", "INSERT", "UPDATE"]),
                ("client_denial", ["SELECT", "INSERT", "DELETE"]),
                ("former_certificate", ["SELECT", "INSERT"]),
                ("freeze", ["SELECT", "INSERT", "DELETE"]),
                ("grant_key", ["SELECT", "INSERT"]),
                ("key_name", ["SELECT", "INSERT", "DELETE"]),
                ("proposal", ["SELECT", "INSERT", "UPDATE"]),
                ("public_key", ["SELECT", "INSERT"]),
                ("revision", ["SELECT", "UPDATE"]),
                ("revocation_list", ["SELECT", "INSERT"]),
                ("schema_migration", ["SELECT"]),
                ("signature_record", ["SELECT"]),
                ("signing_cluster_key", ["SELECT", "INSERT", "DELETE"]),
                ("signing_grant", ["SELECT", "INSERT", "DELETE"]),
                ("signing_key", ["SELECT", "INSERT", "UPDATE"]),
            ]
        case .data:
            [
                ("client_denial", ["SELECT"]),
                ("freeze", ["SELECT"]),
                ("grant_key", ["SELECT"]),
                ("revision", ["SELECT"]),
                ("schema_migration", ["SELECT"]),
                ("signature_record", ["SELECT", "INSERT"]),
                ("signing_cluster_key", ["SELECT"]),
                ("signing_grant", ["SELECT"]),
                ("signing_key", ["SELECT"]),
            ]
        case .migration:
            [
                (
                    "*",
                    [
                        "SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "REFERENCES", "INDEX",
                        "ALTER",
                    ]
                )
            ]
        }
    }

    /// The statements that give these rights, for an administrator of the database. The names are his own and are quoted
    /// here.
    public func statements(database: String, user: String, host: String) -> [String] {
        let place = Self.quoted(database, "`")
        let account = Self.quoted(user, "'") + "@" + Self.quoted(host, "'")
        return tables.map { table, rights in
            let target = table == "*" ? "*" : Self.quoted(table, "`")
            return "GRANT \(rights.joined(separator: ", ")) ON \(place).\(target) TO \(account)"
        }
    }

    private static func quoted(_ name: String, _ mark: Character) -> String {
        let parts = name.split(separator: mark, omittingEmptySubsequences: false)
        return "\(mark)\(parts.joined(separator: "\(mark)\(mark)"))\(mark)"
    }
}
