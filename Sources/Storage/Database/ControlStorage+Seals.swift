// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
public import Keyring
internal import MariaDB

extension ControlStorage: SealStore {
    public func rows(notUnder key: ClusterKeyID, of plane: Plane, limit: Int) async throws -> SealedRows {
        try await read { connection in
            var rows = SealedRows()
            func ids<Row>(_ table: String, of type: Row.Type = Row.self) throws -> [RowID<Row>] {
                try connection.execute(
                    "SELECT id FROM \(table) WHERE code_key <> ? ORDER BY id LIMIT ?",
                    [key.field, .int(Int64(max(0, limit)))]
                ).rows.map { try $0.id("id") }
            }
            for purpose in KeyPurpose.allCases where purpose.plane == plane {
                let table = KeyTable(purpose: purpose)
                rows.keys += try table.keys(ids(table.name), connection)
            }
            switch plane {
            case .data:
                rows.grants = try ids("signing_grant").compactMap { try GrantTable.grant($0, connection) }
            case .control:
                rows.proposals = try ids("proposal").compactMap { try ProposalTable.proposal($0, connection) }
            }
            return rows
        }
    }

    public func reseal(_ rows: ResealedRows, _ event: AuditEvent) async throws -> Int {
        try await change(event) { connection in
            var count = 0
            for key in rows.keys {
                try ClusterKeyTable.expect(key.code, key.record.purpose.plane, connection)
                if try KeyTable(purpose: key.record.purpose).update(key, connection) { count += 1 }
            }
            for (new, old) in rows.grants where try GrantTable.grant(old.grant.id, connection) == old {
                // The rights of this user are to add and to remove.
                try connection.execute("DELETE FROM signing_grant WHERE id = ?", [old.grant.id.field])
                try GrantTable.insert(new, connection)
                count += 1
            }
            for proposal in rows.proposals {
                do {
                    try ProposalTable.write(proposal, connection)
                    count += 1
                } catch let error as KeyringError where error.code == .changedMeanwhile {}
            }
            return count
        }.value
    }

    public func uses(of key: ClusterKeyID) async throws -> Int {
        try await read { try ClusterKeyTable.uses(of: key, $0) }
    }

    public func retire(_ key: ClusterKeyID, _ event: AuditEvent) async throws {
        try await change(event) { connection in
            for plane in Plane.allCases {
                let table = ClusterKeyTable(plane: plane)
                let keys = try table.keys(connection)
                guard let place = keys.firstIndex(where: { $0.id == key }) else { continue }
                guard place > 0, try ClusterKeyTable.uses(of: key, connection) == 0 else {
                    throw KeyFaults.clusterKeyInUse(key)
                }
                do {
                    return try table.delete(key, connection)
                } catch let error as DatabaseError where error.kind == .foreignKey {
                    throw KeyFaults.clusterKeyInUse(key)
                }
            }
            throw KeyFaults.noClusterKey(key)
        }
    }
}
