// SPDX-License-Identifier: Apache-2.0

public import Cryptography
internal import Diagnostics
public import Keyring
internal import MariaDB

extension ControlStorage: GrantStore {
    @discardableResult
    public func add(_ grant: StoredGrant, seen: [StoredKey], _ event: AuditEvent) async throws -> Revision {
        try await change(event) { try Self.add(grant, seen: seen, $0) }.revision
    }

    static func add(_ grant: StoredGrant, seen: [StoredKey], _ connection: DatabaseConnection) throws {
        try KeyTable.expect(seen, connection)
        try ClusterKeyTable.expect(grant.code, .data, connection)
        do {
            try refusing(KeyringError(.conflict, "the grant \(grant.grant.id) is there already")) {
                try GrantTable.insert(grant, connection)
            }
        } catch let error as DatabaseError where error.kind == .foreignKey {
            throw KeyFaults.notFound("with one of the ids of the grant")
        }
    }

    @discardableResult
    public func remove(_ id: GrantID, _ event: AuditEvent) async throws -> Revision {
        try await change(event) { connection in
            let removed = try connection.execute("DELETE FROM signing_grant WHERE id = ?", [id.field])
            guard removed.affectedRows == 1 else { throw AccountFaults.noGrant(id) }
        }.revision
    }

    public func grant(_ id: GrantID) async throws -> StoredGrant? {
        try await read { try GrantTable.grant(id, $0) }
    }
    public func grants() async throws -> [StoredGrant] { try await read { try GrantTable.grants($0) } }

    @discardableResult
    public func deny(_ client: DeniedClient, _ event: AuditEvent) async throws -> Revision {
        try await change(event) { connection in
            guard try !GrantTable.isDenied(client, connection) else { return }
            try GrantTable.deny(client, connection)
        }.revision
    }

    @discardableResult
    public func allow(_ client: DeniedClient, _ event: AuditEvent) async throws -> Revision {
        try await change(event) { try GrantTable.allow(client, $0) }.revision
    }

    public func denied() async throws -> Set<DeniedClient> { try await read { try GrantTable.denied($0) } }
}

extension ControlStorage: UserStore {
    private static let columns = "id, name, role, is_disabled, created_at, powers_since"

    public func add(_ user: User, isFirst: Bool, _ event: AuditEvent) async throws {
        try await change(event) { connection in
            if isFirst { try AccountFaults.expectNone(Self.administrators(connection)) }
            try refusing(AccountFaults.nameTaken(user)) {
                try connection.execute(
                    "INSERT INTO account (\(Self.columns)) VALUES (?, ?, ?, ?, ?, ?)",
                    [
                        user.id.field, .text(user.name), .text(user.role), .int(user.isDisabled ? 1 : 0),
                        user.created.field, user.powersSince.field,
                    ])
            }
        }
    }

    public func change(_ user: User, seen: User, _ event: AuditEvent) async throws {
        try await change(event) { try Self.change(user, seen: seen, $0) }
    }

    static func change(_ user: User, seen: User, _ connection: DatabaseConnection) throws {
        guard let known = try Self.user("id = ?", user.id.field, connection) else {
            throw AccountFaults.noUser(user.name)
        }
        guard known == seen else { throw AccountFaults.changedMeanwhile(known) }
        try connection.execute(
            "UPDATE account SET role = ?, is_disabled = ?, powers_since = ? WHERE id = ?",
            [.text(user.role), .int(user.isDisabled ? 1 : 0), user.powersSince.field, user.id.field])
        guard try !known.isActiveAdministrator || !Self.administrators(connection).isEmpty else {
            throw AccountFaults.lastAdministrator(known)
        }
    }

    /// Those who may do something.
    static func administrators(_ connection: DatabaseConnection) throws -> [User] {
        try connection.execute(
            "SELECT \(columns) FROM account WHERE role = ? AND is_disabled = 0", [.text(Role.administrator)]
        ).rows.map { try user($0) }
    }

    /// Refuses what a user does who was disabled meanwhile.
    static func checkActor(_ event: AuditEvent, _ connection: DatabaseConnection) throws {
        guard case .user(let id, _) = event.actor else { return }
        let isThere = try connection.execute(
            "SELECT 1 FROM account WHERE id = ? AND is_disabled = 0", [id.field]
        ).onlyRow()
        guard isThere != nil else { throw AccountFaults.actorGone }
    }

