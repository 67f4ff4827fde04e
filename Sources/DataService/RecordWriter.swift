// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import Keyring

/// Writes the records of concurrent jobs, many in one transaction, and says of each what became of it.
///
/// One transaction is under way at a time, and the next takes what has come meanwhile: a lone job waits for nobody, and
/// many share the cost. No answer is given before the commit is known. When the store fails, or the answer to a COMMIT is
/// lost, the same drafts are appended again, and are found or written then; a job that has waited until its deadline is
/// told so, whatever becomes of its row. A row that fails alone goes to the end of the line, so that it holds up nobody.
final class RecordWriter: Sendable {
    private final class Entry: Sendable {
        let id: UInt64
        let draft: RecordDraft
        let deadline: UInt64
        let answer: CheckedContinuation<RecordOutcome, any Error>

        init(
            id: UInt64, _ draft: RecordDraft, deadline: UInt64,
            _ answer: CheckedContinuation<RecordOutcome, any Error>
        ) {
            self.id = id
            self.draft = draft
            self.deadline = deadline
            self.answer = answer
        }
    }

    private struct State {
        var waiting: [Entry] = []
        /// What the transaction under way is for; those that gave up are gone.
        var writing: [UInt64: Entry] = [:]
        var lastID: UInt64 = 0
        var idle: CheckedContinuation<Void, Never>?
        var failure: String?
        var isClosed = false
    }

    private let store: any RecordStore
    private let atOnce: Int
    private let metrics: ServiceMetrics
    private let log: Log
    private let state = Lock(State())

    init(_ store: any RecordStore, atOnce: Int, _ metrics: ServiceMetrics, _ log: Log) {
        self.store = store
        self.atOnce = max(1, atOnce)
        self.metrics = metrics
        self.log = log
    }

    /// How many records wait or are being written.
    var count: Int { state.withLock { $0.waiting.count + $0.writing.count } }

    /// Waits until the draft has its place, or `deadline` (by the loops' clock) has passed.
    func write(_ draft: RecordDraft, until deadline: UInt64) async throws -> RecordOutcome {
        try await withCheckedThrowingContinuation { continuation in
            let idle = state.withLock { state in
                state.lastID += 1
                state.waiting.append(Entry(id: state.lastID, draft, deadline: deadline, continuation))
                return state.idle.take()
            }
            idle?.resume()
        }
    }

    /// Writes until it is closed and nothing is left.
    func run() async {
        var most = atOnce
        var pause = Duration.milliseconds(20)
        while let batch = await next(most) {
            do {
                let outcomes = try await store.append(batch.map(\.draft))
                settle(batch, outcomes)
                most = min(atOnce, most * 2)
                pause = .milliseconds(20)
            } catch {
                putBack(batch, because: error)
                most = max(1, batch.count / 2)
                try? await Task.sleep(for: pause)
                pause = min(pause * 2, .milliseconds(500))
            }
        }
    }

    /// No more is written than waits now.
    func close() {
        let idle = state.withLock { state in
            state.isClosed = true
            return state.idle.take()
        }
        idle?.resume()
    }

    /// Tells those whose deadline has passed.
    func expire(at now: UInt64) {
        let (expired, failure) = state.withLock { state -> ([Entry], String?) in
            let late = state.waiting.filter { $0.deadline <= now }
            let lateInside = state.writing.values.filter { $0.deadline <= now }
            guard !late.isEmpty || !lateInside.isEmpty else { return ([], nil) }
            state.waiting.removeAll { $0.deadline <= now }
            for entry in lateInside { state.writing[entry.id] = nil }
            return (late + lateInside, state.failure)
        }
        for entry in expired {
            entry.answer.resume(
                throwing: DataServiceError(
                    .recordAway,
                    "the signature was not recorded within the job's time"
                        + (failure.map { ": \($0)" } ?? ""), retryAfter: .milliseconds(500)))
        }
    }

    // MARK: Batches

    /// Waits for something to write; nil when there will be nothing more.
    private func next(_ most: Int) async -> [Entry]? {
        while true {
            let batch: [Entry]? = state.withLock { state in
                if state.waiting.isEmpty { return state.isClosed ? nil : [] }
                let count = min(most, state.waiting.count)
                let batch = Array(state.waiting[..<count])
                state.waiting.removeFirst(count)
                for entry in batch { state.writing[entry.id] = entry }
                return batch
            }
            guard let batch else { return nil }
            guard batch.isEmpty else { return batch }
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    guard state.waiting.isEmpty, !state.isClosed else { return true }
                    state.idle = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        }
    }

    private func settle(_ batch: [Entry], _ outcomes: [RecordOutcome]) {
        guard outcomes.count == batch.count else {
            return putBack(
                batch, because: DataServiceError(.internalError, "the record store lost count of its rows"))
        }
        let waiting = state.withLock { state in
            defer {
                state.writing = [:]
                state.failure = nil
            }
            return state.writing
        }
        metrics.recordBatches.record(Double(batch.count))
        for (entry, outcome) in zip(batch, outcomes) {
            waiting[entry.id]?.answer.resume(returning: outcome)
        }
    }

    /// Those that still wait come first again; one that failed alone comes last.
    private func putBack(_ batch: [Entry], because error: any Error) {
        let coded = error as? any CodedError
        metrics.recordFailures.add()
        if let coded {
            log.warning("records were not written", ["error": .error(coded), "rows": .integer(batch.count)])
        } else {
            log.warning("records were not written", ["rows": .integer(batch.count)])
        }
        state.withLock { state in
            let again = batch.filter { state.writing[$0.id] != nil }
            state.writing = [:]
            state.waiting = batch.count == 1 ? state.waiting + again : again + state.waiting
            state.failure = coded?.message ?? "the database is away"
        }
    }
}
