// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Foundation
import Testing

@Suite struct LockTests {
    private final class Shared: Sendable {
        let numbers = Lock<[Int]>([])
    }

    @Test func manyThreadsChangeOneValue() {
        let shared = Shared()
        DispatchQueue.concurrentPerform(iterations: 8) { _ in
            for number in 0..<500 { shared.numbers.withLock { $0.append(number) } }
        }
        #expect(shared.numbers.withLock { $0.count } == 4000)
    }

    @Test func aWaiterSeesTheChange() {
        let shared = Shared()
        Thread.detachNewThread {
            shared.numbers.withLock { $0.append(7) }
            shared.numbers.wakeAll()
        }
        #expect(shared.numbers.withLock(when: { !$0.isEmpty }, within: .seconds(60)) { $0[0] } == 7)
    }

    @Test(arguments: [Duration.zero, .milliseconds(3), .seconds(-5)])
    func aWaiterGivesUp(_ timeout: Duration) {
        let shared = Shared()
        #expect(shared.numbers.withLock(when: { !$0.isEmpty }, within: timeout) { $0.count } == nil)
    }

    @Test func aThrowReleasesTheLock() {
        struct Refusal: Error {}
        let shared = Shared()
        #expect(throws: Refusal.self) { try shared.numbers.withLock { _ throws(Refusal) in throw Refusal() } }
        #expect(shared.numbers.withLock { $0.isEmpty })
    }

    @Test func whatItHoldsGoesWithIt() {
        final class Flag: Sendable {
            let ended: Lock<Bool>
            init() { ended = Lock(false) }
        }
        struct Held: ~Copyable {
            let flag: Flag
            deinit { flag.ended.withLock { $0 = true } }
        }
        let flag = Flag()
        do { _ = Lock(Held(flag: flag)) }
        #expect(flag.ended.withLock { $0 })
    }
}
