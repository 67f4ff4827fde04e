// SPDX-License-Identifier: Apache-2.0

public import Keyring
public import MariaDB

/// A data-server's side of the database: it reads keys and grants, and adds records.
public final class DataStorage: Sendable {
    let pool: DatabasePool
    let records: RecordWriter

    /// The pool's user has the rights of `DatabaseRights.data`. `server` names this process alone.
    public init(_ pool: DatabasePool, server: ServerName) {
        self.pool = pool
        records = RecordWriter(pool, server)
    }

    func read<Value: Sendable>(_ body: @escaping @Sendable (DatabaseConnection) throws -> Value) async throws
        -> Value
    {
        try await pool.run(body)
    }
}

extension DataStorage: SigningKeySource {
    public func pulse() async throws -> Pulse { try await read { try RevisionTable.pulse($0) } }

    public func access() async throws -> StoredAccess {
        try await read { connection in
            // The revision first: whatever changes afterwards has a newer one.
            let revision = try RevisionTable.pulse(connection).revision
            let grants = try GrantTable.readableGrants(connection)
            return StoredAccess(
                revision: revision, grants: grants.values, denied: try GrantTable.denied(connection),
                frozen: try FreezeTable.frozen(connection), faults: grants.faults)
        }
    }

    public func signingKey(_ id: KeyID) async throws -> StoredKey? {
        try await read { try KeyTable(purpose: .signing).key(id, $0) }
    }

    public func signingKey(named name: KeyName) async throws -> StoredKey? {
        try await read { try KeyTable(purpose: .signing).key(named: name, $0) }
    }

    public func signingKeys(_ ids: [KeyID]) async throws -> StoredKeys {
        try await read { try KeyTable(purpose: .signing).readableKeys(Array(Set(ids)), $0) }
    }

    public func dataClusterKey(_ id: ClusterKeyID) async throws -> WrappedKey? {
        try await read { try ClusterKeyTable(plane: .data).key(id, $0) }
    }
}

extension DataStorage: RecordStore {
    public func append(_ drafts: [RecordDraft]) async throws -> [RecordOutcome] {
        try await records.append(drafts)
    }

    public func record(of job: JobID, by client: ClientIdentity) async throws -> SignatureRecord? {
        try await read { try RecordTable.record(of: job, by: client, $0) }
    }

    public func records(_ query: RecordQuery) async throws -> [SignatureRecord] {
        try await read { try RecordTable.records(query, $0) }
    }

    public func chain(of server: ServerName, after sequence: UInt64, limit: Int) async throws
        -> [SignatureRecord]
    {
        try await read { try RecordTable.chain(of: server, after: sequence, limit: limit, $0) }
    }
}
