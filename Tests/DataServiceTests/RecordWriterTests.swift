// SPDX-License-Identifier: Apache-2.0

import Cryptography
import Diagnostics
import Keyring
import Signatures
import TestSupport
import Testing
import Transport

@testable import DataService

/// No answer before its row, whatever happens to the store.
@Suite struct RecordWriterTests {
    /// A writer on a farm, and someone who looks at deadlines.
    struct Writing: Sendable {
        let farm: Farm
        let key: KeyRecord
        let writer: RecordWriter
        let running: Task<Void, Never>
        let ticking: Task<Void, Never>

        init(atOnce: Int = 256) async throws {
            farm = try await Farm()
            key = try farm.add("release", PrivateKey.generate(.ed25519))
            let log = Log(to: try LogSink(program: "test", descriptor: 2, level: .error))
            let writer = RecordWriter(farm, atOnce: atOnce, ServiceMetrics(Metrics()), log)
            self.writer = writer
            running = Task { await writer.run() }
            ticking = Task {
                while !Task.isCancelled {
                    writer.expire(at: LoopClock.monotonic.nanoseconds())
                    try? await Task.sleep(for: .milliseconds(5))
                }
            }
        }

        func draft(_ job: JobID? = nil, claim: UInt8 = 1, revision: Revision? = nil) throws -> RecordDraft {
            let authority = [UInt8](repeating: 7, count: 32)
            let grant = try Grant(
                id: .random(),
                clients: IdentityPattern(authority: authority, sort: .uri, value: "spiffe://a/*"),
                keys: [key.id], kinds: [.rpm], created: .now())
            let client = Client(
                identity: try ClientIdentity(authority: authority, sort: .uri, value: "spiffe://a/b"),
                certificate: authority)
            let access = AccessList(revision: revision ?? farm.revision, grants: [grant])
            let ruling = try Gate(access, at: .now()).permit(client, key: key, kind: .rpm).ruling
            let content = [claim]
            return try RecordDraft(
                job: job ?? .random(), ruling: ruling, scheme: key.scheme, fingerprint: key.fingerprint,
                time: .now(), claim: Digest(hashing: content.span, with: .sha256), content: nil,
                isBlind: false, signature: try Random.bytes(8))
        }

        func write(_ draft: RecordDraft, within time: Duration = .seconds(300)) async throws -> RecordOutcome
        {
            try await writer.write(
                draft, until: LoopClock.monotonic.nanoseconds() + time.wholeNanoseconds)
        }

        func stop() async {
            writer.close()
            await running.value
            ticking.cancel()
        }
    }

    @Test func concurrentJobsShareTransactions() async throws {
        let writing = try await Writing()
        writing.farm.set { $0.hangs = true }
        let drafts = try (0..<600).map { _ in try writing.draft() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for draft in drafts {
                group.addTask {
                    guard case .stored(let record) = try await writing.write(draft) else {
                        Issue.record("not stored")
                        return
                    }
                    #expect(record.draft == draft)
                }
            }
            await eventually { writing.writer.count == 600 }
            writing.farm.set { $0.hangs = false }
            try await group.waitForAll()
        }
        #expect(writing.farm.records.count == 600)
        #expect(writing.farm.batches.count <= 5)
        #expect(writing.farm.batches.allSatisfy { $0 <= 256 })
        await writing.stop()
    }

    @Test func aLostCommitIsSettled() async throws {
        let writing = try await Writing()
        writing.farm.set { $0.lostCommits = 3 }
        let draft = try writing.draft()
        guard case .known(let record) = try await writing.write(draft) else {
            Issue.record("not found again")
            return
        }
        #expect(record.draft == draft)
        #expect(writing.farm.records.count == 1)
        await writing.stop()
    }

    @Test func oneRowNeverFailsItsNeighbours() async throws {
        let writing = try await Writing()
        let poison = try writing.draft()
        let job = JobID(poison.job.value)
        writing.farm.set {
            $0.poison = job
            $0.hangs = true
        }
        let drafts = try (0..<20).map { _ in try writing.draft() }
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                do {
                    _ = try await writing.write(poison, within: .seconds(2))
                    return false
                } catch { return (error as? DataServiceError)?.code == .recordAway }
            }
            await eventually { writing.writer.count == 1 }
            for draft in drafts {
                group.addTask {
                    if case .stored = try await writing.write(draft) { return true }
                    return false
                }
            }
            await eventually { writing.writer.count == 21 }
            writing.farm.set { $0.hangs = false }
            for try await isRight in group { #expect(isRight) }
        }
        #expect(writing.farm.records.count == 20)
        await writing.stop()
    }

    @Test func conflictsAndStaleRulingsAreTold() async throws {
        let writing = try await Writing()
        let draft = try writing.draft()
        guard case .stored = try await writing.write(draft) else {
            Issue.record("not stored")
            return
        }
        let other = try await writing.write(writing.draft(draft.job, claim: 2))
        #expect(other == .conflict)
        let old = Revision(writing.farm.revision.number - 1)
        let stale = try await writing.write(writing.draft(revision: old))
        #expect(stale == .stale(writing.farm.revision))
        await writing.stop()
    }

    @Test func whatIsAwayIsWaitedForUntilTheDeadline() async throws {
        let writing = try await Writing()
        writing.farm.set { $0.isAway = true }
        let late = try writing.draft()
        await #expect(throws: DataServiceError.self) {
            try await writing.write(late, within: .milliseconds(60))
        }
        let patient = try writing.draft()
        async let outcome = writing.write(patient)
        await eventually { writing.writer.count == 1 }
        writing.farm.set { $0.isAway = false }
        guard case .stored = try await outcome else {
            Issue.record("not stored")
            return
        }
        #expect(writing.farm.records.count == 1)
        await writing.stop()
    }

    /// A job that gave up while its row was being written may leave a record, and never the reverse.
    @Test func aHungTransactionHoldsNobodyBeyondHisDeadline() async throws {
        let writing = try await Writing()
        writing.farm.set { $0.hangs = true }
        let draft = try writing.draft()
        await #expect(throws: DataServiceError.self) {
            try await writing.write(draft, within: .milliseconds(60))
        }
        writing.farm.set { $0.hangs = false }
        await eventually { writing.farm.records.count == 1 }
        guard case .known = try await writing.write(draft) else {
            Issue.record("not known")
            return
        }
        await writing.stop()
    }
}
