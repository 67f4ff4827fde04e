// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Keyring
import Signatures
import Storage
import Testing

@Suite struct AccountStoreContract {
    @Test(arguments: Backend.allCases)
    func grants(_ backend: Backend) async throws {
        let stores = try await Stores(backend)
        let one = try await stores.added("key-one")
        let two = try await stores.added("key-two")
        let first = try stores.grant([one.record.id, two.record.id], kinds: [.module, .rpm])
        let second = try stores.grant([two.record.id], created: Stores.now + .seconds(1))
        try await stores.grants.add(second, Stores.event(.grantCreate))
        let revision = try await stores.grants.add(first, Stores.event(.grantCreate))
        #expect(try await stores.grants.grants() == [first, second])
        #expect(try await stores.grants.grant(first.grant.id) == first)
        let access = try await stores.source.access()
        #expect(access.grants == [first, second] && access.revision == revision && access.denied.isEmpty)
        for grant in access.grants { try stores.data.checkRow(grant) }
        #expect(try await stores.grants.remove(first.grant.id, Stores.event(.grantRemove)) > revision)
        #expect(try await stores.grants.grants() == [second])
        #expect(
            await code { try await stores.grants.remove(first.grant.id, Stores.event(.grantRemove)) }
                == .grantNotFound)
        #expect(await code { try await stores.grants.add(second, Stores.event(.grantCreate)) } == .conflict)
        // A key that is not there, and one that data-servers never see.
        let authority = try await stores.added("authority", scheme: .ca, purpose: .certifying)
        for id in [try KeyID.random(), authority.record.id] {
            let grant = try stores.grant([one.record.id, id])
            #expect(
                await code { try await stores.grants.add(grant, Stores.event(.grantCreate)) } == .keyNotFound)
        }
        #expect(try await stores.grants.grants() == [second])
    }

    @Test(arguments: Backend.allCases)
    func whoIsShutOut(_ backend: Backend) async throws {
        let stores = try await Stores(backend)
        let client = try Stores.client()
        let all: Set<DeniedClient> = [.identity(client.identity), .certificate(client.certificate)]
        var last = try await stores.source.pulse().revision
        for denied in all {
            // Twice does no harm.
            for _ in 0..<2 {
                let revision = try await stores.grants.deny(denied, Stores.event(.clientDeny))
                #expect(revision > last)
                last = revision
            }
        }
        #expect(try await stores.grants.denied() == all)
        #expect(try await stores.source.access().denied == all)
        try await stores.grants.allow(.identity(client.identity), Stores.event(.clientAllow))
        #expect(try await stores.source.access().denied == [.certificate(client.certificate)])
    }

    @Test(arguments: Backend.allCases)
    func users(_ backend: Backend) async throws {
        let stores = try await Stores(backend)
        var me = try User(id: .random(), name: "me@farm", role: .operator, created: Stores.now)
        let you = try User(id: .random(), name: "a-you", role: .viewer, created: Stores.now)
        for user in [me, you] { try await stores.users.add(user, Stores.event(.userCreate)) }
        #expect(try await stores.users.users() == [you, me])
        let twin = try User(id: .random(), name: "me@farm", role: .viewer, created: Stores.now)
        #expect(await code { try await stores.users.add(twin, Stores.event(.userCreate)) } == .userNameTaken)
        me.role = .administrator
        me.isDisabled = true
        for _ in 0..<2 { try await stores.users.change(me, Stores.event(.userChange)) }
        #expect(try await stores.users.user(me.id) == me)
        #expect(try await stores.users.user(named: "me@farm") == me)
        #expect(try await stores.users.user(named: "ME@farm") == nil)
        #expect(
            await code { try await stores.users.change(twin, Stores.event(.userChange)) } == .userNotFound)
    }

    @Test(arguments: Backend.allCases)
    func tokens(_ backend: Backend) async throws {
        let stores = try await Stores(backend)
        let me = try User(id: .random(), name: "me@farm", role: .viewer, created: Stores.now)
        try await stores.users.add(me, Stores.event(.userCreate))
        let first = try NewAPIToken.make(for: me.id, summary: "ci", created: Stores.now, life: .seconds(60))
            .token
        let second = try NewAPIToken.make(
            for: me.id, summary: "", created: Stores.now + .seconds(1), life: .seconds(60)
        ).token
        for token in [first, second] { try await stores.users.add(token, Stores.event(.tokenCreate)) }
        #expect(try await stores.users.tokens(of: me.id) == [first, second])
        #expect(try await stores.users.token(first.digest) == KnownToken(token: first, user: me))
        let you = try UserID.random()
        #expect(
            await code { try await stores.users.revoke(first.id, of: you, Stores.event(.tokenRevoke)) }
                == .tokenNotFound)
        try await stores.users.revoke(first.id, of: me.id, Stores.event(.tokenRevoke))
        #expect(
            await code { try await stores.users.revoke(first.id, of: me.id, Stores.event(.tokenRevoke)) }
                == .tokenNotFound)
        #expect(try await stores.users.token(first.digest) == nil)
        #expect(try await stores.users.tokens(of: me.id) == [second])
        let stray = try NewAPIToken.make(for: you, summary: "", created: Stores.now, life: .seconds(60)).token
        #expect(await code { try await stores.users.add(stray, Stores.event(.tokenCreate)) } == .userNotFound)
    }

    @Test(arguments: Backend.allCases)
    func everyChangeHasItsEntryAndRevision(_ backend: Backend) async throws {
        let stores = try await Stores(backend)
        let before = try await stores.source.pulse()
        let key = try await stores.added("key-one")
        try await stores.grants.add(stores.grant([key.record.id]), Stores.event(.grantCreate, "g"))
        try await stores.users.add(
            User(id: .random(), name: "me", role: .viewer, created: Stores.now),
            Stores.event(.userCreate, "me"))
        let after = try await stores.source.pulse()
        #expect(after.revision.number == before.revision.number + 3)
        let entries = try await stores.audit.entries(after: 0, limit: 100)
        #expect(entries.map(\.event.action) == [.keyGenerate, .grantCreate, .userCreate])
        var head = ChainHead.start
        for entry in entries {
            try head.follow(entry.encoded, sequence: entry.sequence, previous: entry.previous)
        }
        #expect(try await stores.audit.auditHead() == head)
        #expect(try await stores.audit.entries(after: 1, limit: 1).map(\.sequence) == [2])
    }
}
