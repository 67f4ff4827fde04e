// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Keyring
import Signatures
import Storage
import Testing

@Suite struct ProposalStoreContract {
    private func users(_ count: Int, _ stores: Stores) async throws -> [User] {
        var users: [User] = []
        for number in 0..<count {
            let user = try User(
                id: .random(), name: "admin\(number)", role: .administrator, created: Stores.now,
                powersSince: Stores.now + .seconds(1))
            try await stores.users.add(user, Stores.event(.userCreate))
            users.append(user)
        }
        return users
    }

    private func proposal(_ key: StoredKey, by user: User, after: Duration = .seconds(2), needed: Int = 2)
        throws
        -> Proposal
    {
        try Proposal(
            id: .random(), .deletion, of: .key(key.record.id),
            by: Proposal.Voice(user: user.id, name: user.name, time: Stores.now + after), needed: needed,
            ends: Stores.now + .seconds(100))
    }

    @Test(arguments: Backend.allCases)
    func aRequestGoesWithItsKey(_ backend: Backend) async throws {
        let stores = try await Stores(backend)
        let users = try await users(3, stores)
        #expect(try await stores.users.users() == users)
        let key = try await stores.added("kernel-modules", state: .disabled)
        let open = try proposal(key, by: users[0])
        var change = KeyChange(try stores.data.store(key.record.applying(.requestDeletion), insteadOf: key))
        change.proposal = try stores.control.store(open)
        let waiting = try await stores.keys.change(change, Stores.event(.keyRequestDeletion))
        let read = try #require(try await stores.proposals.proposal(open.id))
        #expect(read.proposal == open && read.edition == 1)
        try stores.control.checkRow(read)
        // Twice, and after somebody else.
        #expect(
            await code { try await stores.keys.change(change, Stores.event(.keyRequestDeletion)) }
                == .changedMeanwhile)
        let time = Stores.now + .seconds(3)
        let approved = try open.approved(by: users[1], at: time).approved(by: users[2], at: time)
        var end = KeyChange(try stores.data.store(waiting.record.applying(.delete), insteadOf: waiting))
        end.proposal = try stores.control.store(approved.closed(as: .done, at: time), insteadOf: read)
        end.approvers = [users[1].id, users[2].id]
        var gone = users[2]
        gone.isDisabled = true
        try await stores.users.change(gone, seen: users[2], Stores.event(.userChange))
        #expect(
            await code { try await stores.keys.change(end, Stores.event(.keyDelete)) } == .changedMeanwhile)
        #expect(try await stores.keys.key(key.record.id)?.record.state == .pendingDeletion)
        #expect(try await stores.proposals.proposal(open.id) == read)
        try await stores.users.change(users[2], seen: gone, Stores.event(.userChange))
        try await stores.keys.change(end, Stores.event(.keyDelete))
        #expect(try await stores.keys.key(named: key.record.name) == nil)
        #expect(try await stores.proposals.proposal(open.id)?.proposal.state == .done)
    }

    @Test(arguments: Backend.allCases)
    func whatHangsOnAKeyKeepsIt(_ backend: Backend) async throws {
        let stores = try await Stores(backend)
        let authority = try await stores.added(
            "farm-authority", scheme: .ca, purpose: .certifying, state: .disabled)
        let leaf = try await stores.added("kernel-modules", parent: authority.record.id)
        var end = KeyChange(
            try stores.control.store(authority.record.applying(.delete), insteadOf: authority))
        end.isChildless = true
        #expect(await code { try await stores.keys.change(end, Stores.event(.keyDelete)) } == .keyInUse)
        try await stores.keys.change(leaf.deleted(by: stores.data), Stores.event(.keyDelete))
        try await stores.keys.change(end, Stores.event(.keyDelete))
    }

    @Test(arguments: Backend.allCases)
    func requestsAreListed(_ backend: Backend) async throws {
        let stores = try await Stores(backend)
        let user = try await users(1, stores)[0]
        var made: [Proposal] = []
        for (number, name) in ["key-a", "key-b", "key-c"].enumerated() {
            let key = try await stores.added(name, state: .disabled)
            var proposal = try proposal(key, by: user, after: .seconds(number))
            if number == 0 { proposal = try proposal.closed(as: .cancelled, at: Stores.now + .seconds(9)) }
            var change = KeyChange(try stores.data.store(key.record, insteadOf: key))
            change.proposal = try stores.control.store(proposal)
            try await stores.keys.change(change, Stores.event(.keyRequestDeletion))
            made.append(proposal)
        }
        func ids(_ edit: (inout ProposalQuery) -> Void) async throws -> [ProposalID] {
            var query = ProposalQuery()
            edit(&query)
            return try await stores.proposals.proposals(query).map(\.proposal.id)
        }
        #expect(try await ids { _ in } == [made[2].id, made[1].id, made[0].id])
        #expect(try await ids { $0.state = .open } == [made[2].id, made[1].id])
        #expect(try await ids { $0.operation = .revocation }.isEmpty)
        #expect(
            try await ids { $0.subjects = [made[0].subject, made[2].subject] } == [made[2].id, made[0].id])
        #expect(try await ids { $0.subjects = [] }.isEmpty)
        #expect(try await ids { ($0.offset, $0.limit) = (1, 1) } == [made[1].id])
        #expect(try await stores.proposals.proposal(.random()) == nil)
    }

    /// A renewal: what the key had before is kept with it, and keys of one certificate change together or not at all.
    @Test(arguments: Backend.allCases)
    func renewalsKeepWhatWasBefore(_ backend: Backend) async throws {
        let stores = try await Stores(backend)
        let (key, other) = (try await stores.added("first"), try await stores.added("second"))
        let former = FormerCertificate(
            key: key.record.id, serialNumber: [1, 2, 3], expires: Moment(seconds: 1_900_000_000),
            replaced: Moment(seconds: 1_800_000_000))
        func renewed(_ stored: StoredKey) throws -> StoredKey {
            var record = stored.record
            record.expires = Moment(seconds: 1_950_000_000)
            return try stores.data.store(record, insteadOf: stored)
        }
        var change = KeyChange(try renewed(key))
        (change.former, change.others) = (former, [try renewed(other)])
        let event = try Stores.event(.keyRenew)
        try await stores.keys.change(change, event)
        for id in [key.record.id, other.record.id] {
            let read = try #require(try await stores.keys.key(id))
            #expect(read.edition == 2 && read.record.expires == Moment(seconds: 1_950_000_000))
        }
        #expect(try await stores.lists.formerCertificates(of: [key.record.id, other.record.id]) == [former])
        #expect(try await stores.lists.formerCertificates(of: [other.record.id]).isEmpty)
        #expect(try await stores.lists.formerCertificates(of: []).isEmpty)

        // The second row is not as it was read: nothing is written.
        let again = try #require(try await stores.keys.key(key.record.id))
        var late = KeyChange(try renewed(again))
        late.others = [try renewed(other)]
        late.former = FormerCertificate(
            key: key.record.id, serialNumber: [4], expires: former.expires, replaced: former.replaced)
        #expect(await code { try await stores.keys.change(late, event) } == .changedMeanwhile)
        #expect(try await stores.keys.key(key.record.id) == again)
        #expect(try await stores.lists.formerCertificates(of: [key.record.id]) == [former])
    }

    @Test(arguments: Backend.allCases)
    func listsFollowOneAnother(_ backend: Backend) async throws {
        let stores = try await Stores(backend)
        let (one, other) = (try KeyID.random(), try KeyID.random())
        func list(_ number: UInt64, after previous: UInt64, of authority: KeyID) -> StoredRevocationList {
            StoredRevocationList(
                authority: authority, number: number, previous: previous, made: Stores.now,
                next: Stores.now + .seconds(60), der: [1, 2, UInt8(number)])
        }
        func add(_ list: StoredRevocationList) async -> ErrorCode? {
            await code { try await stores.lists.add(list, Stores.event(.revocationList)) }
        }
        #expect(try await stores.lists.newestList(of: one) == nil)
        #expect(await add(list(5, after: 0, of: one)) == nil)
        #expect(await add(list(5, after: 0, of: other)) == nil)
        for (number, previous) in [(5, 0), (6, 0), (5, 5), (4, 5), (7, 6)] as [(UInt64, UInt64)] {
            #expect(await add(list(number, after: previous, of: one)) == .changedMeanwhile)
        }
        #expect(await add(list(9, after: 5, of: one)) == nil)
        #expect(try await stores.lists.newestList(of: one) == list(9, after: 5, of: one))
        #expect(try await stores.lists.list(of: one, number: 5) == list(5, after: 0, of: one))
        #expect(try await stores.lists.list(of: one, number: 6) == nil)
    }

    /// Fifty write the same request at once: each approval is there once, and none is lost.
    @Test(arguments: Backend.allCases)
    func fiftyApproveAtOnce(_ backend: Backend) async throws {
        let stores = try await Stores(backend)
        let users = try await users(51, stores)
        let key = try await stores.added("kernel-modules", state: .disabled)
        var change = KeyChange(try stores.data.store(key.record.applying(.requestDeletion), insteadOf: key))
        let open = try proposal(key, by: users[0], needed: 50)
        change.proposal = try stores.control.store(open)
        try await stores.keys.change(change, Stores.event(.keyRequestDeletion))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for user in users.dropFirst() {
                group.addTask {
                    while true {
                        let seen = try #require(try await stores.proposals.proposal(open.id))
                        let key = try #require(try await stores.keys.key(key.record.id))
                        let approved = try seen.proposal.approved(by: user, at: Stores.now + .seconds(3))
                        let end = approved.isApproved
                        var change = KeyChange(
                            try stores.data.store(
                                end ? key.record.applying(.delete) : key.record, insteadOf: key))
                        change.proposal = try stores.control.store(
                            end ? approved.closed(as: .done, at: Stores.now + .seconds(3)) : approved,
                            insteadOf: seen)
                        change.approvers = Set(approved.approvals.compactMap(\.user))
                        let event = try Stores.event(end ? .keyDelete : .approvalGive)
                        let found = await code { try await stores.keys.change(change, event) }
                        if found == nil { return }
                        #expect(found == .changedMeanwhile)
                    }
                }
            }
            try await group.waitForAll()
        }
        let done = try #require(try await stores.proposals.proposal(open.id)).proposal
        #expect(done.state == .done && Set(done.approvals.compactMap(\.user)).count == 50)
        #expect(try await stores.keys.key(key.record.id)?.record.state == .deleted)
        #expect(
            try await stores.audit.entries(after: 0, limit: 1000).count { $0.event.action == .approvalGive }
                == 49)
    }
}
