// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import HTTP
import HTTP2
import TestSupport
import Testing
import Transport

/// Bodies that one side does not take are not made by the other: what waits on the way is a small part of the whole, and
/// when it is taken after all, nothing is missing.
@Suite struct BackPressureTests {
    private static let piece = [UInt8](repeating: 7, count: 64 << 10)
    private static let pieces = 1024
    private static var size: Int { piece.count * pieces }

    final class Amount: Sendable {
        private let amount = Lock(0)
        var value: Int { amount.withLock { $0 } }
        func add(_ more: Int) { amount.withLock { $0 += more } }
    }

    final class Gate: Sendable {
        private let state = Lock(false)
        var isOpen: Bool { state.withLock { $0 } }
        func open() { state.withLock { $0 = true } }
    }

    /// A server whose handlers take a body only when they are let, and count what they give.
    private final class Held: Sendable {
        let gate = Gate()
        let given = Amount()
        let loops: EventLoops
        let listener: Listener
        var endpoint: Endpoint { .host("127.0.0.1", port: listener.address.port) }

        init() throws {
            loops = try EventLoops(count: 2)
            var limits = ServerLimits()
            limits.bodyWindow = .seconds(600)
            limits.answer = .seconds(600)
            var router = Router()
            let (gate, given) = (gate, given)
            router.post("/take", Route.Options(body: size)) { request in
                while !gate.isOpen { try await Task.sleep(for: .milliseconds(2)) }
                var count = 0
                while let piece = try await request.body.read() { count += piece.count }
                return .text("\(count)")
            }
            router.get("/give") { _ in
                Response { writer in
                    for _ in 0..<pieces {
                        try await writer.write(piece)
                        given.add(piece.count)
                    }
                }
            }
            let server = Server(router, limits: limits)
            listener = try Listener(
                at: .ip4(0x7f00_0001, port: 0), loops: loops, security: .plain, limits: Held.patient
            ) { server.serve($0) }
        }

        static var patient: TransportLimits {
            var limits = TransportLimits()
            limits.rateWindow = .seconds(600)
            return limits
        }

        deinit { Self.stop(loops) }
        private static func stop(_ loops: EventLoops) { loops.stop() }

        func connect<Handler>(_ make: @escaping @Sendable (Connection) -> Handler) async throws
            -> LoopBound<Handler> where Handler: ConnectionHandler & SendableMetatype
        {
            let loop = loops.all[1]
            let box = Lock<LoopBound<Handler>?>(nil)
            let connector = Connector(security: .plain, limits: Self.patient)
            _ = try await connector.connect(to: endpoint, on: loop) { connection in
                let handler = make(connection)
                box.withLock { $0 = LoopBound(handler, on: loop) }
                return handler
            }
            return try #require(box.withLock { $0 })
        }
    }

    /// Waits until an amount has not grown for a while.
    private func stands(_ amount: @Sendable () async -> Int) async {
        var (last, since) = (-1, ContinuousClock.now)
        while ContinuousClock.now - since < .milliseconds(300) {
            let now = await amount()
            if now != last { (last, since) = (now, .now) }
            try? await Task.sleep(for: .milliseconds(5))
        }
    }

    @Test func uploadOverHTTP1() async throws {
        let held = try Held()
        let stream = try await held.connect { ByteStream($0) }
        let sent = Amount()
        let answer = Task(executorPreference: stream.loop) {
            let head =
                "POST /take HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: \(Self.size)\r\n\r\n"
            try await stream.value.write(Array(head.utf8))
            for _ in 0..<Self.pieces {
                try await stream.value.write(Self.piece)
                sent.add(Self.piece.count)
            }
            var back: [UInt8] = []
            while let part = try await stream.value.read() { back += part }
            return back
        }
        await stands { sent.value }
        // What stays on the way is in the kernel's buffers.
        #expect(sent.value < Self.size / 2)
        held.gate.open()
        #expect(try Answer.parse(try await answer.value).map(\.text) == ["\(Self.size)"])
    }

    @Test func downloadOverHTTP1() async throws {
        let held = try Held()
        let stream = try await held.connect { ByteStream($0) }
        try await Task(executorPreference: stream.loop) {
            try await stream.value.write(
                Array("GET /give HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".utf8))
        }.value
        await stands { held.given.value }
        #expect(held.given.value < Self.size / 2)
        let back = try await Task(executorPreference: stream.loop) {
            var back: [UInt8] = []
            while let part = try await stream.value.read() { back += part }
            return back
        }.value
        #expect(try Answer.parse(back).map(\.body.count) == [Self.size])
    }

    @Test func uploadOverHTTP2() async throws {
        let held = try Held()
        let taker = Taker(takes: true)
        let stream = try await open("POST", "/take", held, taker)
        let loop = held.loops.all[1]
        await Task(executorPreference: loop) {
            for _ in 0..<Self.pieces { stream.value.send(Self.piece) }
            stream.value.finish()
        }.value
        let waiting = { @Sendable in await Task(executorPreference: loop) { stream.value.pending }.value }
        await stands(waiting)
        #expect(await waiting() > Self.size - (2 << 20))
        held.gate.open()
        await eventually { taker.end.isOpen }
        #expect(String(decoding: taker.body.withLock { $0 }, as: UTF8.self) == "\(Self.size)")
    }

    @Test func downloadOverHTTP2() async throws {
        let held = try Held()
        let taker = Taker(takes: false)
        let stream = try await open("GET", "/give", held, taker)
        await stands { held.given.value }
        #expect(held.given.value < 2 << 20)
        await Task(executorPreference: held.loops.all[1]) { taker.takeAll(stream.value) }.value
        await eventually { taker.end.isOpen }
        #expect(taker.body.withLock { $0.count } == Self.size)
    }

    private func open(_ method: String, _ path: String, _ held: Held, _ taker: Taker) async throws
        -> LoopBound<HTTP2.Stream>
    {
        let loop = held.loops.all[1]
        let connection = try await held.connect { connection in
            guard let made = try? HTTP2Connection(connection) else { preconditionFailure("no session") }
            return made
        }
        return try await Task(executorPreference: loop) {
            let head: HeaderFields = [
                ":method": method, ":scheme": "http", ":authority": "a", ":path": path,
            ]
            let stream = try connection.value.session.request(head, handler: taker, end: method == "GET")
            taker.stream = stream
            return LoopBound(stream, on: loop)
        }.value
    }

    /// Keeps a body, and opens the window behind it only when it shall.
    private final class Taker: StreamHandler, @unchecked Sendable {
        var stream: HTTP2.Stream?
        private var takes: Bool
        private var untaken = 0
        let body = Lock<[UInt8]>([])
        let end = Gate()

        init(takes: Bool) { self.takes = takes }

        func takeAll(_ stream: HTTP2.Stream) {
            takes = true
            stream.taken(untaken)
        }

        func received(head: HeaderFields) {}

        func received(body bytes: Span<UInt8>) {
            body.withLock { body in for index in bytes.indices { body.append(bytes[index]) } }
            if takes { stream?.taken(bytes.count) } else { untaken += bytes.count }
        }

        func received(trailers: HeaderFields) {}
        func receivedEnd() {}
        func writable() {}

        func closed(_ close: StreamClose) { end.open() }
    }
}
