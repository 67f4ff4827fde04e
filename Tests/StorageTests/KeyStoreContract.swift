// SPDX-License-Identifier: Apache-2.0

import Cryptography
import Diagnostics
import Keyring
import Signatures
import Storage
import Testing

@Suite struct KeyStoreContract {
    @Test(arguments: Backend.allCases)
    func whatIsAddedIsReadAgain(_ backend: Backend) async throws {
        let stores = try await Stores(backend)
        for (name, scheme, purpose) in [
            ("kernel-modules", SigningScheme.module, KeyPurpose.signing),
            ("farm-authority", .ca, .certifying), ("primary", .openpgp, .certifying),
            ("packages", .openpgp, .signing),
        ] {
            let key = try stores.stored(name, scheme: scheme, purpose: purpose)
            try await stores.keys.add([key], Stores.event(.keyGenerate, name))
            let read = try #require(try await stores.keys.key(key.record.id))
            #expect(read.record == key.record && read.sealed == key.sealed && read.code == key.code)
            #expect(read.edition == 1)
            #expect(try await stores.keys.key(named: key.record.name) == read)
            // It opens as it was read.
            _ = try (purpose == .signing ? stores.data : stores.control).unseal(read)
            // Data-servers see what signs, and nothing else.
            let signs = purpose == .signing
            #expect(try await stores.source.signingKey(key.record.id) == (signs ? read : nil))
            #expect(try await stores.source.signingKey(named: key.record.name) == (signs ? read : nil))
            #expect(try await stores.source.signingKeys([key.record.id]).keys == (signs ? [read] : []))
        }
        #expect(try await stores.keys.key(.random()) == nil)
        #expect(try await stores.keys.key(named: KeyName("nobody")) == nil)
        #expect(try await stores.source.signingKeys([]).keys.isEmpty)
    }

