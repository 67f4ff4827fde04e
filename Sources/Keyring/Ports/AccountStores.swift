// SPDX-License-Identifier: Apache-2.0

public import Cryptography

/// Signing grants and who is shut out, as the control plane sees and changes them. Each change is one transaction with
/// its entry in the audit and the next revision.
public protocol GrantStore: Sendable {
    /// Throws `key-not-found` when a key of it is not there, and `changed-meanwhile` when one of `seen`, by which it was
    /// judged, is not as it was read.
    @discardableResult
    func add(_ grant: StoredGrant, seen: [StoredKey], _ event: AuditEvent) async throws -> Revision
    /// Throws `grant-not-found` when it is not there.
    @discardableResult
    func remove(_ id: GrantID, _ event: AuditEvent) async throws -> Revision
    func grant(_ id: GrantID) async throws -> StoredGrant?
    /// All, by creation.
    func grants() async throws -> [StoredGrant]

    /// Shuts a client out; again does no harm.
    @discardableResult
    func deny(_ client: DeniedClient, _ event: AuditEvent) async throws -> Revision
    /// Lets him in again.
    @discardableResult
    func allow(_ client: DeniedClient, _ event: AuditEvent) async throws -> Revision
    func denied() async throws -> Set<DeniedClient>
}

extension GrantStore {
    @discardableResult
    public func add(_ grant: StoredGrant, _ event: AuditEvent) async throws -> Revision {
        try await add(grant, seen: [], event)
    }
}

/// What nothing is signed with for now. Each change is one transaction with its entry in the audit and the next revision;
/// what ends a freeze stands in a `ProposalChange`.
public protocol FreezeStore: Sendable {
    /// Again does no harm: the first order stays, and is returned.
    @discardableResult
    func freeze(_ freeze: Freeze, _ event: AuditEvent) async throws -> Freeze
    /// By the time when they were ordered.
    func freezes() async throws -> [Freeze]
}

/// Users and their tokens. Each change is one transaction with its entry in the audit.
public protocol UserStore: Sendable {
    /// Throws `user-name-taken` when there is one of that name. `isFirst`: only while there is no administrator who may do
    /// something; else it throws `already-set-up`.
    func add(_ user: User, isFirst: Bool, _ event: AuditEvent) async throws
    /// Role and whether he is disabled, if he still is as he was `seen`. Throws `user-not-found`, `changed-meanwhile`, and
    /// `wrong-state` when no administrator would be left who may do something.
    func change(_ user: User, seen: User, _ event: AuditEvent) async throws
    func user(_ id: UserID) async throws -> User?
    func user(named name: String) async throws -> User?
    /// By name.
    func users() async throws -> [User]

    func add(_ token: APIToken, _ event: AuditEvent) async throws
    /// It is of no use from now on. Throws `token-not-found` when there is no such token of that user.
    func revoke(_ id: TokenID, of user: UserID, _ event: AuditEvent) async throws
    /// Those that are not revoked, by creation.
    func tokens(of user: UserID) async throws -> [APIToken]
    /// Writes down when a token was used last, if that is later than what is known. It is no change: it has no entry in the
    /// audit and no revision of its own.
    func noteUse(of id: TokenID, at time: Moment) async throws
    /// The token with this digest and its user, unless it was revoked. Expiry and whether the user is disabled are the
    /// caller's to look at.
    func token(_ digest: Digest) async throws -> KnownToken?
}

extension UserStore {
    public func add(_ user: User, _ event: AuditEvent) async throws {
        try await add(user, isFirst: false, event)
    }
}

public struct KnownToken: Hashable, Sendable {
    public let token: APIToken
    public let user: User

    public init(token: APIToken, user: User) {
        self.token = token
        self.user = user
    }
}

/// What was done, in order.
public protocol AuditStore: Sendable {
    /// Entries after that number, the oldest first, at most `limit`.
    func entries(after sequence: UInt64, limit: Int) async throws -> [AuditEntry]
    /// What the database says is the end of the chain.
    func auditHead() async throws -> ChainHead
}
