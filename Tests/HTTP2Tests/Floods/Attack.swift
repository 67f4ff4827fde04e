// SPDX-License-Identifier: Apache-2.0

import Testing

/// A peer that does, as fast as it can, what costs it little and a server much.
struct Attack: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var offers: [(UInt16, UInt32)] = []
    var opening: [UInt8] = []
    /// The frames of round `n`, counted from 0 on each connection.
    var round: @Sendable (UInt32) -> [UInt8]

    /// How long the server took to cut the attacker off; nil when it did not.
    func timeToCut(port: UInt16) throws -> Duration? {
        let connection = try RawConnection(port: port)
        let start = ContinuousClock.now
        return attack(connection, from: start) ? ContinuousClock.now - start : nil
    }

    private func attack(_ connection: RawConnection, from start: ContinuousClock.Instant) -> Bool {
        let payload = offers.flatMap { [UInt8($0.0 >> 8), UInt8($0.0 & 255)] + number($0.1) }
        let greeting = RawConnection.magic + Frame(Frame.settings, 0, 0, payload).bytes + settingsAcknowledged
        guard connection.send(greeting + opening) else { return true }
        var turn: UInt32 = 0
        while ContinuousClock.now - start < .seconds(8) {
            var bytes: [UInt8] = []
            while bytes.count < 8192 {
                bytes += round(turn)
                turn += 1
            }
            guard connection.send(bytes, patience: 8000), connection.discardInput() else { return true }
        }
        return false
    }
}

extension Attack {
    private static let request = HeaderBlock.request()

    private static func id(_ turn: UInt32) -> UInt32 { 1 + 2 * turn }

    private static func resets(_ name: String, _ frames: @escaping @Sendable (UInt32) -> [UInt8]) -> Attack {
        Attack(testDescription: name, round: { frames(id($0)) })
    }

    private static func frames(_ name: String, opening: [UInt8] = [], _ frame: [UInt8]) -> Attack {
        let many = (0..<(1 + 8192 / frame.count)).flatMap { _ in frame }
        return Attack(testDescription: name, opening: opening, round: { _ in many })
    }

    private static let open = headers(1, request, end: false)

    /// Everything but the slow ones.
    static let all = madeResets + emptyFrames + heads

    private static let madeResets = [
        resets("rapid reset") { headers($0, request, end: false) + reset($0) },
        resets("made you reset: window update of 0") {
            headers($0, request, end: false) + windowUpdate($0, 0)
        },
        resets("made you reset: window overflow") {
            headers($0, request, end: false) + windowUpdate($0, 0x7fff_ffff)
        },
        resets("made you reset: priority on itself") {
            headers($0, request, end: false) + priority($0, on: $0)
        },
        resets("made you reset: malformed head") { headers($0, request + HeaderBlock.literal("X", "a")) },
        resets("made you reset: content-length") {
            headers($0, HeaderBlock.request([("content-length", "1")]), end: false) + data($0, message("a"))
        },
        resets("made you reset: body behind the end") { headers($0, request) + data($0, [0]) },
        resets("many streams") { headers($0, request, end: false) },
        Attack(testDescription: "many streams, SETTINGS not acknowledged") {
            headers(id($0), request, end: false)
        },
    ]

    private static let openings = (0..<700).flatMap { windowUpdate(id($0 % 100), 1) }

    private static let emptyFrames = [
        frames("ping", ping()),
        frames("answers to no ping", ping(flags: 1)),
        frames("settings", settings((3, 100))),
        frames(
            "settings of many entries",
            Frame(Frame.settings, 0, 0, (0..<32).flatMap { _ in [0, 4, 0, 0, 255, 255] as [UInt8] }).bytes),
        frames("priority", priority(3)),
        frames("window updates of the connection", windowUpdate(0, 1)),
        frames("window updates of a stream", opening: open, windowUpdate(1, 1)),
        frames("unknown frames", Frame(0xbe, 0, 0).bytes),
        frames("GOAWAY", opening: open, goAway()),
        frames("empty DATA", opening: open, data(1, [], end: false)),
        frames("DATA of padding", opening: open, data(1, [3, 0, 0, 0], end: false, flags: Frame.padded)),
        frames(
            "continuation", opening: headers(1, request, endHeaders: false),
            continuation(1, HeaderBlock.literal("a", "b"), end: false)),
        frames(
            "empty continuation", opening: headers(1, request, endHeaders: false),
            continuation(1, [], end: false)),
        Attack(
            testDescription: "tiny windows", offers: [(4, 1)],
            opening: (0..<100).flatMap {
                headers(id($0), HeaderBlock.request([("x-size", "10000000")]))
            }, round: { _ in openings }),
    ]

    private static let bomb =
        request + HeaderBlock.literal("x-bomb", String(repeating: "a", count: 4000), .incremental)

    private static let heads = [
        resets("header bomb: one entry, many references") {
            headers($0, ($0 == 1 ? bomb : request) + [UInt8](repeating: 0xbe, count: 8000))
        },
        resets("header bomb: many references within the limit of fields") {
            headers($0, ($0 == 1 ? bomb : request) + [UInt8](repeating: 0xbe, count: 50))
        },
        resets("header lists of 100 KiB") { stream in
            let part = HeaderBlock.literal("x-big", String(repeating: "a", count: 16_000))
            return headers(stream, request, endHeaders: false)
                + (0..<6).flatMap { continuation(stream, part, end: $0 == 5) }
        },
        resets("many small fields") {
            headers($0, request + (0..<4000).flatMap { _ in [0x00, 0x01, 0x61, 0x00] as [UInt8] })
        },
        frames("broken header block", headers(1, [0x40])),
    ]
}
