// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import Keyring

/// What requests for approval have in common, whatever they are about: they are looked up, and approvals are counted.
struct Ballot: Sendable {
    let stores: any ProposalStore & UserStore
    let ring: ClusterKeyRing

    func existing(_ id: ProposalID) async throws -> StoredProposal {
        guard let stored = try await stores.proposal(id) else { throw Self.missing(id) }
        try await ring.check(stored)
        return stored
    }

    static func missing(_ id: ProposalID) -> ControlError {
        ControlError(.approvalNotFound, "there is no request \(id)")
    }

    /// The open request of that sort about something.
    func open(_ operation: Proposal.Operation, of subject: Proposal.Subject) async throws -> StoredProposal? {
        var query = ProposalQuery()
        (query.operation, query.state, query.subjects) = (operation, .open, [subject])
        guard let open = try await stores.proposals(query).first else { return nil }
        try await ring.check(open)
        return open
    }

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
        return facts
    }
}
