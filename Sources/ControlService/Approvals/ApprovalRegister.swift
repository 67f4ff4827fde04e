// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
public import Keyring

/// All requests for approval: whatever they are about, they are read, approved and rejected here.
public struct ApprovalRegister: Sendable {
    let keys: KeyRegister
    let freezes: FreezeRegister
    let users: UserRegister
    let grants: GrantRegister
    private let ballot: Ballot

    public init(
        keys: KeyRegister, freezes: FreezeRegister, users: UserRegister, grants: GrantRegister
    ) {
        self.keys = keys
        self.freezes = freezes
        self.users = users
        self.grants = grants
        ballot = keys.ballot
    }

    public func list(_ query: ProposalQuery, for caller: Caller) async throws -> [Proposal] {
        try caller.require(.readKeys)
        let all = try await ballot.stores.proposals(query)
        for stored in all { try await ballot.ring.check(stored) }
        // Nobody has to approve what becomes of a private key, so those are not shown: they name their owners.
        return all.map(\.proposal).filter { $0.needed > 0 || $0.requester.user == caller.user?.id }
    }

    public func proposal(_ id: ProposalID, for caller: Caller) async throws -> Proposal {
        try caller.require(.readKeys)
        let proposal = try await ballot.existing(id).proposal
        guard proposal.needed > 0 || proposal.requester.user == caller.user?.id else {
            throw Ballot.missing(id)
        }
        return proposal
    }

    @discardableResult
    public func approve(_ id: ProposalID, by caller: Caller) async throws -> Proposal {
        try caller.require(.manageKeys)
        try await Ballot.settled {
            let open = try await ballot.existing(id)
            switch (open.proposal.operation, open.proposal.key) {
            case (.deletion, let key?), (.revocation, let key?):
                try await keys.approve(open, of: key, by: caller)
            case (.enabling, let key?), (.unguarding, let key?):
                _ = try await keys.approveSwitch(open, of: key, by: caller)
            case (.thawing, _): _ = try await freezes.approve(open, by: caller)
            case (.role, _): _ = try await users.approve(open, by: caller)
            case (.granting, _): _ = try await grants.approve(open, by: caller)
            case (_, nil): throw Ballot.missing(id)
            }
        }
        return try await ballot.existing(id).proposal
    }

    /// Ends a request that one is against; it takes one administrator, as disabling a key does.
    @discardableResult
    public func reject(_ id: ProposalID, by caller: Caller) async throws -> Proposal {
        try caller.require(.manageKeys)
        try await Ballot.settled {
            let open = try await ballot.existing(id)
            guard !open.proposal.isOver(at: keys.clock()) else {
                throw ControlError(.approvalOver, "the request is over")
            }
            if open.proposal.operation.ending != nil, let key = open.proposal.key {
                try await keys.reject(open, of: key, by: caller)
            } else {
                try await ballot.close(open, as: .cancelled, by: caller)
            }
        }
        return try await ballot.existing(id).proposal
    }
}
