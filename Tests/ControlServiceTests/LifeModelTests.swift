// SPDX-License-Identifier: Apache-2.0

import ControlService
import Cryptography
import Diagnostics
import Keyring
import Signatures
import Testing

@testable import Storage

/// The end of a key's life against a model of a few lines, in every situation that can be reached: each act of each person
/// has to be taken or refused by both, and leave both in the same state.
@Suite struct LifeModelTests {
    /// One asks, two count, one is an administrator for less time than any request, one is none.
    enum Person: Int, CaseIterable { case asker, one, two, young, viewer }

    enum Act: CaseIterable {
        case enable, disable, requestDeletion, cancelDeletion, requestRevocation, cancelRevocation, reject
        /// A week goes by, and the caretaker looks.
        case wait

        var isOfTime: Bool { self == .wait }
    }

    /// What the rules say, without a store, a clock, or approvals by id.
    struct Model: Hashable {
        var state = KeyState.disabled
        var asked: Person?
        var approved: Set<Person> = []

        static let needed = 2

        mutating func act(_ act: Act, _ person: Person) -> Bool {
            guard person != .viewer || act.isOfTime else { return false }
            switch act {
            case .enable: return go(from: .disabled, to: .enabled)
            case .disable: return go(from: .enabled, to: .disabled)
            case .requestDeletion:
                return request(
                    person, [.disabled: .pendingDeletion, .revoked: .revokedPendingDeletion], .deleted)
            case .requestRevocation: return request(person, [.disabled: .pendingRevocation], .revoked)
            case .cancelDeletion:
                return cancel(person, [.pendingDeletion: .disabled, .revokedPendingDeletion: .revoked])
            case .cancelRevocation: return cancel(person, [.pendingRevocation: .disabled])
            case .reject:
                guard asked != nil else { return false }
                return end(Self.before)
            case .wait:
                if asked != nil { return end(Self.before) }
                return go(from: .deleted, to: .destroyed)
            }
        }

        private static let before: [KeyState: KeyState] = [
            .pendingDeletion: .disabled, .revokedPendingDeletion: .revoked, .pendingRevocation: .disabled,
        ]

        private mutating func go(from: KeyState, to: KeyState) -> Bool {
            guard state == from else { return false }
            state = to
            return true
        }

        private mutating func end(_ states: [KeyState: KeyState]) -> Bool {
            guard let next = states[state] else { return false }
            (state, asked, approved) = (next, nil, [])
            return true
        }

        private mutating func request(_ person: Person, _ states: [KeyState: KeyState], _ last: KeyState)
            -> Bool
        {
            if let next = states[state] {
                (state, asked) = (next, person)
                return true
            }
            guard states.values.contains(state), person != asked, person != .young,
                approved.insert(person).inserted
            else { return false }
            if approved.count == Self.needed { (state, asked, approved) = (last, nil, []) }
            return true
        }

        private mutating func cancel(_ person: Person, _ states: [KeyState: KeyState]) -> Bool {
            guard states[state] != nil else { return false }
            return person == asked ? end(states) : approved.remove(person) != nil
        }
    }

    private final class Situation {
        let model: Model
        let stores: MemoryStorage.State
        init(_ model: Model, _ stores: MemoryStorage.State) { (self.model, self.stores) = (model, stores) }
    }

    @Test func everyActInEverySituation() async throws {
        let world = try await World()
        var open = [Situation(Model(), world.stores.state.withLock { $0 })]
        var seen: Set<Model> = [Model()]
        var acts = 0
        while let situation = open.popLast() {
            for act in Act.allCases {
                for person in act.isOfTime ? [.asker] : Person.allCases {
                    var model = situation.model
                    let before = situation.stores
                    world.stores.state.withLock { $0 = before }
                    let isTaken = model.act(act, person)
                    let what = "\(act) by \(person) when \(situation.model)"
                    #expect(try await world.act(act, person) == isTaken, "\(what)")
                    let key = try await world.key()
                    #expect(key.record.state == model.state, "\(what)")
                    #expect((key.sealed == nil) == (model.state == .destroyed), "\(what)")
                    try await world.expect(model, what)
                    acts += 1
                    if seen.insert(model).inserted {
                        open.append(Situation(model, world.stores.state.withLock { $0 }))
                    }
                }
            }
        }
        // disabled, enabled, revoked, deleted, destroyed; and for three states that wait, with each of the four who may
        // have asked, those of the two who have approved.
        let waiting = Person.allCases.filter { $0 != .viewer }.map { asker in
            [.asker, .one, .two].filter { $0 != asker }.count
        }.map { others in others + 1 }.reduce(0, +)
        #expect(seen.count == 5 + 3 * waiting)
        #expect(acts > 500)
    }

