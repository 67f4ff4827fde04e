// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import MariaDB

/// The machine alone: time is a number, nothing waits.
@Suite struct PoolStateTests {
    private let start = ContinuousClock.now

    private func at(_ seconds: Double) -> ContinuousClock.Instant { start + .seconds(seconds) }

    private func machine(size: Int = 2, _ change: (inout PoolLimits) -> Void = { _ in }) -> PoolState {
        var limits = PoolLimits()
        limits.size = size
        limits.waiters = 3
        change(&limits)
        return PoolState(limits)
    }

    /// Brings `slot` to a connection that was opened at `time`.
    private func open(_ state: inout PoolState, _ slot: Int, at time: Double) {
        state.begin(.connect, on: slot)
        state.connected(slot, now: at(time))
    }

    @Test func aJobWaitsForAConnectionAndRunsOnIt() {
        var state = machine()
        #expect(state.order(for: 0, now: at(0)) == nil)
        #expect(state.submit(1, deadline: nil, now: at(0)) == nil)
        #expect(state.order(for: 0, now: at(0)) == .connect)
        state.begin(.connect, on: 0)
        // One slot on its way is enough for one job.
        #expect(state.order(for: 1, now: at(0)) == nil)
        state.connected(0, now: at(0.1))
        #expect(state.order(for: 0, now: at(0.1)) == .run(1))
        state.begin(.run(1), on: 0)
        #expect(state.busy == 1)
        #expect(state.waiting == 0)
        state.finished(0, isGood: true, now: at(0.2))
        #expect(state.order(for: 0, now: at(0.2)) == nil)
        #expect(state.connections == 1)
    }

