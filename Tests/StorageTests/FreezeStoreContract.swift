// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Keyring
import Storage
import Testing

@Suite struct FreezeStoreContract {
    private func voice(_ name: String, after time: Duration = .zero) throws -> Proposal.Voice {
        Proposal.Voice(user: try .random(), name: name, time: Stores.now + time)
    }

    @Test(arguments: Backend.allCases)
    func dataServersSeeWhatIsFrozen(_ backend: Backend) async throws {
        let stores = try await Stores(backend)
        let key = try await stores.added("kernel-modules")
        #expect(try await stores.source.access().frozen.isEmpty)
        let before = try await stores.source.pulse().revision
        let one = try Freeze(key: key.record.id, by: voice("a"), because: "it leaked")
        #expect(try await stores.freezes.freeze(one, Stores.event(.freeze)) == one)
        #expect(try await stores.source.pulse().revision > before)
        #expect(try await stores.source.access().frozen == FrozenKeys(keys: [key.record.id]))
        // The first order stays.
        let again = try Freeze(key: key.record.id, by: voice("b", after: .seconds(1)), because: "")
        #expect(try await stores.freezes.freeze(again, Stores.event(.freeze)) == one)
        let all = try Freeze(
            key: nil, by: Proposal.Voice(user: nil, name: "control-admin", time: Stores.now + .seconds(2)),
            because: "")
        #expect(try await stores.freezes.freeze(all, Stores.event(.freeze)) == all)
        #expect(try await stores.freezes.freezes() == [one, all])
        #expect(
            try await stores.source.access().frozen == FrozenKeys(all: true, keys: [key.record.id]))

        try await stores.proposals.write(ProposalChange(nil, deed: .thaw(all)), Stores.event(.thaw))
        #expect(try await stores.freezes.freezes() == [one])
        // What was thawed and frozen anew is not the freeze that was judged.
        #expect(
            await code {
                try await stores.proposals.write(ProposalChange(nil, deed: .thaw(again)), Stores.event(.thaw))
            } == .changedMeanwhile)
        try await stores.proposals.write(ProposalChange(nil, deed: .thaw(one)), Stores.event(.thaw))
        #expect(try await stores.source.access().frozen.isEmpty)
        #expect(
            try await stores.audit.entries(after: 0, limit: 100).map(\.event.action).suffix(5) == [
                .freeze, .freeze, .freeze, .thaw, .thaw,
            ])
    }

    /// What is approved happens with the last approval, or not at all.
    @Test(arguments: Backend.allCases)
    func aRequestAndItsDeedAreOne(_ backend: Backend) async throws {
        let stores = try await Stores(backend)
        let users = try ["a", "b"].map {
            try User(id: .random(), name: $0, role: .administrator, created: Stores.now)
        }
        for user in users { try await stores.users.add(user, Stores.event(.userCreate)) }
        let asker = Proposal.Voice(user: users[0].id, name: "a", time: Stores.now)
        let freeze = try Freeze(key: nil, by: asker, because: "")
        try await stores.freezes.freeze(freeze, Stores.event(.freeze))
        let open = try Proposal(
            id: .random(), .thawing, of: .everything, by: asker, needed: 1, ends: Stores.now + .seconds(100))
        try await stores.proposals.write(
            ProposalChange(stores.control.store(open)), Stores.event(.approvalRequest))
        let read = try #require(try await stores.proposals.proposal(open.id))
        #expect(read.proposal == open)
        let time = Stores.now + .seconds(1)
        let done = try open.approved(by: users[1], at: time).closed(as: .done, at: time)
        var gone = users[1]
        gone.isDisabled = true
        try await stores.users.change(gone, seen: users[1], Stores.event(.userChange))
        let change = ProposalChange(
            try stores.control.store(done, insteadOf: read), approvers: [users[1].id], deed: .thaw(freeze))
        #expect(
            await code { try await stores.proposals.write(change, Stores.event(.thaw)) } == .changedMeanwhile)
        #expect(try await stores.freezes.freezes() == [freeze])
        #expect(try await stores.proposals.proposal(open.id) == read)
        try await stores.users.change(users[1], seen: gone, Stores.event(.userChange))
        try await stores.proposals.write(change, Stores.event(.thaw))
        #expect(try await stores.freezes.freezes().isEmpty)
        #expect(try await stores.proposals.proposal(open.id)?.proposal.state == .done)
        // Twice.
        #expect(
            await code { try await stores.proposals.write(change, Stores.event(.thaw)) } == .changedMeanwhile)
    }
}
