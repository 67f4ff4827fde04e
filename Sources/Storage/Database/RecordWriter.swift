// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import Keyring
internal import MariaDB

/// Adds records to one server's chain.
///
/// A round is one transaction: read the revision and the end of the chain, insert all drafts that were judged under no
/// older revision, commit. When a row was there already, or the answer to COMMIT is lost, the round is over: those whose
/// jobs have a record are settled by it, and the others go into the next round. A transaction that might still be under
/// way holds its rows, so that inserting them again waits for its end.
struct RecordWriter: Sendable {
    private let pool: DatabasePool
    private let server: ServerName

    init(_ pool: DatabasePool, _ server: ServerName) {
        self.pool = pool
        self.server = server
    }

    private static let rounds = 16
    /// Of one statement, well below what a server takes.
    private static let largestStatement = 4 << 20

    func append(_ drafts: [RecordDraft]) async throws -> [RecordOutcome] {
        var outcomes: [RecordOutcome?] = Array(repeating: nil, count: drafts.count)
        for _ in 0..<Self.rounds {
            let open = drafts.indices.filter { outcomes[$0] == nil }
            if open.isEmpty { break }
            // A job that comes twice is written once, and met in the next round.
            var seen: Set<JobKey> = []
            let round = open.filter { seen.insert(JobKey(drafts[$0])).inserted }
            let chosen = round.map { drafts[$0] }
            do {
                let written = try await pool.transaction { try write(chosen, $0) }
                for (place, outcome) in zip(round, written) { outcomes[place] = outcome }
                if seen.count == open.count { break }
            } catch let error as DatabaseError
                where error.kind == .duplicateKey || error.kind == .commitUnknown
            {
                // The next round finds the right end of the chain by itself.
            }
            let left = open.filter { outcomes[$0] == nil }
            let jobs = Array(Set(left.map { drafts[$0].job }))
            let (revision, known) = try await pool.run {
                (try RevisionTable.pulse($0).revision, try RecordTable.records(of: jobs, $0))
            }
            let found = Dictionary(known.map { (JobKey($0.draft), $0) }) { first, _ in first }
            for place in left {
                if let record = found[JobKey(drafts[place])] {
                    // What was recorded before is given away again under the present rules alone.
                    let isStale = drafts[place].ruling.revision < revision
                    outcomes[place] =
                        isStale ? .stale(revision) : RecordOutcome(drafts[place], meeting: record)
                }
            }
        }
        return try outcomes.map { outcome in
            guard let outcome else {
                throw StorageError(
                    .databaseContention, "another process writes to the chain of \(server); names must differ"
                )
            }
            return outcome
        }
    }

    private struct JobKey: Hashable {
        var job: JobID
        var client: ClientIdentity

        init(_ draft: RecordDraft) {
            job = draft.job
            client = draft.ruling.client.identity
        }
    }

    private func write(_ drafts: [RecordDraft], _ connection: DatabaseConnection) throws -> [RecordOutcome] {
        var (revision, head) = try RecordTable.head(of: server, connection)
        var outcomes: [RecordOutcome] = []
        var rows: [[DatabaseValue]] = []
        var clients: [ClientIdentity: [UInt8]] = [:]
        var size = 0
        for draft in drafts {
            guard draft.ruling.revision >= revision else {
                outcomes.append(.stale(revision))
                continue
            }
            let record = SignatureRecord(draft, by: server, after: head)
            head = record.head
            if size + record.encoded.count > Self.largestStatement {
                try connection.insert(rows, with: RecordTable.batch)
                rows = []
                size = 0
            }
            let identity = draft.ruling.client.identity
            let client = clients[identity] ?? RecordTable.digest(of: identity)
            clients[identity] = client
            rows.append(RecordTable.fields(record, client: client))
            size += record.encoded.count
            outcomes.append(.stored(record))
        }
        try connection.insert(rows, with: RecordTable.batch)
        return outcomes
    }
}
