// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import HTTP2
import TestPeers
import TestSupport
import Testing
import Transport

/// A quiet peer is asked whether it lives: one that answers is kept, one that does not is given up.
@Suite struct KeepAliveTests {
    struct Peer: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var answers: Bool
        var opensStream: Bool
        /// Whether the server asks a peer without streams too.
        var whenIdle: Bool
        var isAsked = true
    }

    static let peers = [
        Peer(testDescription: "answers", answers: true, opensStream: true, whenIdle: false),
        Peer(testDescription: "silent", answers: false, opensStream: true, whenIdle: false),
        Peer(
            testDescription: "silent without a stream", answers: false, opensStream: false, whenIdle: false,
            isAsked: false),
        Peer(testDescription: "answers without a stream", answers: true, opensStream: false, whenIdle: true),
        Peer(
            testDescription: "silent without a stream, asked all the same", answers: false,
            opensStream: false, whenIdle: true),
    ]

    @Test(arguments: peers) func asksWhetherThePeerLives(_ peer: Peer) async throws {
        let bench = try Bench(whenIdle: peer.whenIdle)
        let port = bench.listener.address.port
        let client = try await apart { try Client(port: port, opensStream: peer.opensStream) }
        // In the first stretch something was heard.
        await bench.advance(.seconds(10))
        for _ in 0..<3 {
            await bench.advance(.seconds(10))
            let isAsked = try await apart { client.isAsked(answers: peer.answers, waits: peer.isAsked) }
            #expect(isAsked == peer.isAsked)
            await bench.advance(.seconds(4))
            #expect(bench.listener.connections == 1)
            await bench.advance(.seconds(2))
            guard peer.isAsked, !peer.answers else { continue }
            #expect(try await apart { client.isCut() })
            await eventually { bench.listener.connections == 0 }
            #expect(bench.ends.all.map { $0.contains("answered no ping") } == [true])
            return
        }
        #expect(bench.listener.connections == 1)
    }

    private final class Ends: Sendable {
        private let list = Lock<[String]>([])
        var all: [String] { list.withLock { $0 } }
        func add(_ end: String) { list.withLock { $0.append(end) } }
    }

    private final class Time: Sendable {
        private let nanoseconds = Lock<UInt64>(1_000_000_000)
        var clock: LoopClock { LoopClock { self.nanoseconds.withLock { $0 } } }
        func add(_ duration: Duration) { nanoseconds.withLock { $0 += UInt64(duration / .nanoseconds(1)) } }
    }

    /// A server whose time stands still until it is told.
    private final class Bench: Sendable {
        let ends = Ends()
        private let time = Time()
        private let loops: EventLoops
        let listener: Listener

        init(whenIdle: Bool) throws {
            let ends = ends
            loops = try EventLoops(count: 1, clock: time.clock)
            listener = try Listener(
                at: .ip4(0x7f00_0001, port: 0), loops: loops, security: .plain,
                ended: { _, reason in ends.add("\(reason)") }
            ) { connection in
                let keepAlive = HTTP2Connection.KeepAlive(
                    every: .seconds(10), timeout: .seconds(5), whenIdle: whenIdle)
                guard let made = try? HTTP2Connection(connection, keepAlive: keepAlive) else {
                    return ByteStream(connection)
                }
                made.session.accept = { stream, _ in Recorder(stream) }
                return made
            }
        }

        deinit { Self.stop(loops) }
        private static func stop(_ loops: EventLoops) { loops.stop() }

        /// Moves the time, and waits until the loop has seen it.
        func advance(_ duration: Duration) async {
            time.add(duration)
            loops.wake()
            await Task(executorPreference: loops.all[0]) {}.value
        }
    }

    /// Used by one thread after the other.
    private final class Client: @unchecked Sendable {
        private let connection: RawConnection

        init(port: UInt16, opensStream: Bool) throws {
            connection = try RawConnection(port: port)
            let open = opensStream ? headers(1, HeaderBlock.request(), end: false) : []
            connection.send(RawConnection.magic + settings() + settingsAcknowledged + open)
            reachServer()
        }

        /// Whether a ping comes; when it is answered, the server has heard that.
        func isAsked(answers: Bool, waits: Bool) -> Bool {
            while true {
                switch connection.next(patience: waits ? 60_000 : 200) {
                case .closed, .silence: return false
                case .frame(let frame):
                    guard frame.type == Frame.ping else { continue }
                    guard answers else { return true }
                    connection.send(ping(frame.payload, flags: Frame.acknowledge))
                    reachServer()
                    return true
                }
            }
        }

        func isCut() -> Bool {
            while true {
                switch connection.next(patience: 60_000) {
                case .closed: return true
                case .silence: return false
                case .frame: continue
                }
            }
        }

        /// Waits until the server has heard all that was sent.
        private func reachServer() {
            connection.send(ping(Array("reached?".utf8)))
            while case .frame(let frame) = connection.next(patience: 60_000) {
                if frame.type == Frame.ping, frame.flags & Frame.acknowledge != 0 { return }
            }
        }
    }
}
