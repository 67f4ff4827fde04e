// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Foundation
import Glibc
import TestPeers
import TestSupport
import Testing

@testable import Transport

/// A clock that stands still until it is told.
final class ManualClock: Sendable {
    private let time = Lock<UInt64>(1_000_000_000)
    var clock: LoopClock { LoopClock { self.time.withLock { $0 } } }

    func advance(_ duration: Duration, _ loops: EventLoops) {
        time.withLock { $0 += UInt64(duration / .nanoseconds(1)) }
        loops.wake()
    }
}

/// A client's socket as system calls give it, so that it can misbehave.
final class RawClient: Sendable {
    let number: Int32

    init(_ address: Address) throws {
        let number = socket(address.family, Int32(SOCK_STREAM.rawValue), 0)
        let result = unsafe address.withKernelForm { unsafe Glibc.connect(number, $0, $1) }
        guard result == 0 else {
            Glibc.close(number)
            throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO)
        }
        self.number = number
    }

    private init(owning number: Int32) { self.number = number }

    static func unconnected() throws -> RawClient {
        RawClient(owning: socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))
    }

    /// Ends the connection with a reset.
    func reset() {
        Socket.resetOnClose(number)
        // Connecting to nowhere (all zero, AF_UNSPEC) takes a socket's connection from it.
        let nowhere = [UInt64](repeating: 0, count: 2)
        unsafe nowhere.withUnsafeBytes { bytes in
            _ = unsafe Glibc.connect(number, bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self), 16)
        }
    }

    func connect(_ address: Address) {
        _ = unsafe address.withKernelForm { unsafe Glibc.connect(number, $0, $1) }
    }

    deinit { Glibc.close(number) }

    func send(_ bytes: [UInt8]) -> Int {
        unsafe Glibc.send(number, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }

    /// Whether the other side has ended the connection; what still came is thrown away.
    var isEnded: Bool {
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = unsafe recv(number, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            if count <= 0 { return count == 0 || errno != EAGAIN }
        }
    }

    /// Waits for that, for at most a minute.
    func seesEnd() async -> Bool {
        let end = ContinuousClock.now + .seconds(60)
        while ContinuousClock.now < end {
            if isEnded { return true }
            try? await Task.sleep(for: .milliseconds(2))
        }
        return false
    }
}

/// Keeps quiet, or floods; says when it is asked to drain.
final class Scripted: ConnectionHandler, Sendable {
    let floods: Bool
    let expects: Bool
    let pauses: Bool
    let ignoresDrain: Bool
    let record: Record

    init(
        floods: Bool = false, expects: Bool = false, pauses: Bool = false, ignoresDrain: Bool = false,
        _ record: Record
    ) {
        self.floods = floods
        self.expects = expects
        self.pauses = pauses
        self.ignoresDrain = ignoresDrain
        self.record = record
    }

    func begin(_ connection: Connection) -> Scripted {
        connection.expectsInput = expects
        if pauses { connection.pauseReading() }
        if floods { connection.requestOutput() }
        return self
    }

    func received(_ bytes: Span<UInt8>, on connection: Connection) { record.add("received \(bytes.count)") }

    func produce(room: Int, on connection: Connection) {
        connection.write([UInt8](repeating: 7, count: min(room, 65536)).span)
        connection.requestOutput()
    }

    func drain(_ connection: Connection) {
        record.add("drain")
        if !ignoresDrain { connection.close() }
    }

    func closed(_ connection: Connection, _ reason: CloseReason) { record.add("\(reason)") }
}

@Suite struct LimitTests {
    /// A listener whose time stands still.
    struct Bench {
        let clock = ManualClock()
        let loops: TestLoops
        let record = Record()
        let ends = Ends()
        let listener: Listener

        init(
            _ security: Security = .plain, _ limits: TransportLimits = TransportLimits(),
            _ script: @escaping @Sendable (Record) -> Scripted
        ) throws {
            loops = try TestLoops(2, clock: clock.clock)
            let (record, ends) = (record, ends)
            listener = try Listener(
                at: #require(Address("127.0.0.1", port: 0)), loops: loops.loops, security: security,
                limits: limits,
                ended: { _, reason in ends.add(reason) }
            ) { script(record).begin($0) }
        }

