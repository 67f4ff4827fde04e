// SPDX-License-Identifier: Apache-2.0

import Testing

/// A peer that holds a server's attention and memory by doing next to nothing.
struct SlowPeer: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var opening: [UInt8]
    /// Said again and again, a part every 100 ms.
    var dribble: [[UInt8]] = []
    /// Whether it takes what is in its socket.
    var reads = true
    /// Slow, and yet not to be cut off.
    var isHonest = false

    /// How long until the server has cut it off; nil when it has not in `most`.
    func play(port: UInt16, most: Duration) throws -> Duration? {
        let connection = try RawConnection(port: port, receiveBuffer: reads ? nil : 4096)
        let start = ContinuousClock.now
        connection.send(opening)
        var turn = 0
        while ContinuousClock.now - start < most {
            if connection.isCut() || reads && !connection.discardInput() {
                return ContinuousClock.now - start
            }
            if !dribble.isEmpty {
                let next = dribble[turn % dribble.count]
                turn += 1
                guard connection.send(next, patience: 0) else { return ContinuousClock.now - start }
            }
            RawConnection.pause(milliseconds: 100)
        }
        return nil
    }

    private static func greeting(_ entries: (UInt16, UInt32)...) -> [UInt8] {
        let payload = entries.flatMap { [UInt8($0.0 >> 8), UInt8($0.0 & 255)] + number($0.1) }
        return RawConnection.magic + Frame(Frame.settings, 0, 0, payload).bytes + settingsAcknowledged
    }

    private static let request = HeaderBlock.request()
    private static let large = HeaderBlock.request([("x-size", "100000000")])
    /// As many streams as there may be, each of which asks for 100 MB.
    private static let greed = (0..<128).flatMap { headers(1 + 2 * UInt32($0), large) }

    private static let field: [[UInt8]] = [[0x00], [0x01], [0x61], [0x01], [0x61]]

    static let all =
        dishonest + [
            SlowPeer(
                testDescription: "a call that lasts", opening: greeting() + headers(1, request, end: false),
                isHonest: true),
            SlowPeer(
                testDescription: "a call of many small messages",
                opening: greeting() + headers(1, request, end: false),
                dribble: [data(1, message("a"), end: false)], isHonest: true),
            SlowPeer(
                testDescription: "takes 4 KiB a second", opening: greeting((4, 1000)) + headers(1, large),
                dribble: [windowUpdate(1, 400) + windowUpdate(0, 400)], isHonest: true),
        ]

    private static let dishonest = [
        SlowPeer(testDescription: "says nothing", opening: []),
        SlowPeer(testDescription: "half a preface", opening: Array(RawConnection.magic.prefix(10))),
        SlowPeer(
            testDescription: "preface byte by byte", opening: [], dribble: RawConnection.magic.map { [$0] }),
        SlowPeer(testDescription: "preface without SETTINGS", opening: RawConnection.magic),
        SlowPeer(testDescription: "half the head of a frame", opening: greeting() + [0, 0, 20, 1]),
        SlowPeer(
            testDescription: "half of HEADERS",
            opening: greeting() + Array(headers(1, request).prefix(30))),
        SlowPeer(
            testDescription: "HEADERS byte by byte", opening: greeting() + [0, 0x3f, 0xff, 1, 4, 0, 0, 0, 1],
            dribble: field),
        SlowPeer(
            testDescription: "header block without end",
            opening: greeting() + headers(1, request, endHeaders: false)),
        SlowPeer(
            testDescription: "CONTINUATION byte by byte",
            opening: greeting() + headers(1, request, endHeaders: false) + [0, 0x3f, 0xff, 9, 0, 0, 0, 0, 1],
            dribble: field),
        SlowPeer(
            testDescription: "half of DATA",
            opening: greeting() + headers(1, request, end: false) + [0, 0x40, 0, 0, 0, 0, 0, 0, 1, 0]),
        SlowPeer(testDescription: "windows shut", opening: greeting((4, 0)) + greed),
        SlowPeer(
            testDescription: "windows opened by a byte", opening: greeting((4, 1)) + greed,
            dribble: windowUpdate(1, 1).map { [$0] }),
        SlowPeer(
            testDescription: "window of the connection shut", opening: greeting((4, 0x7fff_ffff)) + greed),
        SlowPeer(
            testDescription: "socket not read",
            opening: greeting((4, 0x7fff_ffff)) + windowUpdate(0, 0x7000_0000) + greed, reads: false),
    ]
}
