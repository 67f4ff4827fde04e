// SPDX-License-Identifier: Apache-2.0

/// Frames that RFC 9113 forbids, section by section.
extension Case {
    private init(_ section: String, _ name: String, _ bytes: [UInt8], _ outcome: Outcome) {
        self.init(group: .http2, section: section, name: name, steps: [.send(bytes)], outcome: outcome)
    }

    private static let request = HeaderBlock.request()
    private static let open = headers(1, request, end: false)
    private static let protocolError = Outcome.connectionError([.protocolError])
    private static let frameSize = Outcome.connectionError([.frameSize])

    static let frameErrors: [Case] =
        preface + format + dataFrames + headersFrames + priorities + settingsFrames + pings + windows
        + continuations

    private static let preface = [
        Case(
            group: .http2, section: "3.4", name: "preface and SETTINGS", greets: false,
            steps: [.send(RawConnection.magic + settings())], outcome: .settings),
        Case(
            group: .http2, section: "3.4", name: "wrong preface", greets: false,
            steps: [.send(Array("INVALID CONNECTION PREFACE\r\n\r\n".utf8))], outcome: protocolError),
    ]

    private static let format = [
        Case(
            "4.1", "unknown type of frame", Frame(0x16, 0, 0, Array("anything".utf8)).bytes, .alive),
        Case("4.1", "undefined flags", ping(flags: 0x16), .pong("pingping")),
        Case(
            "4.1", "reserved bit", Frame(Frame.ping, 0, 1 << 31, Array("reserved".utf8)).bytes,
            .pong("reserved")),
        Case(
            "4.2", "DATA of 16,384 bytes",
            open + Case.body(16_384, end: true), .answered(1)),
        Case(
            "4.2", "DATA of 16,385 bytes",
            open + Frame(Frame.data, 1, 1, [UInt8](repeating: 0, count: 16_385)).bytes,
            .streamError(1, [.frameSize])),
        Case(
            "4.2", "HEADERS of more than 16,384 bytes",
            headers(1, request + HeaderBlock.literal("x-big", String(repeating: "a", count: 17_000))),
            frameSize),
        Case(
            "4.3", "broken header block", headers(1, [0x40]) + headers(3, request),
            .connectionError([.compression])),
        Case(
            "4.3", "PRIORITY within a header block",
            headers(1, request, endHeaders: false) + priority(1) + continuation(1, []), protocolError),
        Case(
            "4.3", "HEADERS of another stream within a header block",
            headers(1, request, endHeaders: false) + headers(3, request), protocolError),
        Case("5.4.1", "PING of six bytes ends the connection", ping([1, 2, 3, 4, 5, 6]), frameSize),
        Case("5.4.1", "PING of ten bytes brings GOAWAY", ping([UInt8](repeating: 0, count: 10)), frameSize),
        Case(
            "5.5", "unknown type of frame on a stream", Frame(0xbe, 0xff, 1, []).bytes + headers(1, request),
            .answered(1)),
        Case(
            "5.5", "unknown type of frame within a header block",
            headers(1, request, endHeaders: false) + Frame(0xbe, 0, 1, [0]).bytes + continuation(1, []),
            protocolError),
    ]

    /// DATA of so many bytes that is a whole gRPC message.
    static func body(_ count: Int, end: Bool) -> [UInt8] {
        Frame(
            Frame.data, end ? 1 : 0, 1,
            [0] + number(UInt32(count - 5)) + [UInt8](repeating: 0x61, count: count - 5)
        ).bytes
    }

    private static let dataFrames = [
        Case("6.1", "DATA on stream 0", Frame(Frame.data, 1, 0, [1]).bytes, protocolError),
        Case(
            "6.1", "DATA on a stream that is closed",
            headers(1, request) + Frame(Frame.data, 1, 1, [1]).bytes, .streamError(1, [.streamClosed])),
        Case(
            "6.1", "DATA with padding as long as the frame",
            open + Frame(Frame.data, 1 | Frame.padded, 1, [6, 1, 2, 3, 4, 5]).bytes, protocolError),
    ]

    private static let headersFrames = [
        Case(
            "6.2", "HEADERS without END_HEADERS, then PRIORITY",
            headers(1, request, endHeaders: false) + priority(3), protocolError),
        Case(
            "6.2", "HEADERS without END_HEADERS, then HEADERS of another stream",
            headers(1, request, endHeaders: false) + headers(3, request, endHeaders: false), protocolError),
        Case("6.2", "HEADERS on stream 0", headers(0, request), protocolError),
        Case(
            "6.2", "HEADERS with padding as long as the frame",
            headers(1, [UInt8(truncatingIfNeeded: request.count + 1)] + request, flags: Frame.padded),
            protocolError),
    ]

    private static let priorities = [
        Case("6.3", "PRIORITY on stream 0", priority(0, on: 1), protocolError),
        Case(
            "6.3", "PRIORITY of four bytes", open + Frame(Frame.priority, 0, 1, [0, 0, 0, 3]).bytes,
            .streamError(1, [.frameSize])),
        Case("6.4", "RST_STREAM on stream 0", reset(0), protocolError),
        Case("6.4", "RST_STREAM on an idle stream", reset(1), protocolError),
        Case(
            "6.4", "RST_STREAM of three bytes", open + Frame(Frame.reset, 0, 1, [0, 0, 8]).bytes, frameSize),
    ]

