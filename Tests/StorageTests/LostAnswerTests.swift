// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Keyring
import MariaDB
import Storage
import TestSupport
import Testing

/// The answer to COMMIT is lost on the way: a proxy passes everything on but, so many times, that answer.
@Suite struct LostAnswerTests {
    private func through(
        _ database: TestDatabase, _ role: DatabaseRights, losing losses: Int, taken: Bool
    ) throws -> (DatabasePool, Companion, TemporaryFolder) {
        let folder = try TemporaryFolder()
        let server = try TestDatabase.server.get().socket
        let proxy = try Companion(
            python: "lost_commit.py",
            [
                folder.path + "/p", server, String(losses),
                taken ? "taken" : "lost",
            ])
        #expect(proxy.readLine() == "ready")
        var settings = try database.settings(role)
        settings.servers = [.socket(path: folder.path + "/p")]
        return (try DatabasePool(settings), proxy, folder)
    }

    @Test(arguments: [true, false])
    func recordsAreSettled(_ taken: Bool) async throws {
        let stores = try await Stores(.mariaDB)
        let database = try #require(stores.database)
        let key = try await stores.added("kernel-modules").record
        let revision = try await stores.source.pulse().revision
        let (pool, proxy, folder) = try through(database, .data, losing: 3, taken: taken)
        let store = DataStorage(pool, server: try ServerName("data-1"))
        for _ in 0..<4 {
            let drafts = try (0..<5).map { _ in try Stores.draft(key, revision: revision) }
            for (draft, outcome) in zip(drafts, try await store.append(drafts)) {
                guard case .stored(let record) = outcome else {
                    Issue.record("\(outcome)")
                    continue
                }
                #expect(record.draft == draft)
                #expect(
                    try await stores.archive.record(of: draft.job, by: draft.ruling.client.identity) == record
                )
            }
        }
        let chain = try await stores.archive.chain(of: ServerName("data-1"), after: 0, limit: 100)
        #expect(chain.count == 20)
        var head = ChainHead.start
        for record in chain {
            try head.follow(record.encoded, sequence: record.sequence, previous: record.previous)
        }
        await pool.close()
        _ = (proxy, folder)
    }

    @Test(arguments: [true, false])
    func aChangeIsSettled(_ taken: Bool) async throws {
        let stores = try await Stores(.mariaDB)
        let database = try #require(stores.database)
        let (pool, proxy, folder) = try through(database, .control, losing: 1, taken: taken)
        let control = ControlStorage(pool)
        let key = try stores.stored("kernel-modules")
        // One that does not stand is done again.
        try await control.add([key], Stores.event(.keyGenerate))
        #expect(try await control.keys(KeyQuery()).total == 1)
        #expect(try await control.auditHead().sequence == 1)
        await pool.close()
        _ = (proxy, folder)
    }
}
