// SPDX-License-Identifier: Apache-2.0

import Cryptography
import Diagnostics
import Keyring
import Signatures
import Storage
import TestSupport
import Testing

@Suite struct RecordStoreContract {
    @Test(arguments: Backend.allCases)
    func recordsAreChained(_ backend: Backend) async throws {
        let stores = try await Stores(backend)
        let key = try await stores.added("kernel-modules").record
        let revision = try await stores.source.pulse().revision
        let store = try stores.records("data-1")
        #expect(try await store.append([]).isEmpty)
        var written: [SignatureRecord] = []
        for count in [1, 7, 300] {
            let drafts = try (0..<count).map { _ in try Stores.draft(key, revision: revision) }
            for (draft, outcome) in zip(drafts, try await store.append(drafts)) {
                guard case .stored(let record) = outcome else {
                    Issue.record("\(outcome)")
                    return
                }
                #expect(record.draft == draft)
                written.append(record)
            }
        }
        let other = try stores.records("data-2")
        _ = try await other.append([Stores.draft(key, revision: revision)])
        let chain = try await stores.archive.chain(of: ServerName("data-1"), after: 0, limit: 1000)
        #expect(chain == written)
        var head = ChainHead.start
        for record in chain {
            try head.follow(record.encoded, sequence: record.sequence, previous: record.previous)
        }
        #expect(
            try await store.chain(of: ServerName("data-1"), after: 306, limit: 10).map(\.sequence) == [
                307, 308,
            ])
        #expect(try await store.chain(of: ServerName("data-2"), after: 0, limit: 10).map(\.sequence) == [1])
    }

    @Test(arguments: Backend.allCases)
    func oneJobOneRecord(_ backend: Backend) async throws {
        let stores = try await Stores(backend)
        let key = try await stores.added("kernel-modules").record
        let revision = try await stores.source.pulse().revision
        let one = try stores.records("data-1")
        let two = try stores.records("data-2")
        let job = try JobID.random()
        let first = try Stores.draft(key, job: job, revision: revision)
        guard case .stored(let record) = try await one.append([first]).first else {
            Issue.record("not stored")
            return
        }
        // The same draft again is settled by its own record, as after a lost answer.
        #expect(try await one.append([first]) == [.stored(record)])
        // The same claim with another signature, on another server: the stored one is the answer.
        let again = try Stores.draft(key, job: job, revision: revision, time: Stores.now + .seconds(1))
        #expect(try await two.append([again]) == [.known(record)])
        // Another claim, another key: refused, and the neighbours are written.
        let other = try await stores.added("other-modules").record
        let now = try await stores.source.pulse().revision
        let neighbours = try (0..<3).map { _ in try Stores.draft(key, revision: now) }
        let outcomes = try await two.append([
            neighbours[0], Stores.draft(key, job: job, revision: now, claim: 2), neighbours[1],
            Stores.draft(other, job: job, revision: now), neighbours[2],
        ])
        #expect(outcomes[1] == .conflict && outcomes[3] == .conflict)
        for (place, draft) in zip([0, 2, 4], neighbours) {
            guard case .stored(let record) = outcomes[place] else {
                Issue.record("\(outcomes[place])")
                continue
            }
            #expect(record.draft == draft)
        }
        // Another client may use the same id.
        let client = try Stores.client("spiffe://farm/builder/8")
        let theirs = try Stores.draft(key, job: job, revision: now, client: client)
        guard case .stored(let their) = try await two.append([theirs]).first else {
            Issue.record("not stored")
            return
        }
        #expect(try await one.record(of: job, by: Stores.client().identity) == record)
        #expect(try await stores.archive.record(of: job, by: client.identity) == their)
        #expect(try await one.record(of: .random(), by: client.identity) == nil)
        #expect(
            try await one.chain(of: ServerName("data-2"), after: 0, limit: 10).map(\.sequence) == [
                1, 2, 3, 4,
            ])
    }

    @Test(arguments: Backend.allCases)
    func aJobTwiceInOneBatch(_ backend: Backend) async throws {
        let stores = try await Stores(backend)
        let key = try await stores.added("kernel-modules").record
        let revision = try await stores.source.pulse().revision
        let job = try JobID.random()
        let first = try Stores.draft(key, job: job, revision: revision)
        let outcomes = try await stores.records("data-1").append([
            first, Stores.draft(key, job: job, revision: revision, time: Stores.now + .seconds(1)),
            Stores.draft(key, job: job, revision: revision, claim: 2),
        ])
        guard case .stored(let record) = outcomes[0] else {
            Issue.record("\(outcomes[0])")
            return
        }
        #expect(outcomes[1] == .known(record) && outcomes[2] == .conflict)
    }

    @Test(arguments: Backend.allCases)
    func anOlderRevisionIsNotWritten(_ backend: Backend) async throws {
        let stores = try await Stores(backend)
        let key = try await stores.added("kernel-modules")
        let old = try await stores.source.pulse().revision
        let off = try stores.data.store(key.record.applying(.disable), insteadOf: key)
        try await stores.keys.change(off, Stores.event(.keyDisable))
        let now = try await stores.source.pulse().revision
        let store = try stores.records("data-1")
        let outcomes = try await store.append([
            Stores.draft(key.record, revision: old), Stores.draft(key.record, revision: now),
            Stores.draft(key.record, revision: old),
        ])
        #expect(outcomes[0] == .stale(now) && outcomes[2] == .stale(now))
        guard case .stored(let record) = outcomes[1] else {
            Issue.record("\(outcomes[1])")
            return
        }
        #expect(record.sequence == 1)
        #expect(try await store.append([Stores.draft(key.record, revision: old)]) == [.stale(now)])
    }

    @Test(arguments: Backend.allCases)
    func searches(_ backend: Backend) async throws {
        let stores = try await Stores(backend)
        let one = try await stores.added("key-one").record
        let two = try await stores.added("key-two").record
        let revision = try await stores.source.pulse().revision
        let other = try Stores.client("spiffe://farm/builder/8")
        let drafts = [
            try Stores.draft(one, revision: revision, content: 1, time: Stores.now),
            try Stores.draft(one, revision: revision, content: 2, time: Stores.now + .seconds(1)),
            try Stores.draft(two, revision: revision, client: other, time: Stores.now + .seconds(2)),
        ]
        _ = try await stores.records("data-1").append(Array(drafts[..<2]))
        _ = try await stores.records("data-2").append([drafts[2]])
        func found(_ edit: (inout RecordQuery) throws -> Void) async throws -> [Int] {
            var query = RecordQuery()
            try edit(&query)
            return try await stores.archive.records(query).map { record in
                drafts.firstIndex(of: record.draft) ?? -1
            }
        }
        #expect(try await found { _ in } == [2, 1, 0])
        #expect(try await found { $0.key = one.id } == [1, 0])
        #expect(try await found { $0.client = other.identity } == [2])
        #expect(try await found { $0.content = drafts[1].content } == [1])
        #expect(try await found { $0.kind = .rpm }.isEmpty)
        #expect(try await found { $0.server = try ServerName("data-1") } == [1, 0])
        #expect(try await found { $0.from = Stores.now + .seconds(1) } == [2, 1])
        #expect(try await found { $0.to = Stores.now + .seconds(1) } == [0])
        #expect(try await found { ($0.offset, $0.limit) = (1, 1) } == [1])
    }

    @Test(arguments: Backend.allCases)
    func manyWritersAtOnce(_ backend: Backend) async throws {
        let stores = try await Stores(backend)
        let key = try await stores.added("kernel-modules").record
        let revision = try await stores.source.pulse().revision
        let shared = try (0..<20).map { _ in try JobID.random() }
        // Four servers and two writers with the same name, all with the same jobs and some of their own.
        let servers = ["data-1", "data-2", "data-3", "data-4", "data-4"]
        let outcomes = try await withThrowingTaskGroup(of: [RecordOutcome].self) { group in
            for server in servers {
                let store = try stores.records(server)
                group.addTask {
                    var all: [RecordOutcome] = []
                    for round in 0..<4 {
                        let own = try (0..<5).map { _ in try Stores.draft(key, revision: revision) }
                        let same = try shared[(5 * round)..<(5 * round + 5)].map {
                            try Stores.draft(key, job: $0, revision: revision)
                        }
                        all += try await store.append(own + same)
                    }
                    return all
                }
            }
            return try await group.reduce(into: [RecordOutcome]()) { $0 += $1 }
        }
        #expect(outcomes.count == 200)
        var total = 0
        for server in Set(servers) {
            let chain = try await stores.archive.chain(of: ServerName(server), after: 0, limit: 1000)
            var head = ChainHead.start
            for record in chain {
                try head.follow(record.encoded, sequence: record.sequence, previous: record.previous)
            }
            total += chain.count
        }
        // Each of the shared jobs has one record, and everybody was given that one.
        #expect(total == 120)
        for outcome in outcomes {
            switch outcome {
            case .stored(let record), .known(let record):
                let kept = try await stores.archive.record(
                    of: record.draft.job, by: record.draft.ruling.client.identity)
                #expect(kept == record)
            default: Issue.record("\(outcome)")
            }
        }
    }
}
