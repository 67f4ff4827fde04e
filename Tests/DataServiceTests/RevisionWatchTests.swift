// SPDX-License-Identifier: Apache-2.0

import Cryptography
import Diagnostics
import Keyring
import Signatures
import TestSupport
import Testing
import Transport

@testable import DataService

/// Snapshots follow the database, and are not given out when it is away or its clock is another.
@Suite struct RevisionWatchTests {
    struct Watching: Sendable {
        let farm: Farm
        let watch: RevisionWatch
        let keys: ClusterKeys
        let metrics = Metrics()
        let time = TestTime()

        init() async throws {
            farm = try await Farm()
            let log = try Stand.silentLog()
            keys = ClusterKeys(farm, farm.kms, ServiceMetrics(metrics), log)
            watch = RevisionWatch(
                farm, keys, ServiceLimits(),
                clock: LoopClock { [time] in time.nanoseconds }, wallClock: Moment.now, log
            ) { _ in }
        }

        /// Asks now, and expects an answer at once.
        func revision() async throws -> Revision { try await watch.snapshot(until: 0).revision }
    }

    final class TestTime: Sendable {
        private let value = Lock<UInt64>(1_000_000_000)
        var nanoseconds: UInt64 { value.withLock { $0 } }
        func pass(_ milliseconds: UInt64) { value.withLock { $0 += milliseconds * 1_000_000 } }
    }

    @Test func followsTheRevision() async throws {
        let watching = try await Watching()
        await #expect(throws: DataServiceError.self) { try await watching.revision() }
        await watching.watch.ask()
        #expect(try await watching.revision() == Revision(1))
        try watching.farm.add("release", PrivateKey.generate(.ed25519))
        #expect(try await watching.revision() == Revision(1))
        await watching.watch.ask()
        #expect(try await watching.revision() == Revision(2))
    }

    @Test func anOldAnswerDoesNotCount() async throws {
        let watching = try await Watching()
        await watching.watch.ask()
        watching.time.pass(2000)
        _ = try await watching.revision()
        watching.farm.set { $0.isAway = true }
        watching.time.pass(1000)
        await watching.watch.ask()
        do {
            _ = try await watching.revision()
            Issue.record("a snapshot of an absent database")
        } catch {
            #expect((error as? DataServiceError)?.code == .keysAway)
            #expect((error as? DataServiceError)?.retryAfter != nil)
        }
        #expect(watching.watch.trouble?.code == .keysAway)
        watching.farm.set { $0.isAway = false }
        await watching.watch.ask()
        _ = try await watching.revision()
        #expect(watching.watch.trouble == nil)
    }

    @Test(arguments: [Duration.seconds(8), .seconds(-8)]) func aWrongClockSignsNothing(_ ahead: Duration)
        async throws
    {
        let watching = try await Watching()
        watching.farm.set { $0.clockAhead = ahead }
        await watching.watch.ask()
        do {
            _ = try await watching.revision()
            Issue.record("a snapshot under a wrong clock")
        } catch {
            #expect((error as? DataServiceError)?.code == .clockOff)
        }
        watching.farm.set { $0.clockAhead = .seconds(3) }
        await watching.watch.ask()
        _ = try await watching.revision()
    }

    @Test func waitsForANewerRevision() async throws {
        let watching = try await Watching()
        await watching.watch.ask()
        async let newer = watching.watch.snapshot(atLeast: Revision(2), until: .max)
        watching.farm.deny(.certificate([1]))
        await watching.watch.ask()
        #expect(try await newer.revision == Revision(2))
        #expect(try await newer.access.denied == [.certificate([1])])
    }

    /// One row that somebody wrote past the control plane gives nothing, and keeps no other from counting.
    @Test func aForgedGrantGivesNothing() async throws {
        let watching = try await Watching()
        let key = try watching.farm.add("release", PrivateKey.generate(.ed25519))
        let authority = [UInt8](repeating: 7, count: 32)
        let honest = try watching.farm.grant([key], kinds: [.rpm], to: "spiffe://a/*", of: authority)
        let forged = try Grant(
            id: .random(), clients: IdentityPattern(authority: authority, sort: .uri, value: "spiffe://evil"),
            keys: [key.id], kinds: [.rpm], created: .now())
        let bytes = [UInt8](repeating: 1, count: 32)
        for cluster in [watching.farm.cluster.id, try ClusterKeyID.random()] {
            let code = try RowCode(clusterKey: cluster, bytes: bytes)
            watching.farm.forge(StoredGrant(grant: forged, code: code))
        }
        await watching.watch.ask()
        #expect(try await watching.watch.snapshot(until: 0).access.grants == [honest])
    }

    /// What cannot be read denies, and keeps no other row from counting.
    @Test func damagedRowsAreLeftOut() async throws {
        let watching = try await Watching()
        let key = try watching.farm.add("release", PrivateKey.generate(.ed25519))
        let other = try watching.farm.add("other", PrivateKey.generate(.ed25519))
        let authority = [UInt8](repeating: 7, count: 32)
        let honest = try watching.farm.grant([key], kinds: [.rpm], to: "spiffe://a/*", of: authority)
        watching.farm.set {
            $0.unreadableGrants = [Damaged(message: "a grant"), Damaged(message: "another")]
            $0.unreadableKeys = [other.id]
        }
        await watching.watch.ask()
        #expect(try await watching.watch.snapshot(until: 0).access.grants == [honest])
        #expect(try await watching.keys.keys([key.id, other.id]).map(\.record.id) == [key.id])
        let text = String(decoding: watching.metrics.text, as: UTF8.self)
        #expect(text.contains("signet_rows_left_out_total{table=\"grant\"} 2"), "\(text)")
        #expect(text.contains("signet_rows_left_out_total{table=\"key\"} 1"), "\(text)")
    }
}
