// SPDX-License-Identifier: Apache-2.0

import ControlService
import Cryptography
import Diagnostics
import Keyring
import Signatures
import TestSupport
import Testing

@testable import Storage

@Suite struct RotationTests {
    /// The registers of one control-server over a memory that several share.
    private struct Server: Sendable {
        let ring: ClusterKeyRing
        let keys: KeyRegister
        let grants: GrantRegister
        let rotation: Rotation

        init(_ stores: MemoryStorage, _ clock: @escaping Clock, _ rules: RotationRules = RotationRules()) {
            ring = ClusterKeyRing(store: stores, wrapping: OpenWrapping())
            keys = KeyRegister(keys: stores, ring: ring, clock: clock)
            grants = GrantRegister(
                grants: stores, keys: stores, ballot: Ballot(stores: stores, ring: ring, clock: clock))
            rotation = Rotation(stores: stores, ring: ring, rules: rules, clock: clock)
        }
    }

    private final class Hand: Sendable {
        let time = Lock(Office.start)
        let isOver = Lock(false)
        var clock: Clock { { [self] in time.withLock { $0 } } }
        func pass(_ duration: Duration) { time.withLock { $0 = $0 + duration } }
    }

    private let hand = Hand()
    private let stores: MemoryStorage
    private let server: Server
    private static let program = Caller(program: "test")

    init() async throws {
        let hand = hand
        stores = MemoryStorage(now: hand.clock)
        server = Server(stores, hand.clock)
        try await server.ring.prepare(by: Self.program, at: hand.clock())
        let subject = try DistinguishedName([(DistinguishedName.commonName, "Farm")])
        let end = Office.start + .seconds(4000 * 86_400)
        _ = try await server.keys.generate(
            KeyOrder(name: KeyName("farm-ca"), algorithm: .p256, expires: end, sort: .authority(subject)),
            by: Self.program)
        _ = try await server.keys.apply(.enable, to: "farm-ca", by: Self.program)
        for number in 1...3 {
            let name = "modules-\(number)"
            _ = try await server.keys.generate(
                KeyOrder(
                    name: KeyName(name), algorithm: .p256, expires: end,
                    sort: .signer(subject, parent: "farm-ca", .module)), by: Self.program)
            _ = try await server.keys.apply(.enable, to: name, by: Self.program)
        }
        _ = try await server.grants.add(
            IdentityPattern(authority: Office.authority, sort: .uri, value: "signet://client/*"),
            keys: ["modules-*"], kinds: [.module], by: Self.program)
        _ = try await server.keys.apply(.disable, to: "modules-3", by: Self.program)
        try await server.keys.request(.revocation, of: "modules-3", by: Self.program)
    }

    private func newest(_ plane: Plane) async throws -> ClusterKeyID {
        try #require(try await stores.clusterKeys(of: plane).first?.id)
    }

    @Test func nothingIsDoneBeforeItIsDue() async throws {
        let before = (try await newest(.data), try await newest(.control))
        hand.pass(.seconds(89 * 86_400))
        #expect(try await server.rotation.round(by: Self.program) == Rotation.Report())
        let after = (try await newest(.data), try await newest(.control))
        #expect(after == before)
    }

    @Test func whatIsDueIsReplacedAndTheOldOneGoes() async throws {
        let old = try await newest(.data)
        hand.pass(.seconds(90 * 86_400))
        let report = try await server.rotation.round(by: Self.program)
        // Four keys, a grant and a request; the old ones stay for a while.
        #expect(report.rotated == 2 && report.resealed == 6 && report.retired == 0 && report.broken == 0)
        let new = try await newest(.data)
        #expect(old != new)
        #expect(try await stores.uses(of: old) == 0)
        #expect(try await stores.uses(of: new) == 4)
        for key in try await stores.keys(KeyQuery.all).keys {
            #expect(key.sealed?.clusterKey == key.code.clusterKey)
            let newest = try await newest(key.record.purpose.plane)
            #expect(key.code.clusterKey == newest)
        }
        // Another server, which knew the old one alone.
        let other = Server(stores, hand.clock)
        #expect(try await other.keys.list(KeyQuery(), for: Self.program).total == 4)
        _ = try await other.keys.apply(.disable, to: "modules-1", by: Self.program)
        hand.pass(.seconds(3600))
        #expect(try await server.rotation.round(by: Self.program).retired == 2)
        #expect(try await stores.clusterKey(old) == nil)
        #expect(try await other.keys.list(KeyQuery(), for: Self.program).total == 4)
    }

