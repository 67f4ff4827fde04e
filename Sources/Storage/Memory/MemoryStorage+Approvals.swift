// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
public import Keyring

extension MemoryStorage.State {
    /// What is written together with a key's row, and has to hold when it is.
    mutating func write(_ change: KeyChange) throws {
        try write(change.proposal, approvedBy: change.approvers)
        if change.isChildless {
            let parent = change.key.record.id
            guard !keys.values.contains(where: { $0.record.parent == parent && !$0.record.state.freesName })
            else { throw ProposalFaults.hasChildren(change.key.record) }
        }
        if let list = change.list { try write(list) }
        if let former = change.former { formerCertificates.append(former) }
    }

    mutating func write(_ proposal: StoredProposal?, approvedBy approvers: Set<UserID>) throws {
        if let proposal {
            let id = proposal.proposal.id
            guard (proposals[id]?.edition ?? 0) == proposal.edition else {
                throw ProposalFaults.changedMeanwhile
            }
            proposals[id] = StoredProposal(
                proposal: proposal.proposal, code: proposal.code, edition: proposal.edition + 1)
        }
        guard approvers.allSatisfy({ users[$0]?.isActiveAdministrator == true }) else {
            throw ProposalFaults.approverGone
        }
    }

    mutating func write(_ list: StoredRevocationList) throws {
        let newest = lists[list.authority]?.last?.number ?? 0
        guard newest == list.previous, list.number > list.previous else { throw ProposalFaults.listMeanwhile }
        lists[list.authority, default: []].append(list)
    }
}

extension MemoryStorage: ProposalStore {
    public func write(_ change: ProposalChange, _ event: AuditEvent) async throws {
        _ = try self.change(event) { state in
            try state.write(change.proposal, approvedBy: change.approvers)
            switch change.deed {
            case .thaw(let freeze):
                guard state.freezes[freeze.subject] == freeze else { throw ProposalFaults.freezeMeanwhile }
                state.freezes[freeze.subject] = nil
            case .user(let user, let seen, let endsTokens):
                try state.change(user, seen: seen)
                if endsTokens {
                    state.revoked.formUnion(state.tokens.values.filter { $0.user == user.id }.map(\.id))
                }
            case .grant(let grant, let seen): try state.add(grant, seen: seen)
            case nil: break
            }
        }
    }

    public func proposal(_ id: ProposalID) async throws -> StoredProposal? { read { $0.proposals[id] } }

    public func proposals(_ query: ProposalQuery) async throws -> [StoredProposal] {
        let found = read { state in state.proposals.values.filter { query.includes($0.proposal) } }
            .sorted {
                ($0.proposal.requester.time, $0.proposal.id) > ($1.proposal.requester.time, $1.proposal.id)
            }
        return Array(
            found.dropFirst(max(0, query.offset)).prefix(min(max(0, query.limit), ProposalQuery.largest)))
    }
}

extension MemoryStorage: FreezeStore {
    @discardableResult
    public func freeze(_ freeze: Freeze, _ event: AuditEvent) async throws -> Freeze {
        try change(event) { state in
            if let known = state.freezes[freeze.subject] { return known }
            state.freezes[freeze.subject] = freeze
            return freeze
        }.value
    }

    public func freezes() async throws -> [Freeze] {
        read {
            $0.freezes.values.sorted {
                ($0.by.time, $0.subject.bytes.description) < ($1.by.time, $1.subject.bytes.description)
            }
        }
    }
}

extension MemoryStorage: RevocationListStore {
    public func add(_ list: StoredRevocationList, _ event: AuditEvent) async throws {
        _ = try change(event) { try $0.write(list) }
    }

    public func newestList(of authority: KeyID) async throws -> StoredRevocationList? {
        read { $0.lists[authority]?.last }
    }

    public func list(of authority: KeyID, number: UInt64) async throws -> StoredRevocationList? {
        read { $0.lists[authority]?.first { $0.number == number } }
    }

    public func formerCertificates(of keys: Set<KeyID>) async throws -> [FormerCertificate] {
        read { $0.formerCertificates.filter { keys.contains($0.key) } }
    }
}
