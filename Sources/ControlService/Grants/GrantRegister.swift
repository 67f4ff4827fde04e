// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
public import Keyring
public import Signatures

/// Signing grants, and who is shut out whatever his grants say.
public struct GrantRegister: Sendable {
    let grants: any GrantStore
    let keys: any KeyStore
    let ballot: Ballot
    let ring: ClusterKeyRing
    let clock: Clock

    public init(grants: any GrantStore, keys: any KeyStore, ballot: Ballot) {
        self.grants = grants
        self.keys = keys
        self.ballot = ballot
        ring = ballot.ring
        clock = ballot.clock
    }

    // MARK: Grants

    public func list(for caller: Caller) async throws -> [Grant] {
        try caller.require(.readGrants)
        let all = try await grants.grants()
        for stored in all { try await ring.check(stored) }
        return all.map(\.grant)
    }

    public func grant(_ id: GrantID, for caller: Caller) async throws -> Grant {
        try caller.require(.readGrants)
        guard let stored = try await grants.grant(id) else {
            throw ControlError(.grantNotFound, "there is no grant \(id)")
        }
        try await ring.check(stored)
        return stored.grant
    }

    /// `keys` are names, ids, or patterns over names; what they stand for now is granted, so that a key which takes over
    /// a name inherits nothing. When one of them is guarded, others have to approve the grant.
    @discardableResult
    public func add(
        _ clients: IdentityPattern, keys patterns: [String], kinds: Set<SigningKind>, expires: Moment? = nil,
        summary: String = "", networks: Set<Network> = [], by caller: Caller
    ) async throws -> Decision<Grant> {
        guard caller.may(.manageGrants) || caller.may(.ownKeys) else {
            return try caller.refuse(.manageGrants)
        }
        let now = clock()
        guard expires.map({ now < $0 }) ?? true else {
            throw ControlError(.invalidArgument, "expire_at: it lies in the past")
        }
        // Whatever happens to one of the keys until the grant is written, it is judged by what the key is then.
        for _ in 0..<Self.tries {
            let named: [StoredKey]
            do {
                named = try await expand(patterns, for: kinds, caller)
            } catch let error as ControlError where error.code == .keyNotFound {
                try caller.require(.manageGrants)
                throw error
            }
            // An owner grants the use of his private keys, and nobody else does.
            if named.contains(where: { $0.record.owner == nil }) { try caller.require(.manageGrants) }
            let grant = try Grant(
                id: .random(), clients: clients, keys: Set(named.map(\.record.id)), kinds: kinds,
                created: now,
                expires: expires, summary: summary, networks: networks)
            if named.contains(where: \.record.isGuarded), ballot.isNeeded(for: caller) {
                try await ballot.expectApprovers(beside: caller)
                let proposal = try ballot.proposal(.granting, of: .grant(grant.id), .grant(grant), by: caller)
                try await ballot.ask(proposal, by: caller, [("keys", Self.names(named))])
                return .asked(proposal)
            }
            do {
                try await grants.add(
                    ring.sealed(grant), seen: named, event(grant, named, by: caller, at: now))
                return .done(grant)
            } catch let error as KeyringError where error.code == .changedMeanwhile {}
        }
        throw ControlError(.changedMeanwhile, "keys: they are being changed at the moment")
    }

    private static let tries = 5

    private static func names(_ keys: [StoredKey]) -> String {
        keys.map(\.record.name.text).sorted().joined(separator: ", ")
    }

    private func event(
        _ grant: Grant, _ named: [StoredKey], by caller: Caller, at now: Moment,
        _ more: [(String, String)] = []
    ) throws -> AuditEvent {
        try caller.event(
            .grantCreate, grant.id.description, at: now,
            [
                ("clients", grant.clients.description), ("keys", Self.names(named)),
                ("kinds", grant.kinds.map(\.rawValue).sorted().joined(separator: ", ")),
            ] + (grant.networks.isEmpty ? [] : [("networks", grant.networksText)]) + more)
    }

