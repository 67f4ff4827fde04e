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
    public func thaw(_ idOrName: String?, by caller: Caller) async throws -> Decision<Freeze> {
        let key = try await key(idOrName, for: caller, to: .manageKeys)
        return try await Ballot.settled {
            let freeze = try await existing(key?.record.id)
            if let open = try await keys.ballot.open(.thawing, of: freeze.subject) {
                _ = try await approve(open, by: caller)
                return .done(freeze)
            }
            // Whoever may start programs on the server's machine may do anything; a private key is its owner's alone.
            if caller.user.map({ freeze.mayBeEnded(by: $0) }) ?? true || key?.record.owner != nil {
                let event = try event(.thaw, freeze, key, by: caller, at: keys.clock())
                try await keys.stores.write(ProposalChange(nil, deed: .thaw(freeze)), event)
                return .done(freeze)
            }
            let proposal = try keys.ballot.proposal(.thawing, of: freeze.subject, by: caller, needed: 1)
            try await keys.ballot.ask(proposal, by: caller, [("frozen-by", freeze.by.name)])
            return .asked(proposal)
        }
    }

    func approve(_ open: StoredProposal, by caller: Caller) async throws -> Proposal {
        try await keys.ballot.approve(open, by: caller) { done, now in
            let freeze = try await existing(done.key)
            var key: StoredKey?
            if let id = freeze.key { key = try await keys.any(id.description) }
            return (.thaw(freeze), try event(.thaw, freeze, key, by: caller, at: now, done.facts))
        }
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
