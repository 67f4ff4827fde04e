// SPDX-License-Identifier: Apache-2.0

import HTTP2
import Testing

/// Peers that send what costs them little and this side much: each is cut off with ENHANCE_YOUR_CALM.
@Suite struct FloodTests {
    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + frame(4, 0, 0, [])

    static func frame(_ type: UInt8, _ flags: UInt8, _ stream: UInt32, _ payload: [UInt8]) -> [UInt8] {
        let count = payload.count
        return [UInt8(count >> 16 & 255), UInt8(count >> 8 & 255), UInt8(count & 255), type, flags]
            + (0..<4).map { UInt8(stream >> (24 - 8 * $0) & 255) } + payload
    }

    /// GET / as HPACK's static table has it, with an authority.
    static let get: [UInt8] = [0x82, 0x87, 0x84, 0x01, 0x01, 0x61]

    struct Flood: Sendable, CustomTestStringConvertible {
        var testDescription: String
        /// The frames of round `n`, counted from 0.
        var round: @Sendable (UInt32) -> [UInt8]
    }

    static let floods: [Flood] = [
        Flood(testDescription: "rapid reset") { n in
            frame(1, 5, 1 + 2 * n, get) + frame(3, 0, 1 + 2 * n, [0, 0, 0, 8])
        },
        Flood(testDescription: "made you reset: window update of zero") { n in
            frame(1, 5, 1 + 2 * n, get) + frame(8, 0, 1 + 2 * n, [0, 0, 0, 0])
        },
        Flood(testDescription: "made you reset: window overflow") { n in
            frame(1, 5, 1 + 2 * n, get) + frame(8, 0, 1 + 2 * n, [0x7f, 0xff, 0xff, 0xff])
        },
        Flood(testDescription: "ping") { _ in frame(6, 0, 0, [0, 0, 0, 0, 0, 0, 0, 1]) },
        Flood(testDescription: "settings") { _ in frame(4, 0, 0, [0, 3, 0, 0, 0, 100]) },
        Flood(testDescription: "priority") { n in frame(2, 0, 1 + 2 * n, [0, 0, 0, 0, 1]) },
        Flood(testDescription: "empty data") { n in
            (n == 0 ? frame(1, 4, 1, get) : []) + frame(0, 0, 1, [])
        },
        Flood(testDescription: "window updates of one byte") { n in
            (0..<50).flatMap { _ in frame(8, 0, 0, [0, 0, 0, 1]) }
        },
        Flood(testDescription: "continuation") { n in
            (n == 0 ? frame(1, 1, 1, get) : []) + frame(9, 0, 1, [0x00, 0x01, 0x61, 0x01, 0x62])
        },
    ]

    @Test(arguments: floods) func cutsOff(_ flood: Flood) throws {
        let session = try Session(.server)
        defer { session.disconnected() }
        session.accept = { stream, _ in Recorder(stream) }
        try session.receive(Self.preface.span, at: 0)
        var output: [UInt8] = []
        var rounds: UInt32 = 0
        while rounds < 3000 {
            let bytes = flood.round(rounds)
            rounds += 1
            do { try session.receive(bytes.span, at: UInt64(rounds)) } catch { break }
            while try session.nextOutput({ span in for index in span.indices { output.append(span[index]) } })
            {}
            if session.isFinished { break }
        }
        while try session.nextOutput({ span in for index in span.indices { output.append(span[index]) } }) {}
        #expect(rounds <= 1200)
        #expect(session.isFinished)
        // The last frame is a GOAWAY, and it does not say that all was well.
        let goAway = try #require(lastFrame(output))
        #expect(goAway.type == 7)
        #expect(goAway.payload.suffix(from: 4) != [0, 0, 0, 0])
    }

    /// Honest use at the same pace is not cut off.
    @Test func anHonestPeerIsNotCutOff() throws {
        let pair = try Pair()
        for second in 0..<200 as Range<UInt64> {
            pair.now = second * 1_000_000_000
            for _ in 0..<40 {
                let call = try pair.request("/", end: false)
                try pair.run()
                call.stream?.reset(.cancel)
                pair.client.ping(1)
                try pair.run()
            }
        }
        #expect(pair.served.count == 8000)
    }

    private func lastFrame(_ bytes: [UInt8]) -> (type: UInt8, payload: [UInt8])? {
        var offset = 0
        var last: (UInt8, [UInt8])?
        while offset + 9 <= bytes.count {
            let count = Int(bytes[offset]) << 16 | Int(bytes[offset + 1]) << 8 | Int(bytes[offset + 2])
            guard offset + 9 + count <= bytes.count else { return nil }
            last = (bytes[offset + 3], Array(bytes[offset + 9..<offset + 9 + count]))
            offset += 9 + count
        }
        return last
    }
}
