// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Keyring
import Signatures
import Storage
import Testing

@Suite struct SealStoreContract {
    @Test(arguments: Backend.allCases)
    func rowsMoveToAnotherClusterKey(_ backend: Backend) async throws {
        let stores = try await Stores(backend)
        let keys = [
            try await stores.added("key-one"), try await stores.added("key-two"),
            try await stores.added("authority", scheme: .ca, purpose: .certifying),
        ]
        let grant = try stores.grant([keys[0].record.id, keys[1].record.id])
        try await stores.grants.add(grant, Stores.event(.grantCreate))
        let kms = try TestKMS()
        let made = try await ClusterKey.make(.data, wrappedBy: kms, at: Stores.now + .seconds(1))
        // Before the database knows the key, nothing can be written under it.
        func moved(_ stored: StoredKey) throws -> StoredKey {
            let unsealed = try stores.data.unseal(stored)
            return try unsealed.resealed(under: made.key, edition: stored.edition)
        }
        var rows = ResealedRows()
        rows.keys = [try moved(keys[0])]
        if backend == .mariaDB {
            #expect(
                await code { _ = try await stores.seals.reseal(rows, Stores.event(.keyReseal)) }
                    == .changedMeanwhile)
            let stray = try stores.stored("key-three")
            let other = try stores.data.unseal(stray)
            let under = try other.resealed(under: made.key, edition: 0)
            #expect(
                await code { try await stores.keys.add([under], Stores.event(.keyGenerate)) }
                    == .changedMeanwhile)
        }
        try await stores.clusterKeys.add(made.wrapped, Stores.event(.clusterKeyCreate))
        let found = try await stores.seals.rows(notUnder: made.key.id, of: .data, limit: 10)
        #expect(Set(found.keys.map(\.record.id)) == Set(keys[..<2].map(\.record.id)))
        #expect(found.grants == [grant] && found.proposals.isEmpty && found.count == 3)
        #expect(try await stores.seals.rows(notUnder: made.key.id, of: .data, limit: 1).count == 2)
        // One that was changed meanwhile is left for the next time.
        let off = try stores.data.store(keys[1].record.applying(.disable), insteadOf: keys[1])
        let changed = try await stores.keys.change(off, Stores.event(.keyDisable))
        rows.keys = try found.keys.map { try moved($0) }
        rows.grants = [(try made.key.store(grant.grant), grant)]
        #expect(try await stores.seals.reseal(rows, Stores.event(.keyReseal)) == 2)
        #expect(try await stores.seals.uses(of: made.key.id) == 2)
        let read = try #require(try await stores.keys.key(keys[0].record.id))
        _ = try made.key.unseal(read)
        #expect(read.edition == 2 && read.record == keys[0].record)
        for grant in try await stores.source.access().grants { try made.key.checkRow(grant) }
        #expect(
            await code { try await stores.seals.retire(stores.data.id, Stores.event(.clusterKeyRetire)) }
                == (backend == .mariaDB ? .wrongState : .clusterKeyNotFound))
        rows = ResealedRows()
        rows.keys = [try moved(changed)]
        #expect(try await stores.seals.reseal(rows, Stores.event(.keyReseal)) == 1)
        #expect(try await stores.seals.rows(notUnder: made.key.id, of: .data, limit: 10).count == 0)
        // The newest stays, whatever is under it.
        #expect(
            await code { try await stores.seals.retire(made.key.id, Stores.event(.clusterKeyRetire)) }
                == .wrongState)
        if backend == .mariaDB {
            try await stores.seals.retire(stores.data.id, Stores.event(.clusterKeyRetire))
            #expect(try await stores.clusterKeys.clusterKey(stores.data.id) == nil)
        }
        #expect(
            await code { try await stores.seals.retire(.random(), Stores.event(.clusterKeyRetire)) }
                == .clusterKeyNotFound)
    }
}
