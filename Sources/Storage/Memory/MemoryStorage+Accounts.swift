// SPDX-License-Identifier: Apache-2.0

public import Cryptography
internal import Diagnostics
public import Keyring

extension MemoryStorage.State {
    mutating func add(_ grant: StoredGrant, seen: [StoredKey]) throws {
        try expect(seen)
        for id in grant.grant.keys where keys[id]?.record.purpose != .signing {
            throw KeyFaults.notFound(id.description)
        }
        guard grants[grant.grant.id] == nil else {
            throw KeyringError(.conflict, "the grant \(grant.grant.id) is there already")
        }
        grants[grant.grant.id] = grant
    }

    mutating func change(_ user: User, seen: User) throws {
        guard let known = users[user.id] else { throw AccountFaults.noUser(user.name) }
        guard known == seen else { throw AccountFaults.changedMeanwhile(known) }
        users[user.id] = known.with(user)
        guard users.values.contains(where: \.isActiveAdministrator) || !known.isActiveAdministrator
        else { throw AccountFaults.lastAdministrator(known) }
    }
}

extension MemoryStorage: GrantStore {
    @discardableResult
    public func add(_ grant: StoredGrant, seen: [StoredKey], _ event: AuditEvent) async throws -> Revision {
        try change(event) { try $0.add(grant, seen: seen) }.revision
    }

    @discardableResult
    public func remove(_ id: GrantID, _ event: AuditEvent) async throws -> Revision {
        try change(event) { state in
            guard state.grants.removeValue(forKey: id) != nil else { throw AccountFaults.noGrant(id) }
        }.revision
    }

    public func grant(_ id: GrantID) async throws -> StoredGrant? { read { $0.grants[id] } }
    public func grants() async throws -> [StoredGrant] { read { $0.sortedGrants } }

    @discardableResult
    public func deny(_ client: DeniedClient, _ event: AuditEvent) async throws -> Revision {
        try change(event) { $0.denied.insert(client).inserted }.revision
    }

    @discardableResult
    public func allow(_ client: DeniedClient, _ event: AuditEvent) async throws -> Revision {
        try change(event) { $0.denied.remove(client) != nil }.revision
    }

    public func denied() async throws -> Set<DeniedClient> { read { $0.denied } }
}

extension MemoryStorage: UserStore {
    public func add(_ user: User, isFirst: Bool, _ event: AuditEvent) async throws {
        _ = try change(event) { state in
            if isFirst { try AccountFaults.expectNone(state.users.values.filter(\.isActiveAdministrator)) }
            guard state.users[user.id] == nil, !state.users.values.contains(where: { $0.name == user.name })
            else {
                throw AccountFaults.nameTaken(user)
            }
            state.users[user.id] = user
        }
    }

    public func change(_ user: User, seen: User, _ event: AuditEvent) async throws {
        _ = try change(event) { try $0.change(user, seen: seen) }
    }

    public func user(_ id: UserID) async throws -> User? { read { $0.users[id] } }
    public func user(named name: String) async throws -> User? {
        read { $0.users.values.first { $0.name == name } }
    }
    public func users() async throws -> [User] { read { $0.users.values.sorted { $0.name < $1.name } } }

    public func add(_ token: APIToken, _ event: AuditEvent) async throws {
        _ = try change(event) { state in
            guard state.users[token.user] != nil else { throw AccountFaults.noUser(token.user.description) }
            guard state.tokens[token.id] == nil,
                !state.tokens.values.contains(where: { $0.digest == token.digest })
            else { throw KeyringError(.conflict, "the token \(token.id) is there already") }
            state.tokens[token.id] = token
        }
    }

    public func revoke(_ id: TokenID, of user: UserID, _ event: AuditEvent) async throws {
        _ = try change(event) { state in
            guard state.tokens[id]?.user == user, state.revoked.insert(id).inserted else {
                throw AccountFaults.noToken(id)
            }
        }
    }

    public func noteUse(of id: TokenID, at time: Moment) async throws {
        state.withLock { state in
            guard let known = state.tokens[id], known.lastUsed.map({ $0 < time }) ?? true else { return }
            state.tokens[id]?.lastUsed = time
        }
    }

    public func tokens(of user: UserID) async throws -> [APIToken] {
        read { state in state.tokens.values.filter { $0.user == user && !state.revoked.contains($0.id) } }
            .sorted { ($0.created, $0.id) < ($1.created, $1.id) }
    }

    public func token(_ digest: Digest) async throws -> KnownToken? {
        read { state in
            guard let token = state.tokens.values.first(where: { $0.digest == digest }),
                !state.revoked.contains(token.id), let user = state.users[token.user]
            else { return nil }
            return KnownToken(token: token, user: user)
        }
    }
}

extension User {
    /// What may change about him, from the other one.
    func with(_ other: User) -> User {
        var user = self
        (user.role, user.isDisabled, user.powersSince) = (other.role, other.isDisabled, other.powersSince)
        return user
    }
}

/// What both versions of the stores refuse.
enum AccountFaults {
    static func noGrant(_ id: GrantID) -> KeyringError {
        KeyringError(.grantNotFound, "there is no grant \(id)")
    }
    static func noUser(_ name: String) -> KeyringError {
        KeyringError(.userNotFound, "there is no user \(name)")
    }
    static func nameTaken(_ user: User) -> KeyringError {
        KeyringError(.userNameTaken, "another user is called \(user.name)")
    }
    static func changedMeanwhile(_ user: User) -> KeyringError {
        KeyringError(.changedMeanwhile, "the user \(user.name) was changed by somebody else")
    }
    static func lastAdministrator(_ user: User) -> KeyringError {
        KeyringError(.wrongState, "\(user.name) is the last administrator; name another one first")
    }
    static func expectNone(_ administrators: [User]) throws(KeyringError) {
        guard !administrators.isEmpty else { return }
        let names = administrators.map(\.name).sorted().joined(separator: ", ")
        throw KeyringError(.alreadySetUp, "there are administrators: \(names)")
    }
    static let actorGone = KeyringError(.tokenInvalid, "the user who asks for it was disabled meanwhile")
    static func noToken(_ id: TokenID) -> KeyringError {
        KeyringError(.tokenNotFound, "there is no token \(id) of this user")
    }
}
