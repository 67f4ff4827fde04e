// SPDX-License-Identifier: Apache-2.0

internal import Cryptography
internal import Diagnostics
internal import Keyring
internal import MariaDB
internal import Signatures

/// `signing_grant` with its `grant_key`, and `client_denial`.
enum GrantTable {
    private static let columns =
        "id, authority, sort, pattern, kinds, created_at, expires_at, summary, code_key, code, networks"

    static func insert(_ stored: StoredGrant, _ connection: DatabaseConnection) throws {
        let grant = stored.grant
        let form = grant.clients.form
        try connection.execute(
            "INSERT INTO signing_grant (\(columns)) VALUES (\(places(11)))",
            [
                grant.id.field, .bytes(form.authority), .text(form.sort), .text(form.value),
                .text(grant.kinds.map(\.rawValue).sorted().joined(separator: " ")), grant.created.field,
                .time(ifPresent: grant.expires), .text(grant.summary), stored.code.clusterKey.field,
                .bytes(stored.code.bytes), .text(grant.networksText),
            ])
        let batch = BatchInsert(into: "grant_key", columns: ["grant_id", "key_id"])
        try connection.insert(grant.keys.sorted().map { [grant.id.field, $0.field] }, with: batch)
    }

    /// One statement for a grant and its keys, so that no change gets in between. Data-servers read tables of the third
    /// version of the schema too, where grants name no networks.
    private static func rows(
        _ condition: String, _ values: [DatabaseValue], _ connection: DatabaseConnection
    ) throws -> [DatabaseRow] {
        func select(_ networks: String) -> String {
            """
            SELECT g.id, g.authority, g.sort, g.pattern, g.kinds, g.created_at, g.expires_at, g.summary, g.code_key,
                g.code, k.key_id, \(networks) FROM signing_grant g JOIN grant_key k ON k.grant_id = g.id \(condition)
            """
        }
        do {
            return try connection.execute(select("g.networks"), values).rows
        } catch {
            guard error.number == KeyTable.unknownColumn else { throw error }
            return try connection.execute(select("'' AS networks"), values).rows
        }
    }

    static func grants(_ connection: DatabaseConnection) throws -> [StoredGrant] {
        try all(connection).map { try grant($0) }
    }

    /// Those that can be read; a bad row spoils no other.
    static func readableGrants(_ connection: DatabaseConnection) throws -> (
        values: [StoredGrant], faults: [any CodedError]
    ) {
        try readingEach(all(connection)) { try grant($0) }
    }

    static func grant(_ id: GrantID, _ connection: DatabaseConnection) throws -> StoredGrant? {
        try byGrant(rows("WHERE g.id = ?", [id.field], connection)).first.map {
            try grant($0)
        }
    }

    private static func all(_ connection: DatabaseConnection) throws -> [ArraySlice<DatabaseRow>] {
        try byGrant(rows("ORDER BY g.created_at, g.id", [], connection))
    }

    /// The rows of one grant stand side by side.
    private static func byGrant(_ rows: [DatabaseRow]) throws -> [ArraySlice<DatabaseRow>] {
        var grants: [ArraySlice<DatabaseRow>] = []
        var start = 0
        for next in rows.indices {
            let isLast = next + 1 == rows.count
            if try isLast || rows[next + 1].bytes("id") != rows[next].bytes("id") {
                grants.append(rows[start...next])
                start = next + 1
            }
        }
        return grants
    }

    static func grant(_ rows: ArraySlice<DatabaseRow>) throws -> StoredGrant {
        guard let row = rows.first else { throw StorageError(.rowForged, "a grant without a row") }
        return try reading("a grant") {
            let keys = Set(try rows.map { try $0.id("key_id", of: KeyRecord.self) })
            let kinds = try row.text("kinds").split(separator: " ").map { word in
                guard let kind = SigningKind(rawValue: String(word)) else {
                    throw StorageError(
                        .rowForged, "a grant in the database: a kind that this program does not know")
                }
                return kind
            }
            let grant = try Grant(
                id: row.id("id"),
                clients: IdentityPattern(
                    authority: row.bytes("authority"), sort: row.choice("sort"), value: row.text("pattern")),
                keys: keys, kinds: Set(kinds), created: row.moment("created_at"),
                expires: row.momentIfPresent("expires_at"), summary: row.text("summary"),
                networks: Grant.networks(row.text("networks")))
            return StoredGrant(
                grant: grant, code: try RowCode(clusterKey: row.id("code_key"), bytes: row.bytes("code")))
        }
    }

    // MARK: Who is shut out

    static func deny(_ client: DeniedClient, _ connection: DatabaseConnection) throws {
        var fields: [DatabaseValue] = [.bytes(digest(of: client))]
        switch client {
        case .identity(let identity):
            fields += [.bytes(identity.authority), .text(identity.sort), .text(identity.value), .null]
        case .certificate(let fingerprint):
            fields += [.null, .null, .null, .bytes(fingerprint)]
        }
        try connection.execute(
            """
            INSERT INTO client_denial (digest, authority, sort, value, certificate) VALUES (?, ?, ?, ?, ?)
            """, fields)
    }

    static func allow(_ client: DeniedClient, _ connection: DatabaseConnection) throws {
        try connection.execute("DELETE FROM client_denial WHERE digest = ?", [.bytes(digest(of: client))])
    }

    static func isDenied(_ client: DeniedClient, _ connection: DatabaseConnection) throws -> Bool {
        try !connection.execute(
            "SELECT 1 FROM client_denial WHERE digest = ?", [.bytes(digest(of: client))]
        ).rows.isEmpty
    }

    static func denied(_ connection: DatabaseConnection) throws -> Set<DeniedClient> {
        let rows = try connection.execute("SELECT authority, sort, value, certificate FROM client_denial")
            .rows
        return try rows.reduce(into: []) { clients, row in
            clients.insert(
                try reading("a client who is shut out") {
                    if let certificate = try row.bytesIfPresent("certificate") {
                        return .certificate(certificate)
                    }
                    return .identity(
                        try ClientIdentity(
                            authority: row.bytes("authority"), sort: row.choice("sort"),
                            value: row.text("value")))
                })
        }
    }

    private static func digest(of client: DeniedClient) -> [UInt8] {
        let text: [UInt8] =
            switch client {
            case .identity(let identity): Array("identity \(identity)".utf8)
            case .certificate(let fingerprint): Array("certificate ".utf8) + fingerprint
            }
        return Digest(hashing: text.span, with: .sha256).bytes
    }
}
