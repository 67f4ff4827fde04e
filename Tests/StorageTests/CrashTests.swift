// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Keyring
import MariaDB
import Storage
import TestSupport
import Testing

@Suite struct CrashTests {
    /// Two data-servers go on appending while the database is killed and comes back: what was told as stored is there
    /// once, and the chains have no gap.
    @Test func recordsOutliveAKilledServer() async throws {
        let server = try DatabaseServer(options: ["--innodb-flush-log-at-trx-commit=1"])
        let settings = DatabaseSettings(
            servers: [.socket(path: server.socket)], user: "signet", passwordFile: server.passwordFile,
            database: "signet")
        let pool = try DatabasePool(settings)
        let migrations = try TestDatabase.migrations.get()
        try await pool.run { connection in _ = try MigrationRunner(migrations).apply(on: connection) }
        let key = try await Stores(.memory).record("kernel-modules")
        let revision = try await DataStorage(pool, server: ServerName("reader")).pulse().revision
        let told = Told()
        let names = ["data-1", "data-2"]
        try await withThrowingTaskGroup(of: Void.self) { group in
            for name in names {
                let store = DataStorage(pool, server: try ServerName(name))
                group.addTask {
                    while !told.isOver {
                        let drafts = try (0..<8).map { _ in try Stores.draft(key, revision: revision) }
                        // As a data-server does: the same drafts again until it knows.
                        while true {
                            do {
                                told.add(try await store.append(drafts))
                                break
                            } catch { try await Task.sleep(for: .milliseconds(20)) }
                        }
                    }
                }
            }
            for round in 1...Trials.count(3, full: 50) {
                await eventually { told.count >= 200 * round }
                server.crash()
                try server.start()
            }
            let last = told.count
            await eventually { told.count >= last + 100 }
            told.end()
            try await group.waitForAll()
        }
        var kept: [JobID: SignatureRecord] = [:]
        for name in names {
            let archive = DataStorage(pool, server: try ServerName("reader"))
            let chain = try await archive.chain(of: ServerName(name), after: 0, limit: .max)
            var head = ChainHead.start
            for record in chain {
                try head.follow(record.encoded, sequence: record.sequence, previous: record.previous)
                kept[record.draft.job] = record
            }
        }
        for outcome in told.outcomes {
            guard case .stored(let record) = outcome else {
                Issue.record("\(outcome)")
                continue
            }
            #expect(kept[record.draft.job] == record)
        }
        #expect(kept.count == told.count)
        await pool.close()
    }

    private final class Told: Sendable {
        private let state = Lock((outcomes: [RecordOutcome](), isOver: false))

        func add(_ outcomes: [RecordOutcome]) { state.withLock { $0.outcomes += outcomes } }
        func end() { state.withLock { $0.isOver = true } }
        var count: Int { state.withLock { $0.outcomes.count } }
        var outcomes: [RecordOutcome] { state.withLock { $0.outcomes } }
        var isOver: Bool { state.withLock { $0.isOver } }
    }
}