        /// Waits until there are so many connections, each at its loop: it is counted before its loop takes it over.
        func holds(_ count: Int) async {
            await eventually { listener.connections == count }
            for loop in loops.loops.all { await Task(executorPreference: loop) {}.value }
        }

        /// Moves the time, and waits until every loop has seen it.
        func advance(_ duration: Duration) async {
            clock.advance(duration, loops.loops)
            for loop in loops.loops.all { await Task(executorPreference: loop) {}.value }
        }
    }

    @Test func idleConnectionsEnd() async throws {
        let bench = try Bench { Scripted($0) }
        let client = try RawClient(bench.listener.address)
        await bench.holds(1)
        await bench.advance(.seconds(200))
        #expect(client.send([1]) == 1)
        await eventually { bench.record.all == ["received 1"] }
        await bench.advance(.seconds(299))
        await bench.advance(.milliseconds(900))
        #expect(bench.listener.connections == 1)
        await bench.advance(.seconds(2))
        await eventually { bench.record.all.last == "\(CloseReason.idle)" }
        #expect(await client.seesEnd())
    }

    @Test func handshakesHaveATime() async throws {
        let tls = try await TestTLS.make()
        let bench = try Bench(.tls(TLSContext(tls.server))) { Scripted($0) }
        let silent = try RawClient(bench.listener.address)
        let slow = try RawClient(bench.listener.address)
        await bench.holds(2)
        #expect(slow.send([0x16, 3, 1]) == 3)
        await bench.advance(.seconds(4))
        #expect(slow.send([0, 200]) == 2)
        #expect(bench.ends.reasons == [])
        await bench.advance(.seconds(2))
        await eventually { bench.ends.reasons == [.handshakeTimeout, .handshakeTimeout] }
        #expect(await silent.seesEnd())
        #expect(await slow.seesEnd())
        #expect(bench.record.all == [])
    }

    /// A peer that takes nothing is cut off, and what waits for it stays bounded meanwhile.
    @Test func slowReaders() async throws {
        let bench = try Bench { Scripted(floods: true, $0) }
        let client = try RawClient(bench.listener.address)
        let most = Counter()
        // A first window, on a busy machine several, may begin with progress into the kernel's buffers.
        for _ in 0..<1000 where bench.ends.reasons.isEmpty {
            try await Task.sleep(for: .milliseconds(20))
            let loops = bench.loops.loops.all
            for loop in loops {
                loop.execute {
                    loop.core.eachConnection { connection in
                        most.add(max(0, connection.bufferedOutput - most.value))
                    }
                }
            }
            await bench.advance(.seconds(1))
        }
        await eventually { bench.ends.reasons == [.tooSlow] }
        #expect(most.value > 0)
        #expect(most.value <= TransportLimits().outputHigh)
        #expect(await client.seesEnd())
    }

    /// A peer that owes input and drips it is cut off; one that keeps the pace is not.
    @Test func slowWriters() async throws {
        let bench = try Bench { Scripted(expects: true, $0) }
        let slow = try RawClient(bench.listener.address)
        let fair = try RawClient(bench.listener.address)
        await bench.holds(2)
        var received = 0
        for _ in 0..<9 {
            #expect(fair.send([UInt8](repeating: 1, count: 1500)) == 1500)
            _ = slow.send([1])
            received += 1500
            await eventually {
                bench.record.all.compactMap { Int($0.split(separator: " ").last ?? "") }.reduce(0, +)
                    >= received
            }
            await bench.advance(.seconds(1))
        }
        await eventually { bench.ends.reasons == [.tooSlow] }
        #expect(await slow.seesEnd())
        #expect(bench.listener.connections == 1)
    }