    private static let settingsFrames = [
        Case(
            "6.5", "acknowledgement with content", Frame(Frame.settings, 1, 0, [0, 1, 0, 0, 0, 1]).bytes,
            frameSize
        ),
        Case(
            "6.5", "SETTINGS on a stream", Frame(Frame.settings, 0, 1, [0, 3, 0, 0, 0, 1]).bytes,
            protocolError),
        Case("6.5", "SETTINGS of three bytes", Frame(Frame.settings, 0, 0, [0, 3, 0]).bytes, frameSize),
        Case("6.5.2", "ENABLE_PUSH of 2", settings((2, 2)), protocolError),
        Case(
            "6.5.2", "INITIAL_WINDOW_SIZE over the most", settings((4, 1 << 31)),
            .connectionError([.flowControl])),
        Case("6.5.2", "MAX_FRAME_SIZE below the least", settings((5, 16_383)), protocolError),
        Case("6.5.2", "MAX_FRAME_SIZE over the most", settings((5, 16_777_216)), protocolError),
        Case("6.5.2", "unknown setting", settings((0xff, 1)), .alive),
        Case(
            group: .http2, section: "6.5.3", name: "the last of several values holds",
            offers: [(4, 100), (4, 1)],
            steps: [.send(open + data(1, message("hello")))], outcome: .dataSizes(1, [1])),
        Case("6.5.3", "SETTINGS are acknowledged", settings((3, 50)), .settingsAcknowledged),
    ]

    private static let pings = [
        Case("6.7", "PING", ping(Array("8 bytes.".utf8)), .pong("8 bytes.")),
        Case(
            "6.7", "PING with ACK is not answered",
            ping(Array("no reply".utf8), flags: 1) + ping(Array("an reply".utf8)),
            .pong("an reply")),
        Case(
            "6.7", "PING on a stream", Frame(Frame.ping, 0, 1, [UInt8](repeating: 0, count: 8)).bytes,
            protocolError),
        Case("6.7", "PING of six bytes", ping([0, 0, 0, 0, 0, 0]), frameSize),
        Case(
            "6.8", "GOAWAY on a stream", Frame(Frame.goAway, 0, 1, number(0) + number(0)).bytes, protocolError
        ),
        Case("7", "GOAWAY with an unknown code", goAway(0xff), .connectionError([.noError])),
        Case("7", "RST_STREAM with an unknown code", open + reset(1, 0xff), .alive),
    ]

    private static let windows = [
        Case("6.9", "WINDOW_UPDATE of 0 for the connection", windowUpdate(0, 0), protocolError),
        Case(
            "6.9", "WINDOW_UPDATE of 0 for a stream", open + windowUpdate(1, 0),
            .streamError(1, [.protocolError])),
        Case(
            "6.9", "WINDOW_UPDATE of three bytes", Frame(Frame.windowUpdate, 0, 0, [0, 0, 1]).bytes, frameSize
        ),
        Case(
            group: .http2, section: "6.9.1", name: "no more DATA than the window", offers: [(4, 1)],
            steps: [.send(open + data(1, message("hello")))], outcome: .dataSizes(1, [1])),
        Case(
            "6.9.1", "connection's window over the most",
            windowUpdate(0, 0x7fff_ffff) + windowUpdate(0, 0x7fff_ffff),
            .connectionError([.flowControl])),
        Case(
            "6.9.1", "stream's window over the most",
            open + windowUpdate(1, 0x7fff_ffff) + windowUpdate(1, 0x7fff_ffff),
            .streamError(1, [.flowControl])),
        Case(
            group: .http2, section: "6.9.2", name: "SETTINGS open the windows of streams", offers: [(4, 0)],
            steps: [.send(open + data(1, message("hello")) + Case.opened(1))],
            outcome: .dataSizes(1, [1])),
        Case(
            group: .http2, section: "6.9.2", name: "windows below zero", offers: [(4, 3)],
            steps: [
                .send(open + data(1, message("hello"))), .data(1, 3),
                .send(Case.opened(2) + windowUpdate(1, 2)),
            ], outcome: .dataSizes(1, [3, 1])),
        Case(
            "6.9.2", "INITIAL_WINDOW_SIZE over the most", settings((4, 0xffff_ffff)),
            .connectionError([.flowControl])),
    ]

    private static func opened(_ size: UInt32) -> [UInt8] {
        Frame(Frame.settings, 0, 0, [0, 4] + number(size)).bytes
    }

    private static let continuations = [
        Case(
            "6.10", "CONTINUATIONs one after the other",
            headers(1, Array(request.prefix(7)), endHeaders: false)
                + continuation(1, Array(request[7..<14]), end: false)
                + continuation(1, Array(request.dropFirst(14))),
            .answered(1)),
        Case(
            "6.10", "another frame behind CONTINUATION",
            headers(1, request, endHeaders: false) + continuation(1, [], end: false) + ping(), protocolError),
        Case(
            "6.10", "CONTINUATION on stream 0", headers(1, request, endHeaders: false) + continuation(0, []),
            protocolError),
        Case(
            "6.10", "CONTINUATION behind HEADERS with END_HEADERS",
            headers(1, request, end: false) + continuation(1, []), protocolError),
        Case(
            "6.10", "CONTINUATION behind CONTINUATION with END_HEADERS",
            headers(1, request, end: false, endHeaders: false) + continuation(1, []) + continuation(1, []),
            protocolError),
        Case(
            "6.10", "CONTINUATION behind DATA", open + Case.body(6, end: false) + continuation(1, []),
            protocolError),
    ]
}