    /// Approves a grant that names guarded keys: just the one that was asked for.
    func approve(_ open: StoredProposal, by caller: Caller) async throws -> Proposal {
        try await ballot.approve(open, by: caller) { done, now in
            guard case .grant(let grant) = done.content else { throw Ballot.missing(done.id) }
            guard !grant.isExpired(at: now) else {
                throw ControlError(.grantExpired, "the grant would have expired; reject the request")
            }
            var named: [StoredKey] = []
            for id in grant.keys.sorted() {
                guard let key = try await keys.key(id), !key.record.state.freesName else {
                    throw ControlError(.keyNotFound, "keys: the key \(id) is gone; reject the request")
                }
                try await ring.check(key)
                named.append(key)
            }
            let facts = done.facts.filter { $0.0 != "clients" && $0.0 != "kinds" }
            return (
                .grant(try await ring.sealed(grant), seen: named),
                try event(grant, named, by: caller, at: now, facts)
            )
        }
    }

    /// `isExpected` judges what the caller has seen; a grant never changes, so that holds until it is gone.
    public func remove(
        _ id: GrantID, by caller: Caller, isExpected: ((Grant) throws -> Void)? = nil
    ) async throws {
        if !caller.may(.manageGrants) {
            guard caller.may(.ownKeys), let user = caller.user?.id, let stored = try await grants.grant(id)
            else { return try caller.refuse(.manageGrants) }
            for key in stored.grant.keys {
                guard try await keys.key(key)?.record.owner == user else {
                    return try caller.refuse(.manageGrants)
                }
            }
        }
        if let isExpected, let stored = try await grants.grant(id) { try isExpected(stored.grant) }
        try await grants.remove(id, caller.event(.grantRemove, id.description, at: clock()))
    }

    private func expand(_ patterns: [String], for kinds: Set<SigningKind>, _ caller: Caller) async throws
        -> [StoredKey]
    {
        guard (1...Grant.mostKeys).contains(patterns.count) else {
            throw ControlError(.invalidArgument, "keys: 1 to \(Grant.mostKeys) names, ids or patterns")
        }
        let schemes = Set(kinds.map(\.scheme))
        var found: [KeyID: StoredKey] = [:]
        for pattern in patterns {
            let matching = try await keys(matching: pattern).filter { caller.sight.includes($0.record.owner) }
            guard !matching.isEmpty else {
                throw ControlError(.keyNotFound, "keys: there is no key \(pattern.prefix(80))")
            }
            let usable = matching.filter {
                $0.record.purpose == .signing && schemes.contains($0.record.scheme)
            }
            guard !usable.isEmpty else {
                throw ControlError(
                    .keySchemeMismatch,
                    "keys: no key \(pattern.prefix(80)) signs any of the kinds that are named")
            }
            for key in usable {
                // A name that somebody edited in the database would have another key granted.
                try await ring.check(key)
                found[key.record.id] = key
            }
        }
        return found.values.sorted { $0.record.id < $1.record.id }
    }

    private func keys(matching pattern: String) async throws -> [StoredKey] {
        guard pattern.utf8.contains(UInt8(ascii: "*")) else {
            let stored: StoredKey?
            if let id = KeyID(pattern) {
                stored = try await keys.key(id)
            } else {
                stored = try await keys.key(named: KeyName(pattern))
            }
            return stored.map { $0.record.state.freesName ? [] : [$0] } ?? []
        }
        let pattern = try NamePattern(pattern)
        var query = KeyQuery()
        query.purpose = .signing
        // Private keys are granted one by one.
        query.sight = .publicOnly
        query.limit = KeyQuery.largest
        var matching: [StoredKey] = []
        while true {
            let page = try await keys.keys(query)
            matching += page.keys.filter { pattern.matches($0.record.name.text) }
            query.offset += page.keys.count
            guard !page.keys.isEmpty, query.offset < page.total else { return matching }
        }
    }

    // MARK: Who is shut out

    public func denied(for caller: Caller) async throws -> Set<DeniedClient> {
        try caller.require(.readGrants)
        return try await grants.denied()
    }

    public func deny(_ client: DeniedClient, by caller: Caller) async throws {
        try caller.require(.manageGrants)
        try await grants.deny(client, caller.event(.clientDeny, client.text, at: clock()))
    }

    public func allow(_ client: DeniedClient, by caller: Caller) async throws {
        try caller.require(.manageGrants)
        try await grants.allow(client, caller.event(.clientAllow, client.text, at: clock()))
    }
}
