// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Keyring
import Secrets
import TestSupport
import Testing

@testable import KMS

@Suite struct BreakerTests {
    /// Each call at its second: whether it may go through, and then how it ends.
    @Test func itOpensTriesAndCloses() {
        var breaker = Breaker(limit: 2, pause: .seconds(10))
        let story: [(second: Int, isAdmitted: Bool, isThere: Bool?)] = [
            (0, true, false), (0, true, true),
            // Two in a row.
            (0, true, false), (0, true, false), (0, false, nil), (5, false, nil), (9, false, nil),
            // One tries, the others wait for how it ends.
            (10, true, nil), (10, false, false), (19, false, nil), (20, true, true), (20, true, true),
            (20, true, true),
        ]
        for (place, (second, isAdmitted, isThere)) in story.enumerated() {
            let found = breaker.admits(at: .seconds(second))
            #expect(found == isAdmitted, "call \(place)")
            if let isThere { breaker.note(isThere: isThere, at: .seconds(second)) }
        }
    }
}

@Suite struct SteadyWrappingTests {
    /// Answers by a script, then goes on with its last line.
    private final class Scripted: KeyWrapping {
        enum Line { case works, away, refuses, hangs }

        let provider = "scripted"
        private let lines: Lock<[Line]>
        let calls = Lock(0)

        init(_ lines: [Line]) { self.lines = Lock(lines) }

        func wrap(_ key: borrowing SecretBytes, associatedData: [UInt8]) async throws -> WrappedSecret {
            try await play()
            return WrappedSecret(key: "k", version: "1", ciphertext: [UInt8](repeating: 1, count: key.count))
        }

        func unwrap(_ wrapped: WrappedSecret, associatedData: [UInt8]) async throws -> SecretBytes {
            try await play()
            return try SecretBytes(copying: wrapped.ciphertext.span)
        }

        func checkHealth() async throws { try await play() }

        private func play() async throws {
            calls.withLock { $0 += 1 }
            let line = lines.withLock { $0.count > 1 ? $0.removeFirst() : $0[0] }
            switch line {
            case .works: return
            case .away: throw KMSError(.kmsUnavailable, "away")
            case .refuses: throw KMSError(.kmsRefused, "no")
            case .hangs: try await Task.sleep(for: .seconds(3600))
            }
        }
    }

    /// Pauses pass at once; deadlines come when the test says so.
    private final class Hand: Sendable {
        let time = Lock(Duration.zero)
        func limits() -> SteadyWrapping.Limits {
            var limits = SteadyWrapping.Limits()
            (limits.deadline, limits.tries, limits.failures) = (.seconds(10), 3, 4)
            (limits.pause, limits.rest) = (.milliseconds(10), .seconds(2))
            return limits
        }

        func steady(_ provider: Scripted) -> SteadyWrapping {
            SteadyWrapping(
                provider, limits(), now: { [self] in time.withLock { $0 } },
                sleep: { pause in
                    // A deadline: for as long as the test needs.
                    if pause > .seconds(1) { try await Task.sleep(for: .seconds(3600)) }
                })
        }
    }

    private static let wrapped = WrappedSecret(key: "k", version: "1", ciphertext: [1, 2])

    @Test func itTriesAgainWhileTheServiceIsAway() async throws {
        let provider = Scripted([.away, .away, .works])
        let steady = Hand().steady(provider)
        let opened = try await steady.unwrap(Self.wrapped, associatedData: [])
        #expect(opened.count == 2 && provider.calls.withLock { $0 } == 3)
        #expect(steady.provider == "scripted")
    }

    @Test func whatIsRefusedIsNotTriedAgain() async throws {
        let provider = Scripted([.refuses])
        let steady = Hand().steady(provider)
        for number in 1...10 {
            let error = await #expect(throws: KMSError.self) { try await steady.checkHealth() }
            #expect(error?.code == .kmsRefused && provider.calls.withLock { $0 } == number)
        }
    }

    @Test func aServiceThatIsAwayIsLeftAlone() async throws {
        let hand = Hand()
        let provider = Scripted([.away])
        let steady = hand.steady(provider)
        for _ in 0..<5 {
            let error = await #expect(throws: KMSError.self) {
                let secret = try SecretBytes(randomCount: 32)
                _ = try await steady.wrap(secret, associatedData: [])
            }
            #expect(error?.code == .kmsUnavailable)
        }
        #expect(provider.calls.withLock { $0 } == 4)
        hand.time.withLock { $0 = .seconds(2) }
        await #expect(throws: KMSError.self) { try await steady.checkHealth() }
        #expect(provider.calls.withLock { $0 } == 5)
    }

    @Test func aServiceThatComesBackIsUsed() async throws {
        let hand = Hand()
        let provider = Scripted([.away, .away, .away, .away, .works])
        let steady = hand.steady(provider)
        for _ in 0..<2 { await #expect(throws: KMSError.self) { try await steady.checkHealth() } }
        hand.time.withLock { $0 = .seconds(3) }
        for _ in 0..<3 { try await steady.checkHealth() }
        #expect(provider.calls.withLock { $0 } == 7)
    }

    @Test func whoHangsIsLetGoOf() async throws {
        var limits = SteadyWrapping.Limits()
        (limits.deadline, limits.tries) = (.milliseconds(50), 1)
        let provider = Scripted([.hangs])
        let steady = SteadyWrapping(provider, limits)
        let error = await #expect(throws: KMSError.self) { try await steady.checkHealth() }
        #expect(error?.code == .kmsUnavailable)
    }

    @Test func aCallerMayGoAway() async throws {
        let provider = Scripted([.hangs])
        let steady = Hand().steady(provider)
        let task = Task { try await steady.checkHealth() }
        await eventually { provider.calls.withLock { $0 } == 1 }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }
}
