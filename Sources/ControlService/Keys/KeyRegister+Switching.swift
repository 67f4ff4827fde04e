// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
public import Keyring

/// Enabling and disabling keys, and guarding them. What makes a guarded key sign, and what ends the guard, takes
/// approvals; to stop it is a single act.
extension KeyRegister {
    /// `isExpected` judges the state that the caller has seen, before anything is changed.
    @discardableResult
    public func apply(
        _ action: KeyAction, to idOrName: String, by caller: Caller,
        isExpected: (StoredKey) throws -> Void = { _ in }
    ) async throws -> Decision<StoredKey> {
        guard let auditAction = Self.switches[action] else {
            throw ControlError(.unsupported, "this version does not know \(action.rawValue)")
        }
        return try await changed(
            idOrName, by: caller, to: .switchKeys, isExpected,
            needsApproval: { action == .enable && $0.isGuarded },
            operation: .enabling, audit: auditAction
        ) { stored, now in
            action == .enable ? try Self.enabled(stored, at: now) : try stored.record.applying(action)
        }
    }

    private static func enabled(_ stored: StoredKey, at now: Moment) throws -> KeyRecord {
        let next = try stored.record.applying(.enable)
        guard !next.isExpired(at: now) else {
            throw ControlError(.keyExpired, "the key \(next.name) has expired")
        }
        guard stored.sealed != nil else {
            throw ControlError(
                .keyStateForbids,
                "the key \(next.name): its private half is with who made it, so nothing signs here")
        }
        return next
    }

    private static let switches: [KeyAction: AuditAction] = [.enable: .keyEnable, .disable: .keyDisable]

    /// Guards a key from now on, or ends the guard.
    @discardableResult
    public func setGuard(
        _ isGuarded: Bool, of idOrName: String, by caller: Caller,
        isExpected: (StoredKey) throws -> Void = { _ in }
    ) async throws -> Decision<StoredKey> {
        try await changed(
            idOrName, by: caller, to: .manageKeys, isExpected, needsApproval: { !isGuarded && $0.isGuarded },
            operation: .unguarding, audit: isGuarded ? .keyGuard : .keyUnguard
        ) { stored, _ in try Self.guarded(stored.record, isGuarded) }
    }

    private static func guarded(_ record: KeyRecord, _ isGuarded: Bool) throws -> KeyRecord {
        var next = try record.applying(.describe)
        guard record.owner == nil else {
            throw ControlError(
                .invalidArgument, "guarded: a private key is its owner's alone, and nobody else approves")
        }
        next.isGuarded = isGuarded
        return next
    }

    private func changed(
        _ idOrName: String, by caller: Caller, to ability: Ability, _ isExpected: (StoredKey) throws -> Void,
        needsApproval: (KeyRecord) -> Bool, operation: Proposal.Operation, audit: AuditAction,
        _ body: (StoredKey, Moment) throws -> KeyRecord
    ) async throws -> Decision<StoredKey> {
        let stored = try await find(idOrName, for: caller, to: ability)
        try isExpected(stored)
        let now = clock()
        let record = try body(stored, now)
        let id = record.id.description
        guard needsApproval(stored.record), ballot.isNeeded(for: caller) else {
            return .done(
                try await keys.change(
                    ring.changed(stored, to: record),
                    caller.event(audit, id, at: now, [("name", record.name.text)])))
        }
        if let open = try await ballot.open(operation, of: .key(record.id)) {
            try caller.require(.manageKeys)
            let proposal = try await approveSwitch(open, of: record.id, by: caller)
            guard proposal.state == .done else { return .asked(proposal) }
            return .done(try await any(id))
        }
        try await ballot.expectApprovers(beside: caller)
        let proposal = try ballot.proposal(operation, of: .key(record.id), by: caller)
        // With the key's row, so that two who ask at once do not make two requests.
        var change = KeyChange(try await ring.changed(stored, to: stored.record))
        change.proposal = try await ring.stored(proposal)
        try await keys.change(
            change,
            caller.event(.approvalRequest, id, at: now, proposal.facts + [("name", record.name.text)]))
        return .asked(proposal)
    }

    /// Approves a request to enable a guarded key, or to end its guard.
    func approveSwitch(_ open: StoredProposal, of id: KeyID, by caller: Caller) async throws -> Proposal {
        let now = clock()
        let stored = try await any(id.description)
        let proposal = try await ballot.approved(open, by: caller, at: now)
        let isUnguarding = proposal.operation == .unguarding
        let done = proposal.isApproved ? try proposal.closed(as: .done, at: now) : proposal
        var record = stored.record
        if proposal.isApproved {
            record = isUnguarding ? try Self.guarded(record, false) : try Self.enabled(stored, at: now)
        }
        var change = KeyChange(try await ring.changed(stored, to: record))
        change.proposal = try await ring.changed(open, to: done)
        change.approvers = Set(done.approvals.compactMap(\.user))
        let audit: AuditAction =
            !proposal.isApproved ? .approvalGive : isUnguarding ? .keyUnguard : .keyEnable
        try await keys.change(
            change,
            caller.event(audit, id.description, at: now, [("name", record.name.text)] + done.facts))
        return done
    }
}
