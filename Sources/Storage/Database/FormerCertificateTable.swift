// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import Keyring
internal import MariaDB

/// `former_certificate`.
enum FormerCertificateTable {
    private static let columns = "key_id, serial, expires_at, replaced_at"

    static func insert(_ former: FormerCertificate, _ connection: DatabaseConnection) throws {
        try connection.execute(
            "INSERT INTO former_certificate (\(columns)) VALUES (\(places(4)))",
            [
                former.key.field, .bytes(former.serialNumber), former.expires.field, former.replaced.field,
            ])
    }

    static func certificates(of keys: Set<KeyID>, _ connection: DatabaseConnection) throws
        -> [FormerCertificate]
    {
        let ids = keys.sorted()
        return try connection.execute(
            """
            SELECT \(columns) FROM former_certificate WHERE key_id IN (\(places(ids.count)))
                ORDER BY key_id, replaced_at, serial
            """, ids.map(\.field)
        ).rows.map { row in
            FormerCertificate(
                key: try row.id("key_id"), serialNumber: try row.bytes("serial"),
                expires: try row.moment("expires_at"), replaced: try row.moment("replaced_at"))
        }
    }
}