    public func user(_ id: UserID) async throws -> User? {
        try await read { try Self.user("id = ?", id.field, $0) }
    }

    public func user(named name: String) async throws -> User? {
        try await read { try Self.user("name = ?", .text(name), $0) }
    }

    public func users() async throws -> [User] {
        try await read { connection in
            try connection.execute("SELECT \(Self.columns) FROM account ORDER BY name").rows.map {
                try Self.user($0)
            }
        }
    }

    private static func user(_ condition: String, _ value: DatabaseValue, _ connection: DatabaseConnection)
        throws
        -> User?
    {
        try connection.execute("SELECT \(columns) FROM account WHERE \(condition)", [value]).onlyRow().map {
            try user($0)
        }
    }

    private static func user(_ row: DatabaseRow) throws -> User {
        try reading("a user") {
            try User(
                id: row.id("id"), name: row.text("name"), role: row.choice("role"),
                isDisabled: row.bool("is_disabled"), created: row.moment("created_at"),
                powersSince: row.momentIfPresent("powers_since"))
        }
    }

    // MARK: Tokens

    private static let tokenColumns =
        "id, account_id, summary, digest, created_at, expires_at, scopes, last_used_at"

    public func add(_ token: APIToken, _ event: AuditEvent) async throws {
        try await change(event) { connection in
            do {
                try refusing(KeyringError(.conflict, "the token \(token.id) is there already")) {
                    try connection.execute(
                        "INSERT INTO api_token (\(Self.tokenColumns), is_revoked) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)",
                        [
                            token.id.field, token.user.field, .text(token.summary),
                            .bytes(token.digest.bytes),
                            token.created.field, token.expires.field, .text(token.scopes.text),
                            .time(ifPresent: token.lastUsed),
                        ])
                }
            } catch let error as DatabaseError where error.kind == .foreignKey {
                throw AccountFaults.noUser(token.user.description)
            }
        }
    }

    public func revoke(_ id: TokenID, of user: UserID, _ event: AuditEvent) async throws {
        try await change(event) { connection in
            let revoked = try connection.execute(
                "UPDATE api_token SET is_revoked = 1 WHERE id = ? AND account_id = ? AND is_revoked = 0",
                [id.field, user.field])
            guard revoked.affectedRows == 1 else { throw AccountFaults.noToken(id) }
        }
    }

    public func tokens(of user: UserID) async throws -> [APIToken] {
        try await read { connection in
            try connection.execute(
                """
                SELECT \(Self.tokenColumns) FROM api_token WHERE account_id = ? AND is_revoked = 0
                    ORDER BY created_at, id
                """, [user.field]
            ).rows.map { try Self.token($0) }
        }
    }

    public func token(_ digest: Digest) async throws -> KnownToken? {
        try await read { connection in
            let row = try connection.execute(
                "SELECT \(Self.tokenColumns) FROM api_token WHERE digest = ? AND is_revoked = 0",
                [.bytes(digest.bytes)]
            ).onlyRow()
            guard let row else { return nil }
            let token = try Self.token(row)
            guard let user = try Self.user("id = ?", token.user.field, connection) else { return nil }
            return KnownToken(token: token, user: user)
        }
    }

    public func noteUse(of id: TokenID, at time: Moment) async throws {
        try await read { connection in
            _ = try connection.execute(
                "UPDATE api_token SET last_used_at = ? WHERE id = ? AND (last_used_at IS NULL OR last_used_at < ?)",
                [time.field, id.field, time.field])
        }
    }

    private static func token(_ row: DatabaseRow) throws -> APIToken {
        try reading("a token") {
            guard let scopes = Set<TokenScope>(text: try row.text("scopes")) else {
                throw StorageError(
                    .rowForged, "a token in the database: a scope that this program does not know")
            }
            return try APIToken(
                id: row.id("id"), user: row.id("account_id"), summary: row.text("summary"),
                digest: row.digest("digest"), created: row.moment("created_at"),
                expires: row.moment("expires_at"), scopes: scopes,
                lastUsed: row.momentIfPresent("last_used_at"))
        }
    }
}
