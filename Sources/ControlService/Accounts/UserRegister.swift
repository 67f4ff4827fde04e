// SPDX-License-Identifier: Apache-2.0

internal import Cryptography
internal import Diagnostics
public import Keyring
internal import Secrets

/// Users and their API tokens: who there is, who may be let in, and who may say so.
public struct UserRegister: Sendable {
    let users: any UserStore
    let clock: Clock
    /// Of a token whose maker does not say it.
    let tokenLife: Duration

    public init(users: any UserStore, clock: @escaping Clock, tokenLife: Duration = .seconds(365 * 86_400)) {
        self.users = users
        self.clock = clock
        self.tokenLife = tokenLife
    }

    // MARK: Letting in

    /// Whose token this is. Why it is not taken is not told: not whether it ever existed.
    public func caller(presenting token: Span<UInt8>) async throws -> Caller {
        guard let digest = APIToken.digest(ofPresented: token), let known = try await users.token(digest),
            !known.token.isExpired(at: clock()), !known.user.isDisabled
        else { throw ControlError(.tokenInvalid, "the token is not taken") }
        return Caller(known.user)
    }

    // MARK: Users

    public func list(for caller: Caller) async throws -> [User] {
        try caller.require(.readUsers)
        return try await users.users()
    }

    public func user(_ id: UserID, for caller: Caller) async throws -> User {
        if caller.user?.id != id { try caller.require(.readUsers) }
        return try await existing(id)
    }

    public func add(_ name: String, _ role: Role, by caller: Caller) async throws -> User {
        try await add(name, role, isFirst: false, by: caller)
    }

    private func add(_ name: String, _ role: Role, isFirst: Bool, by caller: Caller) async throws -> User {
        try caller.require(.manageUsers)
        let now = clock()
        let user = try User(id: .random(), name: name, role: role, created: now)
        try await users.add(
            user, isFirst: isFirst,
            caller.event(
                .userCreate, user.id.description, at: now, [("name", name), ("role", role.rawValue)]))
        return user
    }

    /// Role, and whether he may do anything at all. The last administrator cannot be taken away. `isExpected` judges what
    /// the caller has seen, before anything is changed.
    public func change(
        _ id: UserID, role: Role?, isDisabled: Bool?, by caller: Caller,
        isExpected: (User) throws -> Void = { _ in }
    ) async throws -> User {
        try caller.require(.manageUsers)
        let old = try await existing(id)
        try isExpected(old)
        var user = old
        if let role { user.role = role }
        if let isDisabled { user.isDisabled = isDisabled }
        // What he is from now on counts for nothing that was asked for before.
        if user.role != old.role || (old.isDisabled && !user.isDisabled) { user.powersSince = clock() }
        guard user != old else { return old }
        try await users.change(
            user, seen: old,
            caller.event(
                .userChange, id.description, at: clock(),
                [
                    ("name", user.name), ("role", user.role.rawValue),
                    ("disabled", user.isDisabled ? "true" : "false"),
                ]))
        return user
    }

    // MARK: Tokens

    public func tokens(of id: UserID, for caller: Caller) async throws -> [APIToken] {
        if caller.user?.id != id { try caller.require(.readUsers) }
        return try await users.tokens(of: existing(id).id)
    }

    /// A new token, whose text is told this once. One's own everybody may make, another's only who manages users.
    public func addToken(
        of id: UserID, summary: String, life: Duration? = nil, by caller: Caller
    ) async throws -> NewAPIToken {
        if caller.user?.id != id { try caller.require(.manageUsers) }
        let user = try await existing(id)
        let now = clock()
        let made = try NewAPIToken.make(for: user.id, summary: summary, created: now, life: life ?? tokenLife)
        try await users.add(
            made.token,
            caller.event(.tokenCreate, made.token.id.description, at: now, [("user", user.name)]))
        return made
    }

    public func revokeToken(_ token: TokenID, of id: UserID, by caller: Caller) async throws {
        if caller.user?.id != id { try caller.require(.manageUsers) }
        try await users.revoke(
            token, of: id, caller.event(.tokenRevoke, token.description, at: clock()))
    }

    // MARK: The first

    /// The first administrator and his token, while there is no other administrator. `replacingToken`: a new token for
    /// an administrator of that name who has lost his own.
    public func setUp(_ name: String, replacingToken: Bool, by caller: Caller) async throws
        -> NewAPIToken
    {
        let user: User
        if replacingToken {
            guard let known = try await users.user(named: name), known.isActiveAdministrator else {
                throw ControlError(.userNotFound, "there is no administrator \(name)")
            }
            user = known
        } else {
            user = try await add(name, .administrator, isFirst: true, by: caller)
        }
        return try await addToken(of: user.id, summary: "made on the server's machine", by: caller)
    }

    private func existing(_ id: UserID) async throws -> User {
        guard let user = try await users.user(id) else {
            throw ControlError(.userNotFound, "there is no user \(id)")
        }
        return user
    }
}
