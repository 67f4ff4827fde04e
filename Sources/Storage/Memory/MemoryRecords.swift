// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
public import Keyring

/// One data-server's side of the records of a `MemoryStorage`.
public struct MemoryRecords: RecordStore {
    struct Job: Hashable {
        var job: JobID
        var client: ClientIdentity

        init(_ job: JobID, _ client: ClientIdentity) {
            self.job = job
            self.client = client
        }
    }

    private let storage: MemoryStorage
    private let server: ServerName

    init(_ storage: MemoryStorage, _ server: ServerName) {
        self.storage = storage
        self.server = server
    }

    public func append(_ drafts: [RecordDraft]) async throws -> [RecordOutcome] {
        let server = server
        return storage.state.withLock { state in
            drafts.map { draft in
                if draft.ruling.revision < state.revision { return .stale(state.revision) }
                let job = Job(draft.job, draft.ruling.client.identity)
                if let known = state.jobs[job] {
                    return RecordOutcome(draft, meeting: known)
                }
                let head = state.chains[server]?.last?.head ?? .start
                let record = SignatureRecord(draft, by: server, after: head)
                state.chains[server, default: []].append(record)
                state.jobs[job] = record
                return .stored(record)
            }
        }
    }

    public func record(of job: JobID, by client: ClientIdentity) async throws -> SignatureRecord? {
        try await storage.record(of: job, by: client)
    }

    public func records(_ query: RecordQuery) async throws -> [SignatureRecord] {
        try await storage.records(query)
    }

    public func chain(of server: ServerName, after sequence: UInt64, limit: Int) async throws
        -> [SignatureRecord]
    {
        try await storage.chain(of: server, after: sequence, limit: limit)
    }
}

extension RecordOutcome {
    /// What becomes of a draft whose job has a record already, which is its own when it was appended before.
    init(_ draft: RecordDraft, meeting known: SignatureRecord) {
        self =
            known.draft == draft
            ? .stored(known) : known.draft.asksTheSame(as: draft) ? .known(known) : .conflict
    }
}

extension MemoryStorage: RecordArchive {
    public func record(of job: JobID, by client: ClientIdentity) async throws -> SignatureRecord? {
        read { $0.jobs[MemoryRecords.Job(job, client)] }
    }

    public func records(_ query: RecordQuery) async throws -> [SignatureRecord] {
        let found = read { state in state.jobs.values.filter { query.includes($0) } }.sorted {
            ($0.draft.time, $0.server.text, $0.sequence) > ($1.draft.time, $1.server.text, $1.sequence)
        }
        return Array(
            found.dropFirst(max(0, query.offset)).prefix(min(max(0, query.limit), RecordQuery.largest)))
    }

    public func chain(of server: ServerName, after sequence: UInt64, limit: Int) async throws
        -> [SignatureRecord]
    {
        read { state in
            Array((state.chains[server] ?? []).drop { $0.sequence <= sequence }.prefix(max(0, limit)))
        }
    }
}

extension MemoryStorage: RecordServers {
    public func servers() async throws -> [ServerName] {
        read { $0.chains.keys.sorted { $0.text < $1.text } }
    }
}
