// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
public import Keyring
internal import Signatures

/// What requests for approval have in common, whatever they are about: they are made, looked up, approved and closed.
public struct Ballot: Sendable {
    let stores: any ProposalStore & UserStore
    let ring: ClusterKeyRing
    let rules: ApprovalRules
    let clock: Clock

    public init(
        stores: any ProposalStore & UserStore, ring: ClusterKeyRing, rules: ApprovalRules = ApprovalRules(),
        clock: @escaping Clock
    ) {
        (self.stores, self.ring, self.rules, self.clock) = (stores, ring, rules, clock)
    }

    // MARK: Looking up

    func existing(_ id: ProposalID) async throws -> StoredProposal {
        guard let stored = try await stores.proposal(id) else { throw Self.missing(id) }
        try await ring.check(stored)
        return stored
    }

    static func missing(_ id: ProposalID) -> ControlError {
        ControlError(.approvalNotFound, "there is no request \(id)")
    }

    /// The request of that sort that waits about something. One whose time is over is ended first.
    func open(_ operation: Proposal.Operation, of subject: Proposal.Subject) async throws -> StoredProposal? {
        var query = ProposalQuery()
        (query.operation, query.state, query.subjects) = (operation, .open, [subject])
        guard let open = try await stores.proposals(query).first else { return nil }
        try await ring.check(open)
        guard open.proposal.isOver(at: clock()) else { return open }
        try await close(open, as: .expired, by: KeyRegister.program)
        return nil
    }

    // MARK: Asking

    /// Whether others have to approve what the caller wants. Whoever may start programs on the server's machine may do
    /// anything.
    func isNeeded(for caller: Caller) -> Bool { caller.user != nil && rules.needed > 0 }

    /// Refuses what never can be approved, since there are too few who could.
    func expectApprovers(beside caller: Caller) async throws {
        let now = clock()
        let others = try await stores.users().count {
            $0.isActiveAdministrator && $0.id != caller.user?.id && $0.powersSince <= now
        }
        guard others >= rules.needed else {
            throw ControlError(
                .approversMissing,
                "\(rules.needed) administrators beside you have to approve it, and there are \(others)")
        }
    }

    func proposal(
        _ operation: Proposal.Operation, of subject: Proposal.Subject, _ content: Proposal.Content? = nil,
        by caller: Caller, needed: Int? = nil
    ) throws -> Proposal {
        let now = clock()
        return try Proposal(
            id: .random(), operation, of: subject, content, by: caller.voice(at: now),
            needed: needed ?? rules.needed, ends: now + rules.life)
    }

    func ask(_ proposal: Proposal, by caller: Caller, _ facts: [(String, String)]) async throws {
        try await stores.write(
            ProposalChange(ring.stored(proposal)),
            caller.event(
                .approvalRequest, proposal.id.description, at: proposal.requester.time,
                proposal.facts + facts))
    }

    // MARK: Approving

    /// The request with the caller's approval, and without those of people who do not count any more.
    func approved(_ open: StoredProposal, by caller: Caller, at now: Moment) async throws -> Proposal {
        guard let user = caller.user else {
            throw ControlError(.approvalRefused, "programs do not approve, people do")
        }
        let asked = open.proposal.requester.time
        let counting = Set(
            try await stores.users().filter { $0.isActiveAdministrator && $0.powersSince <= asked }.map(\.id))
        return try open.proposal.approved(by: user, at: now).counting(counting)
    }

    /// Writes the caller's approval; with the last one what was asked for happens, in the same transaction.
    func approve(
        _ open: StoredProposal, by caller: Caller,
        _ happens: (Proposal, Moment) async throws -> (ProposalChange.Deed, AuditEvent)
    ) async throws -> Proposal {
        let now = clock()
        let proposal = try await approved(open, by: caller, at: now)
        let approvers = Set(proposal.approvals.compactMap(\.user))
        guard proposal.isApproved else {
            try await stores.write(
                ProposalChange(ring.changed(open, to: proposal), approvers: approvers),
                caller.event(.approvalGive, proposal.id.description, at: now, proposal.facts))
            return proposal
        }
        let done = try proposal.closed(as: .done, at: now)
        let (deed, event) = try await happens(done, now)
        try await stores.write(
            ProposalChange(ring.changed(open, to: done), approvers: approvers, deed: deed), event)
        return done
    }

    func close(_ open: StoredProposal, as state: Proposal.State, by caller: Caller) async throws {
        let now = clock()
        let closed = try open.proposal.closed(as: state, at: now)
        try await stores.write(
            ProposalChange(ring.changed(open, to: closed)),
            caller.event(
                state == .expired ? .approvalExpire : .approvalReject, closed.id.description, at: now,
                closed.facts))
    }

    /// Reads, judges and writes again when somebody else wrote meanwhile.
    static func settled<Value>(_ body: () async throws -> Value) async throws -> Value {
        for _ in 0..<tries {
            do {
                return try await body()
            } catch let error as KeyringError where error.code == .changedMeanwhile {}
        }
        throw ControlError(.changedMeanwhile, "many change it at the moment")
    }

    private static let tries = 60
}

/// What became of a wish that others may have to approve.
public enum Decision<Value: Sendable>: Sendable {
    case done(Value)
    case asked(Proposal)
}

extension Caller {
    var name: String {
        switch actor {
        case .user(_, let name), .program(let name): name
        }
    }

    func voice(at time: Moment) -> Proposal.Voice {
        Proposal.Voice(user: user?.id, name: name, time: time)
    }
}

extension Proposal {
    /// For the audit.
    var facts: [(String, String)] {
        var facts = [
            ("request", id.description), ("operation", operation.rawValue),
            ("approvals", "\(approvals.count) of \(needed)"),
        ]
        if let reason { facts.append(("reason", reason.rawValue)) }
        if !approvals.isEmpty {
            facts.append(("approved-by", approvals.map(\.name).joined(separator: ", ")))
        }
        switch content {
        case .role(let change):
            facts += [("user", change.name), ("role", change.to.role.rawValue)]
            facts.append(("disabled", change.to.isDisabled ? "true" : "false"))
        case .grant(let grant):
            facts += [("clients", grant.clients.description)]
            facts.append(("kinds", grant.kinds.map(\.rawValue).sorted().joined(separator: ", ")))
        case nil: break
        }
        return facts
    }
}
