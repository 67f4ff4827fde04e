// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
public import Keyring

/// Stops of signing: who may enable keys orders one alone and at once; to end it takes an administrator more than the one
/// who ordered it.
public struct FreezeRegister: Sendable {
    let freezes: any FreezeStore
    let keys: KeyRegister

    public init(freezes: any FreezeStore, keys: KeyRegister) {
        self.freezes = freezes
        self.keys = keys
    }

    /// What became of the wish to end a freeze.
    public enum Thaw: Sendable {
        case done
        /// Another administrator has to approve it.
        case asked(Proposal)
    }

    /// Those of keys that the caller may see.
    public func list(for caller: Caller) async throws -> [(freeze: Freeze, key: StoredKey?)] {
        try caller.require(.readKeys)
        var found: [(Freeze, StoredKey?)] = []
        for freeze in try await freezes.freezes() {
            guard let id = freeze.key else {
                found.append((freeze, nil))
                continue
            }
            let key = try await keys.any(id.description)
            if caller.sight.includes(key.record.owner) { found.append((freeze, key)) }
        }
        return found
    }

    /// `nil` for all keys. Again does no harm; the first order stays.
    @discardableResult
    public func freeze(_ idOrName: String?, because reason: String, by caller: Caller) async throws -> (
        freeze: Freeze, key: StoredKey?
    ) {
        let key = try await key(idOrName, for: caller, to: .switchKeys)
        let now = keys.clock()
        let freeze = try Freeze(key: key?.record.id, by: caller.voice(at: now), because: reason)
        let stored = try await freezes.freeze(
            freeze, event(.freeze, freeze, key, by: caller, at: now, [("reason", reason)]))
        return (stored, key)
    }

    /// Ends a freeze, if the caller is the administrator more; else asks another one to.
    public func thaw(_ idOrName: String?, by caller: Caller) async throws -> Thaw {
        let key = try await key(idOrName, for: caller, to: .manageKeys)
        return try await Ballot.settled {
            let now = keys.clock()
            let freeze = try await existing(key?.record.id)
            if let open = try await keys.ballot.open(.thawing, of: freeze.subject) {
                if !open.proposal.isOver(at: now) { return try await approve(open, by: caller) }
                try await close(open, as: .expired, by: KeyRegister.program)
            }
            // Whoever may start programs on the server's machine may do anything; a private key is its owner's alone.
            if caller.user.map({ freeze.mayBeEnded(by: $0) }) ?? true || key?.record.owner != nil {
                let event = try event(.thaw, freeze, key, by: caller, at: now)
                try await keys.stores.write(ProposalChange(nil, deed: .thaw(freeze)), event)
                return .done
            }
            let proposal = try Proposal(
                id: .random(), .thawing, of: freeze.subject, by: caller.voice(at: now), needed: 1,
                ends: now + keys.rules.life)
            try await keys.stores.write(
                ProposalChange(keys.ring.stored(proposal)),
                event(.thawRequest, freeze, key, by: caller, at: now, proposal.facts))
            return .asked(proposal)
        }
    }

    @discardableResult
    func approve(_ open: StoredProposal, by caller: Caller) async throws -> Thaw {
        let now = keys.clock()
        let proposal = try await keys.ballot.approved(open, by: caller, at: now)
        let freeze = try await existing(proposal.key)
        let done = try proposal.closed(as: .done, at: now)
        var key: StoredKey?
        if let id = freeze.key { key = try await keys.any(id.description) }
        try await keys.stores.write(
            ProposalChange(
                keys.ring.changed(open, to: done), approvers: Set(done.approvals.compactMap(\.user)),
                deed: .thaw(freeze)), event(.thaw, freeze, key, by: caller, at: now, done.facts))
        return .done
    }

    func close(_ open: StoredProposal, as state: Proposal.State, by caller: Caller) async throws {
        let now = keys.clock()
        let closed = try open.proposal.closed(as: state, at: now)
        try await keys.stores.write(
            ProposalChange(keys.ring.changed(open, to: closed)),
            caller.event(
                state == .expired ? .approvalExpire : .thawCancel,
                open.proposal.key?.description ?? Self.everything, at: now, closed.facts))
    }

    // MARK: Parts

    private static let everything = "all keys"

    private func key(_ idOrName: String?, for caller: Caller, to ability: Ability) async throws -> StoredKey?
    {
        guard let idOrName else {
            try caller.require(ability)
            return nil
        }
        let key = try await keys.find(idOrName, for: caller, to: ability)
        guard key.record.purpose == .signing else {
            throw ControlError(.keySchemeMismatch, "the key \(key.record.name) signs no files; disable it")
        }
        return key
    }

    private func existing(_ key: KeyID?) async throws -> Freeze {
        guard let freeze = try await freezes.freezes().first(where: { $0.key == key }) else {
            throw ControlError(
                .freezeNotFound, key == nil ? "not all signing is frozen" : "the key is not frozen")
        }
        return freeze
    }

    private func event(
        _ action: AuditAction, _ freeze: Freeze, _ key: StoredKey?, by caller: Caller, at now: Moment,
        _ more: [(String, String)] = []
    ) throws -> AuditEvent {
        var facts = more
        if let key { facts.append(("name", key.record.name.text)) }
        if action != .freeze { facts.append(("frozen-by", freeze.by.name)) }
        return try caller.event(action, freeze.key?.description ?? Self.everything, at: now, facts)
    }
}