    @Test(arguments: [false, true])
    func oldConnectionsDrain(stubborn: Bool) async throws {
        let bench = try Bench { Scripted(ignoresDrain: stubborn, $0) }
        let client = try RawClient(bench.listener.address)
        await bench.holds(1)
        for _ in 0..<24 {
            await bench.advance(.seconds(180))
            let count = bench.record.all.count { $0.hasPrefix("received") }
            guard client.send([1]) == 1 else { break }
            if bench.record.all.contains("drain") { break }
            await eventually {
                bench.record.all.count { $0.hasPrefix("received") } > count
                    || bench.record.all.contains("drain")
            }
        }
        await eventually { bench.record.all.contains("drain") }
        if stubborn {
            #expect(bench.listener.connections == 1)
            await bench.advance(.seconds(31))
            await eventually { bench.ends.reasons == [.drained] }
        }
        #expect(await client.seesEnd())
    }

    /// A peer that resets while nobody reads from it costs no turns of the loop, and is still there to be drained.
    @Test func resetWhilePaused() async throws {
        let bench = try Bench { Scripted(pauses: true, ignoresDrain: true, $0) }
        let client = try RawClient(bench.listener.address)
        await bench.holds(1)
        #expect(client.send([1]) == 1)
        client.reset()
        try await Task.sleep(for: .milliseconds(20))
        let loops = bench.loops.loops.all
        var passes = loops.map { _ in 0 }
        for index in loops.indices {
            let loop = loops[index]
            passes[index] = await Task(executorPreference: loop) { loop.core.passes }.value
        }
        try await Task.sleep(for: .milliseconds(100))
        for index in loops.indices {
            let loop = loops[index]
            let later = await Task(executorPreference: loop) { loop.core.passes }.value
            #expect(later - passes[index] < 10)
        }
        #expect(bench.listener.connections == 1)
        let draining = Task { await bench.listener.drain(within: .seconds(5)) }
        await eventually { bench.record.all.contains("drain") }
        await bench.advance(.seconds(6))
        await draining.value
        #expect(bench.ends.reasons == [.drained])
    }

    @Test func drainEndsAListener() async throws {
        let bench = try Bench { Scripted($0) }
        let clients = try (0..<5).map { _ in try RawClient(bench.listener.address) }
        await bench.holds(5)
        let draining = Task { await bench.listener.drain(within: .seconds(5)) }
        for client in clients { #expect(await client.seesEnd()) }
        // Each waits for its peer to close as well.
        for client in clients { shutdown(client.number, Int32(SHUT_RDWR)) }
        await draining.value
        #expect(bench.listener.connections == 0)
        #expect(bench.record.all.count { $0 == "drain" } == 5)
        #expect(throws: (any Error).self) { try RawClient(bench.listener.address) }
    }

    @Test func capsOnConnections() async throws {
        var limits = TransportLimits()
        limits.connectionsPerAddress = 3
        let bench = try Bench(.plain, limits) { Scripted($0) }
        let kept = try (0..<3).map { _ in try RawClient(bench.listener.address) }
        await bench.holds(3)
        let fourth = try RawClient(bench.listener.address)
        #expect(await fourth.seesEnd())
        #expect(bench.ends.reasons == [.tooManyConnections])
        shutdown(kept[0].number, Int32(SHUT_RDWR))
        await bench.holds(2)
        let fifth = try RawClient(bench.listener.address)
        await bench.holds(3)
        _ = fifth
    }

    @Test func capOnConnectionsOfOnePeer() async throws {
        let tls = try await TestTLS.make()
        try tls.ca.issue("second")
        var limits = TransportLimits()
        limits.connectionsPerPeer = 2
        let loops = try TestLoops()
        let listener = try Listener(
            at: #require(Address("127.0.0.1", port: 0)), loops: loops.loops,
            security: .tls(TLSContext(tls.server)),
            limits: limits, handler: echo)
        func connect(_ name: String) async throws -> OpenStream {
            try await OpenStream(
                .host("127.0.0.1", port: listener.address.port), .tls(TLSContext(tls.client(name))),
                on: loops.loops.all[0], serverName: "server.test")
        }
        let streams = [try await connect("client"), try await connect("client"), try await connect("second")]
        for stream in streams {
            try await stream.send("x")
            #expect(try await stream.receive() == "x")
        }
        let third = try await connect("client")
        #expect((try? await third.receive()) ?? "" == "")
        third.close()
        streams[0].close()
        await eventually { listener.connections == 2 }
        let fourth = try await connect("client")
        try await fourth.send("x")
        #expect(try await fourth.receive() == "x")
    }
}
