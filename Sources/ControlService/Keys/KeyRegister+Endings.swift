// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
public import Keyring
internal import Signatures

/// How many administrators it takes to end a key, and how long things last.
public struct ApprovalRules: Hashable, Sendable {
    /// Beside the one who asks.
    public var needed = 3
    /// Of a request that does not get enough approvals.
    public var life: Duration = .seconds(7 * 86_400)
    /// How long the private half of a deleted key is kept.
    public var destroyAfter: Duration = .seconds(7 * 86_400)

    public init() {}
}

extension Proposal.Operation {
    /// What leads a key to wait for approvals, what leads it back, and what happens in the end.
    /// `nil` for what is not the end of a key.
    var ending: Ending? {
        switch self {
        case .deletion:
            Ending(
                actions: (.requestDeletion, .cancelDeletion, .delete),
                audit: (.keyRequestDeletion, .keyCancelDeletion, .keyDelete))
        case .revocation:
            Ending(
                actions: (.requestRevocation, .cancelRevocation, .revoke),
                audit: (.keyRequestRevocation, .keyCancelRevocation, .keyRevoke))
        default: nil
        }
    }
}

struct Ending {
    let actions: (request: KeyAction, cancel: KeyAction, end: KeyAction)
    let audit: (request: AuditAction, cancel: AuditAction, end: AuditAction)
}

/// The end of a key's life: asked for by one administrator and approved by others, or at once where nobody has to.
extension KeyRegister {
    // MARK: Asking and approving

    /// Asks for it, or approves what somebody else has asked for, as Signatrust's administrators vote by the same route.
    @discardableResult
    public func request(
        _ operation: Proposal.Operation, of idOrName: String, because reason: RevocationReason? = nil,
        by caller: Caller, isExpected: (StoredKey) throws -> Void = { _ in }
    ) async throws -> StoredKey {
        try await Ballot.settled {
            let stored = try await find(idOrName, for: caller, to: .manageKeys)
            try isExpected(stored)
            if let open = try await pending(operation, of: stored) {
                guard reason == nil || reason == open.proposal.reason else {
                    throw ControlError(
                        .approvalRefused,
                        "reason: it was asked for because of \(open.proposal.reason?.rawValue ?? "none")")
                }
                return try await approve(open, of: stored, by: caller)
            }
            return try await propose(operation, of: stored, because: reason, by: caller)
        }
    }

    /// Approves a request that was read.
    func approve(_ open: StoredProposal, of id: KeyID, by caller: Caller) async throws {
        _ = try await approve(open, of: any(id.description), by: caller)
    }

    // MARK: Against it

    /// Takes back one's own approval, or for the one who asked the whole request.
    @discardableResult
    public func cancel(
        _ operation: Proposal.Operation, of idOrName: String, by caller: Caller,
        isExpected: (StoredKey) throws -> Void = { _ in }
    ) async throws -> StoredKey {
        try await Ballot.settled {
            let stored = try await find(idOrName, for: caller, to: .manageKeys)
            try isExpected(stored)
            let ending = try Self.ending(operation)
            guard let open = try await pending(operation, of: stored) else {
                _ = try stored.record.applying(ending.actions.cancel)
                throw ControlError(.keyStateForbids, "the key \(stored.record.name): nobody asked for it")
            }
            let now = clock()
            if open.proposal.requester.user == caller.user?.id {
                return try await close(open, of: stored, as: .cancelled, by: caller, at: now)
            }
            guard let user = caller.user else {
                throw ControlError(.approvalRefused, "the request is not of \(caller.name)")
            }
            var change = KeyChange(try await ring.changed(stored, to: stored.record))
            change.proposal = try await ring.changed(
                open, to: try open.proposal.takenBack(by: user.id, at: now))
            return try await keys.change(
                change, event(.approvalTakeBack, stored, open.proposal, by: caller, at: now))
        }
    }

    /// Ends a request that was read.
    func reject(_ open: StoredProposal, of id: KeyID, by caller: Caller) async throws {
        _ = try await close(open, of: any(id.description), as: .cancelled, by: caller, at: clock())
    }

    // MARK: Reading

    /// The requests that these keys wait for.
    func waiting(_ page: [StoredKey]) async throws -> [KeyID: Proposal] {
        let waiting = page.filter { $0.record.state.isWaiting }
        guard !waiting.isEmpty else { return [:] }
        var query = ProposalQuery()
        query.state = .open
        query.subjects = Set(waiting.map { .key($0.record.id) })
        query.limit = ProposalQuery.largest
        var found: [KeyID: Proposal] = [:]
        for stored in try await stores.proposals(query) {
            try await ring.check(stored)
            if let key = stored.proposal.key, stored.proposal.operation.ending != nil {
                found[key] = stored.proposal
            }
        }
        return found
    }

    // MARK: Steps

    private static func ending(_ operation: Proposal.Operation) throws -> Ending {
        guard let ending = operation.ending else {
            throw ControlError(.internalError, "\(operation.rawValue) is no end of a key")
        }
        return ending
    }

