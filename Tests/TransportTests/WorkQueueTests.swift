// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Foundation
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import Transport

/// A number that tasks share.
final class Counter: Sendable {
    private let number = Atomic<Int>(0)
    var value: Int { number.load(ordering: .relaxed) }
    func add(_ more: Int = 1) { number.wrappingAdd(more, ordering: .relaxed) }
}

/// A list that tasks share.
final class Record: Sendable {
    private let lines = Lock<[String]>([])
    var all: [String] { lines.withLock { $0 } }
    func add(_ line: String) { lines.withLock { $0.append(line) } }
}

@Suite struct TurnQueueTests {
    @Test func lanesTakeTurns() {
        var queue = TurnQueue<String>()
        let (a, b, c) = (TurnQueue<String>.Lane(), TurnQueue<String>.Lane(), TurnQueue<String>.Lane())
        for index in 1...4 { queue.add("a\(index)", to: a) }
        for index in 1...2 { queue.add("b\(index)", to: b) }
        #expect(queue.pop() == "a1")
        queue.add("c1", to: c)
        var order: [String] = []
        while let next = queue.pop() { order.append(next) }
        #expect(order == ["b1", "a2", "c1", "b2", "a3", "a4"])
        #expect(queue.count == 0)
    }

    /// Against a model: a list of lists, popped in turn.
    @Test func againstModel() {
        var generator = Trials.generator("turn queue")
        for _ in 0..<Trials.count(20, full: 1000) {
            var queue = TurnQueue<Int>()
            let lanes = (0..<4).map { _ in TurnQueue<Int>.Lane() }
            var model: [(lane: Int, items: [Int])] = []
            for step in 0..<4000 {
                if Int.random(in: 0..<5, using: &generator) < (step < 2000 ? 3 : 2) {
                    let lane = Int.random(in: 0..<4, using: &generator)
                    queue.add(step, to: lanes[lane])
                    if let place = model.firstIndex(where: { $0.lane == lane }) {
                        model[place].items.append(step)
                    } else {
                        model.append((lane, [step]))
                    }
                } else {
                    var expected: Int?
                    if !model.isEmpty {
                        var first = model.removeFirst()
                        expected = first.items.removeFirst()
                        if !first.items.isEmpty { model.append(first) }
                    }
                    let popped = queue.pop()
                    guard popped == expected else {
                        Issue.record("popped \(popped as Any) in place of \(expected as Any)")
                        return
                    }
                }
            }
            #expect(queue.count == model.reduce(0) { $0 + $1.items.count })
        }
    }
}

@Suite struct LoopTaskTests {
    /// Nothing runs between what a task does last and its wait: a change cannot be missed.
    @Test func waitingIsNoStepAside() async throws {
        let loops = try TestLoops(1)
        let loop = loops.loops.all[0]
        let record = Record()
        await Task(executorPreference: loop) {
            for _ in 0..<3 {
                loop.spawn { record.add("other") }
                await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                    record.add("wait")
                    loop.spawn { continuation.resume() }
                }
                record.add(loop.isCurrent ? "back" : "astray")
            }
        }.value
        #expect(record.all == ["wait", "other", "back", "wait", "other", "back", "wait", "other", "back"])
    }

    /// Code without an actor, child tasks and plain actors stay on the loop of their task.
    @Test func everythingStaysOnTheLoop() async throws {
        actor Tally {
            var places: [Bool] = []
            func add(_ place: Bool, _ loop: EventLoop) { places += [place, loop.isCurrent] }
        }
        let loops = try TestLoops(2)
        let loop = loops.loops.all[1]
        let tally = Tally()
        await Task(executorPreference: loop) {
            await tally.add(loop.isCurrent, loop)
            try? await Task.sleep(for: .milliseconds(1))
            await tally.add(loop.isCurrent, loop)
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<10 { group.addTask { await tally.add(loop.isCurrent, loop) } }
            }
        }.value
        #expect(await tally.places == [Bool](repeating: true, count: 24))
    }
}

@Suite struct WorkQueueTests {
    private func spin(_ time: Duration) {
        let end = ContinuousClock.now + time
        while ContinuousClock.now < end {}
    }

    @Test func everyResultComesBackToItsTaskAndLoop() async throws {
        let loops = try TestLoops(3)
        let queue = loops.loops.queue
        let count = Trials.count(2_000, full: 100_000)
        await withTaskGroup(of: Int.self) { group in
            for (index, loop) in loops.loops.all.enumerated() {
                let lane = queue.lane(named: "\(index)")
                group.addTask(executorPreference: loop) {
                    await withTaskGroup(of: Bool.self) { inner in
                        for number in 0..<count {
                            inner.addTask {
                                let answer = try? await queue.run(in: lane) { number &* 7 }
                                return answer == number &* 7 && loop.isCurrent
                            }
                        }
                        return await inner.reduce(0) { $0 + ($1 ? 1 : 0) }
                    }
                }
            }
            for await good in group { #expect(good == count) }
        }
        #expect(queue.count == 0)
    }

    /// One loop makes the jobs; both work on them.
    @Test func idleLoopsHelp() async throws {
        let loops = try TestLoops(2)
        let queue = loops.loops.queue
        let helpers = Record()
        let lane = WorkQueue.Lane()
        let all = loops.loops.all
        // A job waits for the other one, so both must run at the same time. One task makes both: were they made by two
        // tasks from outside, the loop could be in the first job before it has seen the second task.
        let running = Counter()
        await Task(executorPreference: all[0]) {
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<2 {
                    group.addTask {
                        _ = try? await queue.run(in: lane) {
                            running.add()
                            let end = ContinuousClock.now + .seconds(10)
                            while running.value < 2, ContinuousClock.now < end {}
                            for loop in all where loop.isCurrent { helpers.add("\(loop.index)") }
                        }
                    }
                }
            }
        }.value
        #expect(helpers.all.sorted() == ["0", "1"])
    }