    @Test(arguments: Backend.allCases)
    func oneNameOneKey(_ backend: Backend) async throws {
        let stores = try await Stores(backend)
        let first = try await stores.added("kernel-modules")
        // In the other table too.
        for (scheme, purpose) in [(SigningScheme.module, KeyPurpose.signing), (.ca, .certifying)] {
            let other = try stores.stored("kernel-modules", scheme: scheme, purpose: purpose)
            #expect(
                await code { try await stores.keys.add([other], Stores.event(.keyGenerate)) } == .keyNameTaken
            )
            #expect(try await stores.keys.key(other.record.id) == nil)
        }
        // A destroyed key's name is free, its public half is not.
        var record = first.record
        record.state = .deleted
        let deleted = try await stores.keys.change(
            stores.data.store(record, insteadOf: first), Stores.event(.keyDelete))
        #expect(try await stores.keys.key(named: first.record.name) == nil)
        #expect(try await stores.source.signingKey(named: first.record.name) == nil)
        let heir = try await stores.added("kernel-modules")
        #expect(try await stores.keys.key(named: first.record.name) == heir)
        record.state = .destroyed
        try await stores.keys.change(
            stores.data.store(record, sealed: nil, edition: deleted.edition), Stores.event(.keyDestroy))
        #expect(try await stores.keys.key(first.record.id)?.sealed == nil)
    }

    @Test(arguments: Backend.allCases)
    func onePublicHalfOneKeyForEver(_ backend: Backend) async throws {
        let stores = try await Stores(backend)
        let pair = try PrivateKey.generate(.p256)
        let first = try stores.data.seal(pair, for: stores.record("kernel-modules", pair))
        try await stores.keys.add([first], Stores.event(.keyGenerate))
        let gone = try first.record.applying(.disable).applying(.delete).applying(.destroy)
        try await stores.keys.change(
            stores.data.store(gone, sealed: nil, edition: 1), Stores.event(.keyDestroy))
        let authority = try stores.record("authority", pair, scheme: .ca, purpose: .certifying)
        let again = try stores.control.seal(pair, for: authority)
        #expect(await code { try await stores.keys.add([again], Stores.event(.keyImport)) } == .keyExists)
        let same = try stores.data.seal(pair, for: stores.record("kernel-again", pair))
        #expect(await code { try await stores.keys.add([same], Stores.event(.keyImport)) } == .keyExists)
        #expect(try await stores.keys.key(named: KeyName("kernel-again")) == nil)
    }

    @Test(arguments: Backend.allCases)
    func allOrNone(_ backend: Backend) async throws {
        let stores = try await Stores(backend)
        let revision = try await stores.source.pulse().revision
        let primary = try stores.stored("primary", scheme: .openpgp, purpose: .certifying)
        let subkey = try stores.stored("packages", scheme: .openpgp, parent: primary.record.id)
        let clash = try stores.stored("packages", scheme: .openpgp)
        #expect(
            await code { try await stores.keys.add([primary, subkey, clash], Stores.event(.keyGenerate)) }
                == .keyNameTaken)
        #expect(try await stores.keys.keys(KeyQuery()).total == 0)
        #expect(try await stores.audit.entries(after: 0, limit: 10).isEmpty)
        #expect(try await stores.source.pulse().revision == revision)
        #expect(
            try await stores.keys.add([primary, subkey], Stores.event(.keyGenerate)).number
                == revision.number + 1)
        #expect(try await stores.keys.keys(KeyQuery()).total == 2)
    }

    @Test(arguments: Backend.allCases)
    func aChangeMeetsTheRowThatWasRead(_ backend: Backend) async throws {
        let stores = try await Stores(backend)
        let key = try await stores.added("kernel-modules")
        let off = try stores.data.store(key.record.applying(.disable), insteadOf: key)
        let changed = try await stores.keys.change(off, Stores.event(.keyDisable))
        #expect(changed.edition == 2 && changed.record.state == .disabled)
        #expect(try await stores.keys.key(key.record.id) == changed)
        #expect(
            await code { try await stores.keys.change(off, Stores.event(.keyDisable)) } == .changedMeanwhile)
        #expect(try await stores.keys.key(key.record.id) == changed)
        let stranger = try stores.stored("stranger")
        #expect(
            await code { try await stores.keys.change(stranger, Stores.event(.keyDisable)) } == .keyNotFound)
        // A new name, and then the old one is free.
        var renamed = changed.record
        renamed.name = try KeyName("other-modules")
        try await stores.keys.change(
            stores.data.store(renamed, insteadOf: changed), Stores.event(.keyDescribe))
        #expect(try await stores.keys.key(named: KeyName("other-modules"))?.edition == 3)
        _ = try await stores.added("kernel-modules")
    }

    /// An authority that is disabled while a certificate under it is made.
    @Test(arguments: Backend.allCases)
    func aNewKeyMeetsItsAuthorityAsItWas(_ backend: Backend) async throws {
        let stores = try await Stores(backend)
        let authority = try await stores.added("farm-authority", scheme: .ca, purpose: .certifying)
        let other = try await stores.added("other-modules")
        let leaf = try stores.stored("kernel-modules", parent: authority.record.id)
        let off = try stores.control.store(authority.record.applying(.disable), insteadOf: authority)
        let changed = try await stores.keys.change(off, Stores.event(.keyDisable))
        #expect(
            await code {
                try await stores.keys.add([leaf], seen: [other, authority], Stores.event(.keyGenerate))
            } == .changedMeanwhile)
        #expect(try await stores.keys.key(leaf.record.id) == nil)
        #expect(try await stores.keys.key(named: leaf.record.name) == nil)
        try await stores.keys.add([leaf], seen: [other, changed], Stores.event(.keyGenerate))
        let stranger = try stores.stored("stranger")
        let last = try stores.stored("last-modules")
        #expect(
            await code { try await stores.keys.add([last], seen: [stranger], Stores.event(.keyGenerate)) }
                == .changedMeanwhile)
    }

    @Test(arguments: Backend.allCases)
    func manyAtOnceChangeItOnce(_ backend: Backend) async throws {
        let stores = try await Stores(backend)
        let key = try await stores.added("kernel-modules")
        let off = try stores.data.store(key.record.applying(.disable), insteadOf: key)
        let results = await withTaskGroup(of: ErrorCode?.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    await code { try await stores.keys.change(off, Stores.event(.keyDisable)) }
                }
            }
            return await group.reduce(into: [ErrorCode?]()) { $0.append($1) }
        }
        #expect(results.count { $0 == nil } == 1)
        #expect(results.count { $0 == .changedMeanwhile } == 19)
        #expect(try await stores.audit.auditHead().sequence == 2)
    }

    @Test(arguments: Backend.allCases)
    func lists(_ backend: Backend) async throws {
        let stores = try await Stores(backend)
        let authority = try await stores.added("b-authority", scheme: .ca, purpose: .certifying)
        let leaf = try await stores.added("a-module", parent: authority.record.id)
        let off = try await stores.added("c-module", state: .disabled)
        let gone = try await stores.added("d-module", state: .deleted)
        func names(_ edit: (inout KeyQuery) -> Void) async throws -> [String] {
            var query = KeyQuery()
            edit(&query)
            let page = try await stores.keys.keys(query)
            if query.offset == 0, query.limit == 100 { #expect(page.total == page.keys.count) }
            return page.keys.map(\.record.name.text)
        }
        #expect(try await names { _ in } == ["a-module", "b-authority", "c-module"])
        #expect(
            try await names { $0.withDeleted = true } == ["a-module", "b-authority", "c-module", "d-module"])
        #expect(try await names { $0.state = .deleted } == ["d-module"])
        #expect(try await names { $0.state = .disabled } == [off.record.name.text])
        #expect(try await names { $0.schemes = [.module] } == ["a-module", "c-module"])
        #expect(try await names { $0.purpose = .certifying } == ["b-authority"])
        #expect(try await names { $0.parent = authority.record.id } == [leaf.record.name.text])
        #expect(try await names { $0.nameContains = "mod" } == ["a-module", "c-module"])
        #expect(try await names { $0.nameContains = "%" }.isEmpty)
        // By its bytes: a letter and its mark are not the letter.
        _ = try await stores.added("ein-schl\u{fc}ssel")
        #expect(try await names { $0.nameContains = "schl\u{fc}s" } == ["ein-schl\u{fc}ssel"])
        for part in ["schlu", "schlu\u{308}s", "\u{308}"] {
            #expect(try await names { $0.nameContains = part }.isEmpty)
        }
        try await stores.keys.change(
            #require(try await stores.keys.key(named: KeyName("ein-schl\u{fc}ssel"))).deleted(
                by: stores.data),
            Stores.event(.keyDelete))
        #expect(try await names { ($0.offset, $0.limit) = (1, 1) } == ["b-authority"])
        #expect(try await names { $0.limit = 0 }.isEmpty)
        var query = KeyQuery()
        query.limit = 1
        #expect(try await stores.keys.keys(query).total == 3)
        _ = gone
    }

    @Test(arguments: Backend.allCases)
    func privateKeysAreTheirOwners(_ backend: Backend) async throws {
        let stores = try await Stores(backend)
        let (me, you) = (try UserID.random(), try UserID.random())
        _ = try await stores.added("key-of-all")
        for (owner, name) in [(me, "me:own-key"), (you, "you:own-key")] {
            let pair = try PrivateKey.generate(.p256)
            let form = try stores.record("some-key", pair)
            let record = try KeyRecord(
                id: form.id, scheme: form.scheme, purpose: form.purpose, algorithm: form.algorithm,
                publicKey: form.publicKey, fingerprint: form.fingerprint, created: form.created, owner: owner,
                name: KeyName(name), state: .enabled, expires: nil)
            try await stores.keys.add([stores.data.seal(pair, for: record)], Stores.event(.keyGenerate))
        }
        for (sight, expected) in [
            (KeySight.all, ["key-of-all", "me:own-key", "you:own-key"]), (.publicOnly, ["key-of-all"]),
            (.privateOf(me), ["me:own-key"]), (.publicAndPrivateOf(you), ["key-of-all", "you:own-key"]),
        ] {
            var query = KeyQuery()
            query.sight = sight
            let page = try await stores.keys.keys(query)
            #expect(page.keys.map(\.record.name.text) == expected && page.total == expected.count)
        }
        #expect(try await stores.keys.key(named: KeyName("me:own-key"))?.record.owner == me)
    }

    @Test(arguments: Backend.allCases)
    func clusterKeys(_ backend: Backend) async throws {
        let stores = try await Stores(backend)
        let kms = try TestKMS()
        var made: [WrappedKey] = []
        for (plane, seconds) in [(Plane.data, 0), (.data, 1), (.control, 2)] {
            let wrapped = try await ClusterKey.make(plane, wrappedBy: kms, at: Stores.now + .seconds(seconds))
                .wrapped
            try await stores.clusterKeys.add(wrapped, Stores.event(.clusterKeyCreate))
            made.append(wrapped)
        }
        func keys(_ plane: Plane) async throws -> [WrappedKey] {
            try await stores.clusterKeys.clusterKeys(of: plane).filter {
                $0.id != stores.data.id && $0.id != stores.control.id
            }
        }
        #expect(try await keys(.data) == [made[1], made[0]])
        #expect(try await keys(.control) == [made[2]])
        for key in made {
            #expect(try await stores.clusterKeys.clusterKey(key.id) == key)
            #expect(try await stores.source.dataClusterKey(key.id) == (key.plane == .data ? key : nil))
        }
        #expect(try await stores.clusterKeys.clusterKey(.random()) == nil)
        #expect(
            await code { try await stores.clusterKeys.add(made[0], Stores.event(.clusterKeyCreate)) }
                == .conflict)
    }
}
