// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import GRPC

@Suite struct RoundRobinTests {
    static func ready(_ ids: [Int], window: Int = 100, start: Int = 0) -> RoundRobin {
        var policy = RoundRobin()
        policy.update(ids, window: window, start: start)
        for id in ids { policy.setReady(id, true) }
        return policy
    }

    private func picks(_ count: Int, _ policy: inout RoundRobin) -> [Int?] {
        (0..<count).map { _ in policy.pick() }
    }

    @Test func takesTurns() {
        var policy = Self.ready([1, 2, 3], start: 1)
        do {
            let turn = picks(7, &policy)
            #expect(turn == [2, 3, 1, 2, 3, 1, 2])
        }
    }

    @Test func skipsWhatIsNotReadyOrFull() {
        var policy = Self.ready([1, 2, 3], window: 2)
        policy.setReady(2, false)
        do {
            let turn = picks(5, &policy)
            #expect(turn == [1, 3, 1, 3, nil])
        }
        policy.finished(3)
        do {
            let turn = picks(1, &policy)
            #expect(turn == [3])
        }
        policy.setReady(2, true)
        do {
            let turn = picks(1, &policy)
            #expect(turn == [2])
        }
    }

    @Test func nothingIsReadyAtFirst() {
        var policy = RoundRobin()
        do {
            let turn = picks(1, &policy)
            #expect(turn == [nil])
        }
        policy.update([1], window: 1, start: 0)
        do {
            let turn = picks(1, &policy)
            #expect(turn == [nil])
        }
    }

    @Test func keepsItsTurnWhenServersComeAndGo() {
        var policy = Self.ready([1, 2, 3])
        do {
            let turn = picks(1, &policy)
            #expect(turn == [1])
        }
        policy.update([2, 3, 4], window: 100, start: 0)
        policy.setReady(4, true)
        do {
            let turn = picks(4, &policy)
            #expect(turn == [2, 3, 4, 2])
        }
        policy.update([4], window: 100, start: 0)
        do {
            let turn = picks(1, &policy)
            #expect(turn == [4])
        }
    }

    @Test(arguments: [0.0, 0.5, 0.999]) func waitsLongerAfterEachFailureUpToALimit(_ chance: Double) {
        let backoff = Backoff()
        let delays = (1...20).map { backoff.delay(after: $0, chance: chance) }
        #expect(zip(delays, delays.dropFirst()).allSatisfy { $0 <= $1 })
        #expect(delays.allSatisfy { $0 <= backoff.most && $0 > .zero })
        #expect(delays.last ?? .zero >= backoff.most * 0.6)
        // Two that lost the same server at once do not come back at once.
        #expect(
            (1...20).allSatisfy { backoff.delay(after: $0, chance: (chance + 0.3) / 2) != delays[$0 - 1] })
    }
}
