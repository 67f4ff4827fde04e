// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
public import Keyring
public import MariaDB

/// The control plane's side of the database: keys of both planes, grants, users, the audit, and the records to be read.
public final class ControlStorage: Sendable {
    let pool: DatabasePool

    /// The pool's user has the rights of `DatabaseRights.control`.
    public init(_ pool: DatabasePool) { self.pool = pool }

    /// One change with its entry in the audit and the next revision: all of it, or nothing.
    ///
    /// Taking the next revision comes first: from then on no other change gets in between, on the same database server
    /// because its row is held, on other nodes of a cluster because of two that took the same number one is run again. So
    /// what `body` reads holds until it is committed.
    ///
    /// When the answer to COMMIT is lost, the entry tells whether the change stands; if not, it is made again.
    @discardableResult
    func change<Value: Sendable>(
        _ event: AuditEvent, _ body: @escaping @Sendable (DatabaseConnection) throws -> Value
    ) async throws -> (value: Value, revision: Revision) {
        let last = Lock<Attempt<Value>?>(nil)
        var tries = 1
        while true {
            do {
                return try await pool.transaction { connection in
                    let revision = try RevisionTable.advance(connection)
                    try Self.checkActor(event, connection)
                    let head = try RevisionTable.head(connection)
                    let value = try body(connection)
                    let entry = AuditEntry(event, after: head)
                    try RevisionTable.append(entry, connection)
                    last.withLock { $0 = Attempt(entry: entry, value: value, revision: revision) }
                    return (value, revision)
                }
            } catch let error as DatabaseError where error.kind == .commitUnknown {
                guard let attempt = last.withLock({ $0 }) else { throw error }
                if try await stands(attempt.entry) { return (attempt.value, attempt.revision) }
                guard tries < Self.tries else { throw error }
                tries += 1
            }
        }
    }

    private static let tries = 4

    private struct Attempt<Value: Sendable>: Sendable {
        var entry: AuditEntry
        var value: Value
        var revision: Revision
    }

    /// Whether a transaction was committed whose answer is lost; waits until it is over.
    private func stands(_ entry: AuditEntry) async throws -> Bool {
        try await pool.transaction { connection in
            try RevisionTable.settle(connection)
            let found = try RevisionTable.entries(after: entry.sequence - 1, limit: 1, connection)
            return found.first == entry
        }
    }

    func read<Value: Sendable>(_ body: @escaping @Sendable (DatabaseConnection) throws -> Value) async throws
        -> Value
    {
        try await pool.run(body)
    }
}

extension ControlStorage: AuditStore {
    public func entries(after sequence: UInt64, limit: Int) async throws -> [AuditEntry] {
        try await read { try RevisionTable.entries(after: sequence, limit: limit, $0) }
    }

    /// An entry in the audit about what changed no row of a table.
    public func note(_ event: AuditEvent) async throws { _ = try await change(event) { _ in } }

    public func auditHead() async throws -> ChainHead { try await read { try RevisionTable.head($0) } }

    /// The revision and the clock of the database, for the health of a server.
    public func pulse() async throws -> Pulse { try await read { try RevisionTable.pulse($0) } }
}

extension ControlStorage: RecordArchive {
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

extension ControlStorage: RecordServers {
    public func servers() async throws -> [ServerName] { try await read { try RecordTable.servers($0) } }
}