    private final class Hand: Sendable {
        let time = Lock(Office.start)
    }

    /// The register over a memory, with a key that an authority certified.
    final class World {
        let stores: MemoryStorage
        let keys: KeyRegister
        let approvals: ApprovalRegister
        private let hand: Hand
        private let people: [Person: Caller]
        private let id: KeyID

        init() async throws {
            let hand = Hand()
            self.hand = hand
            let clock: Clock = { hand.time.withLock { $0 } }
            let stores = MemoryStorage(now: clock)
            self.stores = stores
            let ring = ClusterKeyRing(store: stores, wrapping: OpenWrapping())
            let program = Caller(program: "test")
            try await ring.prepare(by: program, at: clock())
            var rules = ApprovalRules()
            rules.needed = Model.needed
            keys = KeyRegister(keys: stores, ring: ring, rules: rules, clock: clock)
            let users = UserRegister(users: stores, ballot: keys.ballot)
            approvals = ApprovalRegister(
                keys: keys, freezes: FreezeRegister(freezes: stores, keys: keys), users: users,
                grants: GrantRegister(grants: stores, keys: stores, ballot: keys.ballot))
            var people: [Person: Caller] = [:]
            for person in Person.allCases {
                let role = person == .viewer ? Role.viewer : .administrator
                // Later than whatever is asked for here.
                if person == .young { hand.time.withLock { $0 = $0 + .seconds(100 * 86_400) } }
                people[person] = Caller(try await users.make("\(person)", role, by: program))
                if person == .young { hand.time.withLock { $0 = Office.start } }
            }
            self.people = people
            let subject = try DistinguishedName([(DistinguishedName.commonName, "Farm")])
            let end = Office.start + .seconds(1000 * 86_400)
            let authority = try await keys.generate(
                KeyOrder(name: KeyName("farm-ca"), algorithm: .p256, expires: end, sort: .authority(subject)),
                by: program)
            _ = try await keys.apply(.enable, to: "farm-ca", by: program)
            id = try await keys.generate(
                KeyOrder(
                    name: KeyName("modules"), algorithm: .p256, expires: end,
                    sort: .signer(subject, parent: authority.record.id.description, .module)), by: program
            ).record.id
        }

        func key() async throws -> StoredKey { try #require(try await stores.key(id)) }

        private func waiting() async throws -> Proposal? {
            var query = ProposalQuery()
            query.state = .open
            return try await stores.proposals(query).first?.proposal
        }

        /// Whether it was taken.
        func act(_ act: Act, _ person: Person) async throws -> Bool {
            let caller = try #require(people[person])
            do {
                switch act {
                case .enable: _ = try await keys.apply(.enable, to: "\(id)", by: caller)
                case .disable: _ = try await keys.apply(.disable, to: "\(id)", by: caller)
                case .requestDeletion: try await keys.request(.deletion, of: "\(id)", by: caller)
                case .requestRevocation:
                    try await keys.request(.revocation, of: "\(id)", because: .superseded, by: caller)
                case .cancelDeletion: try await keys.cancel(.deletion, of: "\(id)", by: caller)
                case .cancelRevocation: try await keys.cancel(.revocation, of: "\(id)", by: caller)
                case .reject:
                    guard let proposal = try await waiting() else { return false }
                    _ = try await approvals.reject(proposal.id, by: caller)
                case .wait:
                    hand.time.withLock { $0 = Office.start + .seconds(8 * 86_400) }
                    defer { hand.time.withLock { $0 = Office.start } }
                    let report = await Caretaker(keys).round()
                    #expect(report.troubles.isEmpty)
                    return report.lapsed + report.destroyed > 0
                }
                return true
            } catch let error as any CodedError {
                let expected: Set<ErrorCode> = [
                    .keyStateForbids, .approvalRefused, .roleMissing, .approvalOver,
                ]
                #expect(expected.contains(error.code), "\(error)")
                return false
            }
        }

        /// Those whose approvals are written down, and nobody else; and a list that has the key when it is revoked.
        func expect(_ model: Model, _ what: String) async throws {
            let proposal = try await waiting()
            #expect(proposal?.requester.name == model.asked.map { "\($0)" }, "\(what)")
            #expect(
                Set(proposal?.approvals.map(\.name) ?? []) == Set(model.approved.map { "\($0)" }), "\(what)")
            guard model.state == .revoked else { return }
            let authority = try #require(try await stores.key(named: KeyName("farm-ca")))
            let list = try #require(try await stores.newestList(of: authority.record.id))
            let entries = try CertificateRevocationList(der: list.der.span).entries
            #expect(entries.map(\.reason) == [.superseded], "\(what)")
        }
    }
}
