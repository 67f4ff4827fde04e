// SPDX-License-Identifier: Apache-2.0

public import Keyring
internal import MariaDB

extension ControlStorage: ProposalStore {
    public func proposal(_ id: ProposalID) async throws -> StoredProposal? {
        try await read { try ProposalTable.proposal(id, $0) }
    }

    public func proposals(_ query: ProposalQuery) async throws -> [StoredProposal] {
        try await read { try ProposalTable.proposals(query, $0) }
    }

    public func write(_ change: ProposalChange, _ event: AuditEvent) async throws {
        try await self.change(event) { connection in
            if let proposal = change.proposal { try ProposalTable.write(proposal, connection) }
            try Self.expect(change.approvers, connection)
            switch change.deed {
            case .thaw(let freeze): try FreezeTable.remove(freeze, connection)
            case .user(let user, let seen, let endsTokens):
                try Self.change(user, seen: seen, connection)
                if endsTokens {
                    try connection.execute(
                        "UPDATE api_token SET is_revoked = 1 WHERE account_id = ?", [user.id.field])
                }
            case .grant(let grant, let seen): try Self.add(grant, seen: seen, connection)
            case nil: break
            }
        }
    }

    /// Refuses when one of them is no administrator any more who may do something.
    private static func expect(_ approvers: Set<UserID>, _ connection: DatabaseConnection) throws {
        guard !approvers.isEmpty else { return }
        let ids = approvers.sorted()
        let rows = try connection.execute(
            """
            SELECT id FROM account WHERE role = ? AND is_disabled = 0 AND id IN (\(places(ids.count)))
            """, [.text(Role.administrator)] + ids.map(\.field)
        ).rows
        guard rows.count == ids.count else { throw ProposalFaults.approverGone }
    }

    /// What is written together with a key's row, and has to hold when it is.
    static func write(_ change: KeyChange, _ connection: DatabaseConnection) throws {
        if let proposal = change.proposal { try ProposalTable.write(proposal, connection) }
        try expect(change.approvers, connection)
        if change.isChildless {
            for purpose in KeyPurpose.allCases {
                let children = try connection.execute(
                    """
                    SELECT 1 FROM \(KeyTable(purpose: purpose).name)
                        WHERE parent = ? AND state NOT IN ('deleted', 'destroyed') LIMIT 1
                    """, [change.key.record.id.field]
                ).rows
                guard children.isEmpty else { throw ProposalFaults.hasChildren(change.key.record) }
            }
        }
        if let list = change.list { try RevocationListTable.insert(list, connection) }
        if let former = change.former { try FormerCertificateTable.insert(former, connection) }
    }
}

extension ControlStorage: FreezeStore {
    @discardableResult
    public func freeze(_ freeze: Freeze, _ event: AuditEvent) async throws -> Freeze {
        try await change(event) { connection in
            if let known = try FreezeTable.freeze(of: freeze.subject, connection) { return known }
            try FreezeTable.insert(freeze, connection)
            return freeze
        }.value
    }

    public func freezes() async throws -> [Freeze] { try await read { try FreezeTable.freezes($0) } }
}

extension ControlStorage: RevocationListStore {
    public func add(_ list: StoredRevocationList, _ event: AuditEvent) async throws {
        try await change(event) { try RevocationListTable.insert(list, $0) }
    }

    public func newestList(of authority: KeyID) async throws -> StoredRevocationList? {
        try await read { try RevocationListTable.newest(of: authority, $0) }
    }

    public func list(of authority: KeyID, number: UInt64) async throws -> StoredRevocationList? {
        try await read { try RevocationListTable.list(of: authority, number: number, $0) }
    }

    public func formerCertificates(of keys: Set<KeyID>) async throws -> [FormerCertificate] {
        guard !keys.isEmpty else { return [] }
        return try await read { try FormerCertificateTable.certificates(of: keys, $0) }
    }
}
