// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Keyring
import Signatures
import Storage
import TestSupport
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
        // A key that is not as it was when the grant was judged.
        let off = try stores.data.store(one.record.applying(.disable), insteadOf: one)
        try await stores.keys.change(off, Stores.event(.keyDisable))
        let third = try stores.grant([one.record.id, two.record.id])
        #expect(
            await code { try await stores.grants.add(third, seen: [one, two], Stores.event(.grantCreate)) }
                == .changedMeanwhile)
        let present = try #require(try await stores.keys.key(one.record.id))
        try await stores.grants.add(third, seen: [present, two], Stores.event(.grantCreate))
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
        let me = try User(id: .random(), name: "me@farm", role: .operator, created: Stores.now)
        let you = try User(id: .random(), name: "a-you", role: .viewer, created: Stores.now)
        for user in [me, you] { try await stores.users.add(user, Stores.event(.userCreate)) }
        #expect(try await stores.users.users() == [you, me])
        let twin = try User(id: .random(), name: "me@farm", role: .viewer, created: Stores.now)
        #expect(await code { try await stores.users.add(twin, Stores.event(.userCreate)) } == .userNameTaken)
        var changed = me
        changed.role = .administrator
        changed.isDisabled = true
        try await stores.users.change(changed, seen: me, Stores.event(.userChange))
        #expect(try await stores.users.user(me.id) == changed)
        #expect(try await stores.users.user(named: "me@farm") == changed)
        #expect(try await stores.users.user(named: "ME@farm") == nil)
        #expect(
            await code { try await stores.users.change(twin, seen: twin, Stores.event(.userChange)) }
                == .userNotFound)
        // Who read him before somebody disabled him does not bring him back.
        var renamed = me
        renamed.role = .auditor
        #expect(
            await code { try await stores.users.change(renamed, seen: me, Stores.event(.userChange)) }
                == .changedMeanwhile)
        #expect(try await stores.users.user(me.id) == changed)
    }

    @Test(arguments: Backend.allCases)
    func oneAdministratorStays(_ backend: Backend) async throws {
        let stores = try await Stores(backend)
        let both = try ["one", "two"].map {
            try User(id: .random(), name: $0, role: .administrator, created: Stores.now)
        }
        for user in both { try await stores.users.add(user, Stores.event(.userCreate)) }
        for round in 0..<Trials.count(5, full: 100) {
            let results = await withTaskGroup(of: ErrorCode?.self) { group in
                for user in both {
                    var gone = user
                    if round % 2 == 0 { gone.isDisabled = true } else { gone.role = .viewer }
                    group.addTask { [gone] in
                        await code {
                            try await stores.users.change(gone, seen: user, Stores.event(.userChange))
                        }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(results.filter { $0 == nil }.count == 1 && results.contains(.wrongState))
            let now = try await stores.users.users()
            #expect(now.filter(\.isActiveAdministrator).count == 1)
            for (user, was) in zip(now, both) where user != was {
                try await stores.users.change(was, seen: user, Stores.event(.userChange))
            }
        }
    }

    @Test(arguments: Backend.allCases)
    func oneIsTheFirst(_ backend: Backend) async throws {
        let stores = try await Stores(backend)
        let results = await withTaskGroup(of: ErrorCode?.self) { group in
            for number in 0..<10 {
                group.addTask {
                    await code {
                        let user = try User(
                            id: .random(), name: "admin-\(number)", role: .administrator, created: Stores.now)
                        try await stores.users.add(user, isFirst: true, Stores.event(.userCreate))
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(results.count { $0 == nil } == 1 && results.count { $0 == .alreadySetUp } == 9)
        #expect(try await stores.users.users().count == 1)
    }

    /// Whatever a user began before he was disabled does not stand afterwards.
    @Test(arguments: Backend.allCases)
    func whoIsDisabledChangesNothing(_ backend: Backend) async throws {
        let stores = try await Stores(backend)
        let user = try User(id: .random(), name: "me@farm", role: .operator, created: Stores.now)
        try await stores.users.add(user, Stores.event(.userCreate))
        let event = try AuditEvent(
            time: Stores.now, actor: .user(user.id, name: user.name), action: .keyGenerate, subject: "key")
        let key = try stores.stored("kernel-modules")
        var gone = user
        gone.isDisabled = true
        try await stores.users.change(gone, seen: user, Stores.event(.userChange))
        #expect(await code { try await stores.keys.add([key], event) } == .tokenInvalid)
        #expect(try await stores.keys.key(key.record.id) == nil)
        try await stores.users.change(user, seen: gone, Stores.event(.userChange))
        try await stores.keys.add([key], event)
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
        var narrow = try NewAPIToken.make(
            for: me.id, summary: "page", created: Stores.now + .seconds(2), life: .seconds(60),
            scopes: [.read, .records]
        ).token
        try await stores.users.add(narrow, Stores.event(.tokenCreate))
        let revision = try await stores.source.pulse().revision
        for seconds in [5, 3] {
            try await stores.users.noteUse(of: narrow.id, at: Stores.now + .seconds(seconds))
        }
        narrow.lastUsed = Stores.now + .seconds(5)
        #expect(try await stores.users.token(narrow.digest)?.token == narrow)
        #expect(try await stores.source.pulse().revision == revision)
        try await stores.users.revoke(narrow.id, of: me.id, Stores.event(.tokenRevoke))
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