    /// The caretaker replaces a key that many rows are under, and one that is old.
    @Test func theCaretakerReplacesByUsesAndByAge() async throws {
        var rules = RotationRules()
        rules.uses = 4
        let busy = Server(stores, hand.clock, rules)
        let caretaker = Caretaker(busy.keys, rotation: busy.rotation)
        let old = (try await newest(.data), try await newest(.control))
        #expect(try await (stores.uses(of: old.0), stores.uses(of: old.1)) == (4, 2))
        #expect(await caretaker.round().rotation.rotated == 0)
        hand.pass(.seconds(86_400))
        let report = await caretaker.round().rotation
        #expect(report.rotated == 1 && report.resealed == 4 && report.broken == 0)
        let next = try await newest(.data)
        #expect(next != old.0)
        #expect(try await stores.uses(of: next) == 4)
        #expect(try await newest(.control) == old.1)
        // Everything is under the new one now: that alone is no reason for another one.
        #expect(await caretaker.round().rotation.rotated == 0)
        hand.pass(.seconds(86_400))
        #expect(await caretaker.round().rotation.rotated == 1)
        hand.pass(.seconds(88 * 86_400))
        #expect(await caretaker.round().rotation.rotated == 2)
    }

    /// A key service that goes away in the middle of it, or an administrator who stops it: it goes on later.
    @Test func itStopsAndGoesOn() async throws {
        hand.pass(.seconds(90 * 86_400))
        var reports: [Rotation.Report] = []
        for _ in 0..<10 { reports.append(try await server.rotation.round(by: Self.program, most: 1)) }
        #expect(reports[0].rotated == 2 && reports.map(\.resealed).reduce(0, +) == 6)
        #expect(reports.last == Rotation.Report())
    }

    @Test func aBrokenRowIsLeftAndTold() async throws {
        stores.state.withLock { state in
            for (id, key) in state.keys where key.record.name.text == "modules-2" {
                var record = key.record
                record.summary = "edited"
                state.keys[id] = StoredKey(
                    record: record, sealed: key.sealed, code: key.code, edition: key.edition)
            }
        }
        let old = try await newest(.data)
        hand.pass(.seconds(90 * 86_400))
        let report = try await server.rotation.round(by: Self.program)
        #expect(report.resealed == 5 && report.broken == 1)
        hand.pass(.seconds(7200))
        #expect(try await server.rotation.round(by: Self.program).retired == 1)
        #expect(try await stores.clusterKey(old) != nil)
    }

    /// Two servers rotate again and again while others read, open and use the keys: every row opens at any moment.
    @Test func manyRotationsUnderLoad() async throws {
        var rules = RotationRules()
        (rules.age, rules.overlap) = (.seconds(60), .seconds(300))
        let servers = [Server(stores, hand.clock, rules), Server(stores, hand.clock, rules)]
        let rounds = Trials.count(20, full: 100)
        let stores = stores
        let id = try #require(try await stores.key(named: KeyName("modules-1"))?.record.id)
        let opened = try await withThrowingTaskGroup(of: Int.self) { group in
            for server in servers {
                group.addTask { [hand] in
                    for _ in 0..<rounds {
                        hand.pass(.seconds(31))
                        for plane in Plane.allCases {
                            _ = try await server.rotation.rotate(plane, by: Self.program)
                        }
                        let report = try await server.rotation.round(by: Self.program)
                        #expect(report.broken == 0)
                    }
                    return 0
                }
            }
            group.addTask { [hand] in
                // As a data-server does it, which has just started.
                var count = 0
                while !hand.isOver.withLock({ $0 }) || count < 10 {
                    let row = try #require(try await stores.signingKey(id))
                    let wrapped = try #require(try await stores.dataClusterKey(row.code.clusterKey))
                    _ = try SigningKey(try await wrapped.unwrapped(by: OpenWrapping()).unseal(row))
                    for grant in try await stores.access().grants {
                        let wrapped = try #require(try await stores.dataClusterKey(grant.code.clusterKey))
                        try await wrapped.unwrapped(by: OpenWrapping()).checkRow(grant)
                    }
                    count += 1
                    await Task.yield()
                }
                return count
            }
            for _ in servers { _ = try await group.next() }
            hand.isOver.withLock { $0 = true }
            return try await group.reduce(0, +)
        }
        #expect(opened >= 10)
        hand.pass(.seconds(600))
        _ = try await servers[0].rotation.round(by: Self.program)
        for plane in Plane.allCases { #expect(try await stores.clusterKeys(of: plane).count <= 2) }
        #expect(try await server.keys.list(KeyQuery(), for: Self.program).total == 4)
    }
}
