// SPDX-License-Identifier: Apache-2.0

import Cryptography
import Diagnostics
import Keyring
import Signatures
import TestSupport
import Testing
import Transport

@testable import DataService

/// Keys come when they are used and go when they must.
@Suite struct KeyCacheTests {
    /// A cache on a farm, with a clock to set.
    final class Holding: Sendable {
        final class Box<Value: Sendable>: Sendable {
            private let stored: Lock<Value>
            init(_ value: Value) { stored = Lock(value) }
            var value: Value { stored.withLock { $0 } }
            func change(_ body: (inout Value) -> Void) { stored.withLock { body(&$0) } }
        }

        let farm: Farm
        let cache: KeyCache
        let time = Box<UInt64>(1_000_000_000)
        let opened = Box(0)

        init(_ limits: ServiceLimits = ServiceLimits()) async throws {
            let farm = try await Farm()
            self.farm = farm
            let clusterKeys = ClusterKeys(farm, farm.kms, ServiceMetrics(Metrics()), try Stand.silentLog())
            cache = KeyCache(
                limits, clock: LoopClock { [time] in time.value }, ServiceMetrics(Metrics())
            ) { [opened] row in
                opened.change { $0 += 1 }
                return try ReadyKey(try await clusterKeys.open(row), row.record, at: .now())
            }
        }

        func add(_ name: String) throws -> StoredKey {
            let record = try Stand.addOpenPGP(name, .p256, to: farm)
            guard let row = farm.row(record.id) else { throw Away(message: "no row") }
            return row
        }

        func pass(_ seconds: UInt64) { time.change { $0 += seconds * 1_000_000_000 } }
        var count: Int { opened.value }
    }

    @Test func aKeyIsUnsealedOnce() async throws {
        let holding = try await Holding()
        let row = try holding.add("release")
        try await withThrowingTaskGroup(of: ObjectIdentifier.self) { group in
            for _ in 0..<20 {
                group.addTask { ObjectIdentifier(try await holding.cache.key(for: row)) }
            }
            var keys: Set<ObjectIdentifier> = []
            for try await key in group { keys.insert(key) }
            #expect(keys.count == 1)
        }
        #expect(holding.count == 1)
        #expect(holding.cache.ids == [row.record.id])
    }

    @Test func theBudgetHolds() async throws {
        var limits = ServiceLimits()
        let holding = try await Holding()
        let rows = try (0..<4).map { try holding.add("release-\($0)") }
        _ = try await holding.cache.key(for: rows[0])
        limits.keyBytes = 3 * holding.cache.bytes + 8
        let small = try await Holding(limits)
        let keys = try (0..<4).map { try small.add("release-\($0)") }
        for key in keys.prefix(3) {
            _ = try await small.cache.key(for: key)
            small.pass(1)
        }
        _ = try await small.cache.key(for: keys[0])
        small.pass(1)
        _ = try await small.cache.key(for: keys[3])
        #expect(Set(small.cache.ids) == Set([keys[0], keys[2], keys[3]].map(\.record.id)))
        #expect(small.cache.bytes <= limits.keyBytes)
    }

    @Test func unusedKeysGo() async throws {
        var limits = ServiceLimits()
        limits.keyIdle = .seconds(60)
        let holding = try await Holding(limits)
        let rows = try (0..<2).map { try holding.add("release-\($0)") }
        for row in rows { _ = try await holding.cache.key(for: row) }
        holding.pass(40)
        _ = try await holding.cache.key(for: rows[1])
        holding.pass(30)
        holding.cache.sweep()
        #expect(holding.cache.ids == [rows[1].record.id])
        holding.cache.close()
        #expect(holding.cache.ids.isEmpty && holding.cache.bytes == 0)
        await #expect(throws: DataServiceError.self) { try await holding.cache.key(for: rows[0]) }
    }

    /// What becomes of a key's row, and whether the key stays.
    static let changes: [(String, @Sendable (inout KeyRecord) -> Void, Bool)] = [
        ("nothing", { _ in }, true),
        ("another description", { $0.summary = "for releases" }, true),
        ("disabled", { $0.state = .disabled }, false),
        ("expired", { $0.expires = Moment(seconds: 1) }, false),
        ("another certificate", { $0.certificate = [1, 2] }, false),
    ]

    @Test(arguments: changes) func goesWithItsRow(
        _ name: String, _ change: @escaping @Sendable (inout KeyRecord) -> Void, _ stays: Bool
    ) async throws {
        let holding = try await Holding()
        let row = try holding.add("release")
        weak let key = try await holding.cache.key(for: row)
        try holding.farm.change(row.record.id, change)
        holding.cache.keep([holding.farm.row(row.record.id)].compactMap { $0 }, at: .now())
        #expect(holding.cache.ids.isEmpty != stays)
        if !stays { await eventually("it is let go of") { key == nil } }
        holding.cache.keep([], at: .now())
        #expect(holding.cache.ids.isEmpty)
    }

    @Test func aFailureIsNotKept() async throws {
        let holding = try await Holding()
        let row = try holding.add("release")
        holding.farm.kms.set(away: true)
        await #expect(throws: Away.self) { try await holding.cache.key(for: row) }
        holding.farm.kms.set(away: false)
        _ = try await holding.cache.key(for: row)
        #expect(holding.count == 2)
    }
}
