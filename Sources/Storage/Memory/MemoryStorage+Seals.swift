// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
public import Keyring

extension MemoryStorage.State {
    func uses(of key: ClusterKeyID) -> Int {
        keys.values.count { $0.code.clusterKey == key } + grants.values.count { $0.code.clusterKey == key }
            + proposals.values.count { $0.code.clusterKey == key }
    }

    /// Newest first.
    func clusterKeys(of plane: Plane) -> [WrappedKey] {
        clusterKeys.filter { $0.plane == plane }.sorted { ($0.created, $0.id) > ($1.created, $1.id) }
    }

    /// Refuses a row under a cluster key that was retired meanwhile.
    func expect(_ code: RowCode, _ plane: Plane) throws {
        guard clusterKeys.contains(where: { $0.id == code.clusterKey && $0.plane == plane }) else {
            throw KeyFaults.clusterKeyRetired
        }
    }
}

extension MemoryStorage: SealStore {
    public func rows(notUnder key: ClusterKeyID, of plane: Plane, limit: Int) async throws -> SealedRows {
        read { state in
            var rows = SealedRows()
            let keys = state.keys.values.filter {
                $0.record.purpose.plane == plane && $0.code.clusterKey != key
            }
            rows.keys = Array(keys.sorted { $0.record.id < $1.record.id }.prefix(max(0, limit)))
            switch plane {
            case .data:
                let grants = state.grants.values.filter { $0.code.clusterKey != key }
                rows.grants = Array(grants.sorted { $0.grant.id < $1.grant.id }.prefix(max(0, limit)))
            case .control:
                let proposals = state.proposals.values.filter { $0.code.clusterKey != key }
                rows.proposals = Array(
                    proposals.sorted { $0.proposal.id < $1.proposal.id }.prefix(max(0, limit)))
            }
            return rows
        }
    }

    public func reseal(_ rows: ResealedRows, _ event: AuditEvent) async throws -> Int {
        try change(event) { state in
            var count = 0
            for key in rows.keys where state.keys[key.record.id]?.edition == key.edition {
                try state.expect(key.code, key.record.purpose.plane)
                state.keys[key.record.id] = StoredKey(
                    record: key.record, sealed: key.sealed, code: key.code, edition: key.edition + 1)
                count += 1
            }
            for (new, old) in rows.grants where state.grants[old.grant.id] == old {
                try state.expect(new.code, .data)
                state.grants[new.grant.id] = new
                count += 1
            }
            for stored in rows.proposals where state.proposals[stored.proposal.id]?.edition == stored.edition
            {
                try state.expect(stored.code, .control)
                state.proposals[stored.proposal.id] = StoredProposal(
                    proposal: stored.proposal, code: stored.code, edition: stored.edition + 1)
                count += 1
            }
            return count
        }.value
    }

    public func uses(of key: ClusterKeyID) async throws -> Int { read { $0.uses(of: key) } }

    public func retire(_ key: ClusterKeyID, _ event: AuditEvent) async throws {
        _ = try change(event) { state in
            guard let known = state.clusterKeys.first(where: { $0.id == key }) else {
                throw KeyFaults.noClusterKey(key)
            }
            guard state.clusterKeys(of: known.plane).first?.id != key, state.uses(of: key) == 0 else {
                throw KeyFaults.clusterKeyInUse(key)
            }
            state.clusterKeys.removeAll { $0.id == key }
        }
    }
}