    /// Jobs that come from outside wake sleeping loops, the very first one too.
    @Test func outsidersAreServed() async throws {
        for _ in 0..<20 {
            let loops = try TestLoops(2)
            let queue = loops.loops.queue
            #expect(try await queue.run(in: WorkQueue.Lane()) { 5 } == 5)
        }
    }

    /// A client with hundreds of jobs does not delay the jobs of another by more than a turn each.
    @Test func nobodyStarves() async throws {
        let loops = try TestLoops(1)
        let queue = loops.loops.queue
        let order = Record()
        let (started, released) = (Counter(), Counter())
        let greedy = queue.lane(named: "greedy")
        let modest = queue.lane(named: "modest")
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                _ = try? await queue.run(in: greedy) {
                    started.add()
                    while released.value == 0 { usleep(100) }
                }
            }
            await eventually { started.value == 1 }
            for _ in 0..<200 { group.addTask { _ = try? await queue.run(in: greedy) { order.add("g") } } }
            await eventually { queue.count == 200 }
            for _ in 0..<3 { group.addTask { _ = try? await queue.run(in: modest) { order.add("m") } } }
            await eventually { queue.count == 203 }
            released.add()
        }
        #expect(order.all.count == 203)
        #expect(order.all.prefix(6) == ["g", "m", "g", "m", "g", "m"])
        #expect(queue.lane(named: "modest") === modest)
    }

    /// While jobs fill the queue for seconds, sockets and timers of the loop get their turn all the time.
    @Test func socketsAreServedMeanwhile() async throws {
        let loops = try TestLoops(1)
        let loop = loops.loops.all[0]
        let queue = loops.loops.queue
        let listener = try Listener(
            at: #require(Address("127.0.0.1", port: 0)), loops: loops.loops, security: .plain, handler: echo)
        let stop = Counter()
        let lane = WorkQueue.Lane()
        let work = Task(executorPreference: loop) {
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<64 {
                    group.addTask {
                        while stop.value == 0 {
                            _ = try? await queue.run(in: lane) { self.spin(.microseconds(200)) }
                        }
                    }
                }
            }
        }
        let stream = try await OpenStream(
            .host("127.0.0.1", port: listener.address.port), .plain, on: loop)
        for _ in 0..<50 {
            try await stream.send("x")
            #expect(try await stream.receive() == "x")
        }
        #expect(queue.count > 0)
        stop.add()
        await work.value
        stream.close()
    }

    @Test func cancelledJobsAreNotRun() async throws {
        let loops = try TestLoops(1)
        let queue = loops.loops.queue
        let ran = Counter()
        let released = Counter()
        let lane = WorkQueue.Lane()
        let started = Counter()
        let blocker = Task {
            try await queue.run(in: lane) {
                started.add(); while released.value == 0 { usleep(100) }
            }
        }
        await eventually { started.value == 1 }
        let tasks = (0..<10).map { _ in
            Task { try await queue.run(in: lane) { ran.add() } }
        }
        await eventually { queue.count == 10 }
        for task in tasks { task.cancel() }
        released.add()
        try await blocker.value
        for task in tasks {
            await #expect(throws: CancellationError.self) { try await task.value }
        }
        #expect(ran.value == 0)
    }

    @Test func errorsComeBack() async throws {
        struct Oops: Error {}
        let loops = try TestLoops(1)
        await #expect(throws: Oops.self) {
            try await loops.loops.queue.run(in: WorkQueue.Lane()) { throw Oops() }
        }
    }

    /// Work that is under way when the client leaves is never delivered to the next client, which has the same
    /// descriptor.
    @Test func answersNeverReachAnotherConnection() async throws {
        let loops = try TestLoops(2)
        let queue = loops.loops.queue
        let wrong = Counter()
        let served = Counter()
        var limits = TransportLimits()
        // While a busy machine holds up one loop, the other goes on taking connections for it.
        limits.connectionsPerAddress = 4096
        let listener = try Listener(
            at: #require(Address("127.0.0.1", port: 0)), loops: loops.loops, security: .plain, limits: limits
        ) { connection in
            ByteStream(connection) { stream in
                let lane = WorkQueue.Lane()
                while let bytes = try await stream.read() {
                    served.add()
                    try await stream.write(
                        try await queue.run(in: lane) {
                            usleep(300)
                            return bytes
                        })
                }
            }
        }
        let endpoint = Endpoint.host("127.0.0.1", port: listener.address.port)
        let rounds = Trials.count(200, full: 5_000)
        await withTaskGroup(of: Void.self) { group in
            for worker in 0..<4 {
                group.addTask {
                    for round in 0..<rounds {
                        let text = "\(worker).\(round)|"
                        guard
                            let stream = try? await OpenStream(
                                endpoint, .plain, on: loops.loops.all[worker % 2])
                        else { continue }
                        try? await stream.send(text)
                        if round % 2 == 0 {
                            // Gone before the answer.
                            stream.bound.loop.execute { stream.bound.value.connection.abort(.abandoned) }
                        } else {
                            var answer = ""
                            while !answer.hasSuffix("|"), let part = try? await stream.receive(), part != "" {
                                answer += part
                            }
                            if answer != text { wrong.add() }
                            stream.close()
                        }
                    }
                }
            }
        }
        #expect(wrong.value == 0)
        #expect(served.value >= rounds * 2)
        await eventually { listener.connections == 0 }
    }
}