    @Test func theLineIsServedInOrder() {
        var state = machine(size: 1)
        open(&state, 0, at: 0)
        for job in 1...3 { #expect(state.submit(UInt64(job), deadline: nil, now: at(0)) == nil) }
        for job in 1...3 {
            #expect(state.order(for: 0, now: at(0)) == .run(UInt64(job)))
            state.begin(.run(UInt64(job)), on: 0)
            #expect(state.order(for: 0, now: at(0)) == nil)
            state.finished(0, isGood: true, now: at(0))
        }
    }

    @Test func aFullLineRefuses() {
        var state = machine(size: 1)
        for job in 1...3 { #expect(state.submit(UInt64(job), deadline: nil, now: at(0)) == nil) }
        #expect(state.submit(4, deadline: nil, now: at(0)) == .lineIsFull)
        #expect([state.cancel(2), state.cancel(2)] == [true, false])
        #expect(state.submit(5, deadline: nil, now: at(0)) == nil)
    }

    @Test func aWaitEndsAtTheLimitOrAtTheCallersDeadline() {
        var state = machine(size: 1)
        open(&state, 0, at: 0)
        _ = state.submit(1, deadline: nil, now: at(0))
        state.begin(.run(1), on: 0)
        _ = state.submit(2, deadline: nil, now: at(0))
        _ = state.submit(3, deadline: at(10), now: at(0))
        #expect(state.nextExpiry == at(2))
        #expect(state.expire(now: at(1.9)) == [])
        #expect(state.expire(now: at(2)) == [.init(job: 2, refusal: .waitedTooLong)])
        #expect(state.nextExpiry == at(10))
        #expect(state.expire(now: at(10)) == [.init(job: 3, refusal: .waitedTooLong)])
        #expect(state.nextExpiry == nil)
    }

    @Test func aJobThatOverrunsIsToldOnce() {
        var state = machine(size: 1)
        open(&state, 0, at: 0)
        _ = state.submit(1, deadline: at(1), now: at(0))
        state.begin(.run(1), on: 0)
        #expect(state.nextExpiry == at(1) + PoolState.grace)
        #expect(state.expire(now: at(1.2)) == [])
        #expect(state.expire(now: at(1.3)) == [.init(job: 1, refusal: .overran)])
        #expect(state.expire(now: at(9)) == [])
        #expect(state.busy == 1, "the thread is still in there")
        state.finished(0, isGood: false, now: at(9))
        #expect(state.connections == 0)
    }

    @Test func whileNoServerAnswersOneSlotTriesAfterGrowingPauses() {
        var state = machine {
            $0.reconnect = RetryPolicy(attempts: 0, first: .seconds(1), longest: .seconds(4))
        }
        for job in 1...3 { _ = state.submit(UInt64(job), deadline: at(100), now: at(0)) }
        state.begin(.connect, on: 0)
        state.begin(.connect, on: 1)
        #expect(state.connectFailed(0, mayPass: true, now: at(0), random: .max) == [])
        #expect(state.connectFailed(1, mayPass: true, now: at(0), random: .max) == [])
        var time = 0.0
        for pause in [2.0, 4, 4] {
            #expect(state.order(for: 0, now: at(time + pause - 0.01)) == nil)
            #expect(state.wakeTime(for: 0).map { $0 <= at(time + pause) } == true)
            time += pause
            #expect(state.order(for: 0, now: at(time)) == .connect)
            state.begin(.connect, on: 0)
            #expect(state.order(for: 1, now: at(time)) == nil, "one at a time")
            _ = state.connectFailed(0, mayPass: true, now: at(time), random: .max)
        }
        state.begin(.connect, on: 0)
        state.connected(0, now: at(time))
        #expect(state.failures == 0)
        #expect(state.order(for: 1, now: at(time)) == .connect, "now all may go")
        #expect(state.waiting == 3, "nobody was lost")
    }

    @Test func awayAndBusyAreToldApart() {
        var state = machine(size: 1)
        _ = state.submit(1, deadline: nil, now: at(0))
        state.begin(.connect, on: 0)
        _ = state.connectFailed(0, mayPass: true, now: at(1), random: 0)
        #expect(state.expire(now: at(2)) == [.init(job: 1, refusal: .databaseAway)])
    }

    @Test func whatWillNotPassFailsAllInLine() {
        var state = machine()
        _ = state.submit(1, deadline: nil, now: at(0))
        _ = state.submit(2, deadline: nil, now: at(0))
        state.begin(.connect, on: 0)
        #expect(state.connectFailed(0, mayPass: false, now: at(0), random: 0) == [1, 2])
        #expect(state.waiting == 0)
        #expect(state.wakeTime(for: 0) == nil, "nobody waits, so nobody tries")
    }

    @Test func aLongUnusedConnectionIsCheckedFirst() {
        var state = machine(size: 1)
        open(&state, 0, at: 0)
        _ = state.submit(1, deadline: nil, now: at(29))
        #expect(state.order(for: 0, now: at(29)) == .run(1))
        #expect(state.order(for: 0, now: at(30)) == .check)
        state.begin(.check, on: 0)
        state.checked(0, isGood: true, now: at(30))
        #expect(state.order(for: 0, now: at(30)) == .run(1))
    }

    @Test func aConnectionThatFailsItsCheckIsOpenedAnew() {
        var state = machine(size: 1)
        open(&state, 0, at: 0)
        _ = state.submit(1, deadline: nil, now: at(40))
        state.begin(.check, on: 0)
        state.checked(0, isGood: false, now: at(40))
        #expect(state.order(for: 0, now: at(40)) == .connect)
    }

    @Test func aBrokenConnectionMakesItsNeighboursSuspect() {
        var state = machine()
        open(&state, 0, at: 0)
        open(&state, 1, at: 0)
        _ = state.submit(1, deadline: nil, now: at(1))
        state.begin(.run(1), on: 0)
        state.finished(0, isGood: false, now: at(1))
        _ = state.submit(2, deadline: nil, now: at(2))
        #expect(state.order(for: 1, now: at(2)) == .check)
        state.begin(.check, on: 1)
        state.checked(1, isGood: true, now: at(2))
        #expect(state.order(for: 1, now: at(2)) == .run(2))
    }

    @Test func idleAndOldConnectionsAreClosed() {
        var state = machine(size: 1)
        open(&state, 0, at: 0)
        #expect(state.wakeTime(for: 0) == at(600))
        #expect(state.order(for: 0, now: at(599)) == nil)
        #expect(state.order(for: 0, now: at(600)) == .retire)
        state.begin(.retire, on: 0)
        #expect(state.connections == 0)
        open(&state, 0, at: 1000)
        _ = state.submit(1, deadline: nil, now: at(2799))
        state.begin(.check, on: 0)
        state.checked(0, isGood: true, now: at(2799))
        #expect(state.order(for: 0, now: at(2800)) == .retire, "also with callers in line")
    }

    @Test func drainingServesTheLineAndThenLetsGo() {
        var state = machine()
        open(&state, 0, at: 0)
        _ = state.submit(1, deadline: at(50), now: at(0))
        _ = state.submit(2, deadline: at(50), now: at(0))
        state.drain(until: at(5))
        #expect(state.submit(3, deadline: nil, now: at(0)) == .closed)
        #expect(state.order(for: 0, now: at(1)) == .run(1))
        state.begin(.run(1), on: 0)
        #expect(state.nextExpiry == at(5))
        #expect(state.expire(now: at(5)) == [.init(job: 2, refusal: .closed)])
        state.finished(0, isGood: true, now: at(5))
        for slot in 0...1 {
            #expect(state.order(for: slot, now: at(5)) == .exit)
            state.begin(.exit, on: slot)
        }
        #expect(state.isGone)
    }

    /// Whatever happens in whatever order: every job is answered exactly once, and no slot holds two.
    @Test func randomWalksLoseNoJob() {
        var random = Trials.generator("pool walks")
        for _ in 0..<Trials.count(200, full: 20_000) {
            var walk = Walk(machine(size: Int.random(in: 1...4, using: &random)), start)
            for _ in 0..<120 { walk.step(&random) }
            walk.end()
            #expect(walk.answers.count == walk.submitted)
            #expect(walk.answers.values.allSatisfy { $0 == 1 })
        }
    }
}

/// Threads that do what the machine orders, one random step at a time.
private struct Walk {
    var state: PoolState
    var now: ContinuousClock.Instant
    var work: [Int: PoolState.Order] = [:]
    var answers: [UInt64: Int] = [:]
    var submitted = 0
    private var told: Set<UInt64> = []

    init(_ state: PoolState, _ now: ContinuousClock.Instant) {
        self.state = state
        self.now = now
    }

    mutating func step(_ random: inout SeededGenerator) {
        now += .milliseconds(Int.random(in: 0...900, using: &random))
        switch Int.random(in: 0...5, using: &random) {
        case 0, 1:
            submitted += 1
            let job = UInt64(submitted)
            let deadline = Bool.random(using: &random) ? now + .milliseconds(700) : nil
            if state.submit(job, deadline: deadline, now: now) != nil { answer(job) }
        case 2:
            for refused in state.expire(now: now) {
                answer(refused.job)
                if refused.refusal == .overran { told.insert(refused.job) }
            }
        case 3:
            let job = UInt64.random(in: 0...UInt64(submitted), using: &random)
            if state.cancel(job) { answer(job) }
        default: move(Int.random(in: 0..<4, using: &random), &random)
        }
    }

    mutating func end() {
        state.drain(until: now)
        for refused in state.expire(now: now + .seconds(100)) {
            answer(refused.job)
            if refused.refusal == .overran { told.insert(refused.job) }
        }
        for slot in work.keys.sorted() { finish(slot, isGood: true, 0) }
    }

    private mutating func move(_ slot: Int, _ random: inout SeededGenerator) {
        if work[slot] != nil {
            return finish(slot, isGood: Int.random(in: 0...2, using: &random) > 0, random.next())
        }
        guard slot < state.slotCount, let order = state.order(for: slot, now: now) else { return }
        state.begin(order, on: slot)
        if order != .retire { work[slot] = order }
    }

    private mutating func finish(_ slot: Int, isGood: Bool, _ random: UInt64) {
        switch work.removeValue(forKey: slot) {
        case .run(let job):
            if !told.contains(job) { answer(job) }
            state.finished(slot, isGood: isGood, now: now)
        case .connect where isGood: state.connected(slot, now: now)
        case .connect:
            for job in state.connectFailed(slot, mayPass: random % 4 != 0, now: now, random: random) {
                answer(job)
            }
        case .check: state.checked(slot, isGood: isGood, now: now)
        case .retire, .exit, nil: break
        }
    }

    private mutating func answer(_ job: UInt64) { answers[job, default: 0] += 1 }
}