    /// The request that the key waits for; one whose time is over is ended first.
    private func pending(_ operation: Proposal.Operation, of stored: StoredKey) async throws
        -> StoredProposal?
    {
        guard stored.record.state.isWaiting else { return nil }
        var query = ProposalQuery()
        (query.operation, query.state, query.subjects) = (operation, .open, [.key(stored.record.id)])
        guard let open = try await stores.proposals(query).first else { return nil }
        try await ring.check(open)
        guard open.proposal.isOver(at: clock()) else { return open }
        try await lapse(open, of: stored)
        throw KeyringError(.changedMeanwhile, "the request had ended")
    }

    private func propose(
        _ operation: Proposal.Operation, of stored: StoredKey, because reason: RevocationReason?,
        by caller: Caller
    ) async throws -> StoredKey {
        let now = clock()
        let ending = try Self.ending(operation)
        let record = try stored.record.applying(ending.actions.request)
        if operation == .revocation, record.scheme != .openpgp, record.parent == nil {
            throw ControlError(
                .keySchemeMismatch,
                "the key \(record.name) has no authority that could list it as revoked; delete it instead")
        }
        let proposal = try Proposal(
            id: .random(), operation, of: .key(record.id),
            because: operation == .revocation ? reason ?? .unspecified : nil,
            by: caller.voice(at: now),
            needed: record.owner == nil ? rules.needed : 0, ends: now + rules.life)
        guard !proposal.isApproved else {
            return try await carryOut(ring.stored(proposal), proposal, of: stored, by: caller, at: now)
        }
        var change = KeyChange(try await ring.changed(stored, to: record))
        change.proposal = try await ring.stored(proposal)
        return try await keys.change(
            change, event(ending.audit.request, stored, proposal, by: caller, at: now))
    }

    private func approve(_ open: StoredProposal, of stored: StoredKey, by caller: Caller) async throws
        -> StoredKey
    {
        let now = clock()
        let proposal = try await ballot.approved(open, by: caller, at: now)
        if proposal.isApproved { return try await carryOut(open, proposal, of: stored, by: caller, at: now) }
        var change = KeyChange(try await ring.changed(stored, to: stored.record))
        change.proposal = try await ring.changed(open, to: proposal)
        change.approvers = Set(proposal.approvals.compactMap(\.user))
        return try await keys.change(change, event(.approvalGive, stored, proposal, by: caller, at: now))
    }

    /// What was asked for happens. `approved` is the request with enough approvals.
    private func carryOut(
        _ open: StoredProposal, _ approved: Proposal, of stored: StoredKey, by caller: Caller, at now: Moment
    ) async throws -> StoredKey {
        let operation = approved.operation
        let ending = try Self.ending(operation)
        var record = try stored.record.applying(ending.actions.end)
        var others: [StoredKey] = []
        if operation == .revocation, record.scheme == .openpgp {
            (record.certificate, others) = try await revoked(
                stored, because: approved.reason ?? .unspecified, at: now)
        }
        let done = try approved.closed(as: .done, at: now)
        var change = KeyChange(try await ring.changed(stored, to: record))
        change.proposal = try await ring.changed(open, to: done)
        change.approvers = Set(done.approvals.compactMap(\.user))
        change.isChildless = operation == .deletion
        change.others = others
        if operation == .revocation, record.scheme != .openpgp {
            change.list = try await nextList(for: record, done, at: now)
        }
        let number = change.list.map { String($0.number) } ?? "none"
        return try await keys.change(
            change,
            event(
                ending.audit.end, stored, done, by: caller, at: now,
                operation == .revocation ? [("list", number)] : []))
    }

    /// The list that the key is on from now on; `nil` when its authority can sign none, which the caretaker makes up for.
    private func nextList(for record: KeyRecord, _ done: Proposal, at now: Moment) async throws
        -> StoredRevocationList?
    {
        guard let id = record.parent, let authority = try await keys.key(id) else { return nil }
        try await ring.check(authority)
        guard authority.record.state.after(.listRevocations) != nil else { return nil }
        return try await lists.next(of: authority, with: [(record, done)], at: now)
    }

    private func close(
        _ open: StoredProposal, of stored: StoredKey, as state: Proposal.State, by caller: Caller,
        at now: Moment
    ) async throws -> StoredKey {
        let ending = try Self.ending(open.proposal.operation)
        let record = try stored.record.applying(ending.actions.cancel)
        var change = KeyChange(try await ring.changed(stored, to: record))
        change.proposal = try await ring.changed(open, to: try open.proposal.closed(as: state, at: now))
        let action = state == .expired ? AuditAction.approvalExpire : ending.audit.cancel
        return try await keys.change(change, event(action, stored, open.proposal, by: caller, at: now))
    }

    /// Ends a request whose time is over.
    func lapse(_ open: StoredProposal, of stored: StoredKey) async throws {
        _ = try await close(open, of: stored, as: .expired, by: Self.program, at: clock())
    }

    static let program = Caller(program: "control-server")

    private func event(
        _ action: AuditAction, _ stored: StoredKey, _ proposal: Proposal, by caller: Caller, at now: Moment,
        _ more: [(String, String)] = []
    ) throws -> AuditEvent {
        let facts = [("name", stored.record.name.text)] + proposal.facts + more
        return try caller.event(action, stored.record.id.description, at: now, facts)
    }
}

extension KeyState {
    /// For approvals.
    var isWaiting: Bool {
        self == .pendingDeletion || self == .revokedPendingDeletion || self == .pendingRevocation
    }
}
