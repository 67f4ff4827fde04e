// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import TestSupport
import Testing
import Transport

@Suite struct ConnectorTests {
    /// Answers in turn what it was given; the last answer holds.
    private final class Script: Resolver {
        private let answers: Lock<[[Address]]>
        let asked = Counter()

        init(_ answers: [[Address]]) { self.answers = Lock(answers) }

        func addresses(of host: String, port: UInt16) async throws -> [Address] {
            asked.add()
            return answers.withLock { $0.count > 1 ? $0.removeFirst() : $0[0] }
        }
    }

    /// Says its own port and ends.
    private func server(_ loops: EventLoops) throws -> Listener {
        try Listener(at: .ip4(0x7f00_0001, port: 0), loops: loops, security: .plain) { connection in
            ByteStream(connection) { stream in
                while try await stream.read() != nil {}
                try await stream.write(Array("served".utf8))
            }
        }
    }

    /// A name may have an address where nobody is; and each connection asks anew where the name leads.
    @Test func triesEachAddressAndAsksAnew() async throws {
        let loops = try TestLoops()
        let servers = try (0..<2).map { _ in try server(loops.loops) }
        let gone = try server(loops.loops)
        await gone.drain(within: .zero)
        let resolver = Script([
            [gone.address, servers[0].address], [servers[1].address], [gone.address], [],
        ])
        let connector = Connector(security: .plain, resolver: resolver)
        func ask() async throws -> String {
            let back = try await exchange(
                [1], with: .host("servers.test", port: 1), connector, on: loops.loops.all[0])
            return String(decoding: back, as: UTF8.self)
        }
        #expect(try await ask() == "served")
        await servers[0].drain(within: .zero)
        #expect(try await ask() == "served")
        let refused = await #expect(throws: TransportError.self) { try await ask() }
        #expect(refused?.code == .connectFailed)
        let none = await #expect(throws: TransportError.self) { try await ask() }
        #expect(none?.code == .nameNotResolved)
        #expect(resolver.asked.value == 4)
    }

    /// Connections are dealt out evenly, and what happens on one happens on its loop.
    @Test func connectionsLiveOnOneLoop() async throws {
        let loops = try TestLoops(4)
        let places = Lock<[[Int]]>([])
        let listener = try Listener(
            at: .ip4(0x7f00_0001, port: 0), loops: loops.loops, security: .plain
        ) { connection in
            let all = loops.loops.all
            @Sendable func place() -> Int { all.firstIndex { $0.isCurrent } ?? -1 }
            let number = places.withLock { places in
                places.append([place()])
                return places.count - 1
            }
            return ByteStream(connection) { stream in
                while let bytes = try await stream.read() {
                    places.withLock { $0[number].append(place()) }
                    try await stream.write(bytes)
                    places.withLock { $0[number].append(place()) }
                }
            }
        }
        let endpoint = Endpoint.host("127.0.0.1", port: listener.address.port)
        var streams: [OpenStream] = []
        for _ in 0..<20 {
            let stream = try await OpenStream(endpoint, .plain, on: loops.loops.all[0])
            streams.append(stream)
            try await stream.send("a")
            #expect(try await stream.receive() == "a")
        }
        for stream in streams {
            try await stream.send("b")
            #expect(try await stream.receive() == "b")
        }
        for stream in streams { stream.close() }
        await eventually { listener.connections == 0 }
        let seen = places.withLock { $0 }
        #expect(seen.allSatisfy { $0.count == 5 && Set($0).count == 1 && $0[0] >= 0 })
        // The client's connections are all on the first loop, so that fewer of the server's are there.
        let shares = (0..<4).map { loop in seen.count { $0.first == loop } }
        #expect(shares.dropFirst().allSatisfy { $0 >= 5 }, "\(shares)")
    }
}
