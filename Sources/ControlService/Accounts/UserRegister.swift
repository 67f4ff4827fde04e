// SPDX-License-Identifier: Apache-2.0

internal import Cryptography
internal import Diagnostics
public import Keyring
internal import Secrets

/// Users and their API tokens: who there is, who may be let in, and who may say so.
public struct UserRegister: Sendable {
    let users: any UserStore
    let ballot: Ballot
    let clock: Clock
    /// Of a token whose maker does not say it.
    let tokenLife: Duration

    public init(
        users: any UserStore, ballot: Ballot, tokenLife: Duration = .seconds(365 * 86_400)
    ) {
        self.users = users
        self.ballot = ballot
        clock = ballot.clock
        self.tokenLife = tokenLife
    }

    // MARK: Letting in

    /// Whose token this is. Why it is not taken is not told: not whether it ever existed.
    public func caller(presenting token: Span<UInt8>) async throws -> Caller {
        guard let digest = APIToken.digest(ofPresented: token), let known = try await users.token(digest),
            !known.token.isExpired(at: clock()), !known.user.isDisabled
        else { throw ControlError(.tokenInvalid, "the token is not taken") }
        let now = clock()
        // Whoever asks is not kept from it because this could not be written.
        if known.token.isUseNews(at: now) { try? await users.noteUse(of: known.token.id, at: now) }
        return Caller(known.user, scopes: known.token.scopes)
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

    // MARK: Tokens

    public func tokens(of id: UserID, for caller: Caller) async throws -> [APIToken] {
        if caller.user?.id != id { try caller.require(.readUsers) }
        return try await users.tokens(of: existing(id).id)
    }

    /// A new token, whose text is told this once. One's own everybody may make, another's only who manages users.
    /// Without `scopes` it is for what the caller's own is for, and never for more.
    public func addToken(
        of id: UserID, summary: String, life: Duration? = nil, scopes: Set<TokenScope>? = nil,
        by caller: Caller
    ) async throws -> NewAPIToken {
        let scopes = scopes ?? caller.scopes
        guard scopes.isSubset(of: caller.scopes) else {
            throw ControlError(
                .scopeMissing,
                "scopes: your own token is for \(caller.scopes.text) alone, and makes none for more")
        }
        if caller.user?.id != id { try caller.require(.manageUsers) }
        let user = try await existing(id)
        // With it one administrator would approve in the names of all.
        guard caller.user == nil || caller.user?.id == id || user.role != .administrator else {
            throw ControlError(
                .permissionDenied,
                "\(user.name) is an administrator, and makes tokens himself; the first comes from the server's machine, "
                    + "control-admin init --replace-token")
        }
        let now = clock()
        let made = try NewAPIToken.make(
            for: user.id, summary: summary, created: now, life: life ?? tokenLife, scopes: scopes)
        try await users.add(
            made.token,
            caller.event(
                .tokenCreate, made.token.id.description, at: now,
                [("user", user.name), ("scopes", scopes == .all ? "all" : scopes.text)]))
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
            user = try await make(name, .administrator, isFirst: true, by: caller)
        }
        return try await addToken(of: user.id, summary: "made on the server's machine", by: caller)
    }

    func existing(_ id: UserID) async throws -> User {
        guard let user = try await users.user(id) else {
            throw ControlError(.userNotFound, "there is no user \(id)")
        }
        return user
    }
}
