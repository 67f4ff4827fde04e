// SPDX-License-Identifier: Apache-2.0

/// Beyond the public suite: what else the RFCs forbid, and what this house refuses.
extension Case {
    private init(_ section: String, _ name: String, _ bytes: [UInt8], _ outcome: Outcome) {
        self.init(group: .house, section: section, name: name, steps: [.send(bytes)], outcome: outcome)
    }

    private static let request = HeaderBlock.request()
    private static let open = headers(1, request, end: false)
    private static let malformed = Outcome.streamError(1, [.protocolError])
    private static let compressionError = Outcome.connectionError([.compression])
    private static let anyError = Outcome.connectionError([.protocolError, .internalError, .enhanceYourCalm])

    static let house: [Case] = startsWell + fields + lengths + tables + streams + limits

    private static func greeting(_ name: String, _ bytes: [UInt8], _ outcome: Outcome) -> Case {
        Case(
            group: .house, section: "3.4", name: name, greets: false, steps: [.send(bytes)], outcome: outcome)
    }

    private static let startsWell = [
        greeting("HTTP/1.1 request", Array("GET / HTTP/1.1\r\nhost: a\r\n\r\n".utf8), anyError),
        greeting("preface, then PING", RawConnection.magic + ping(), anyError),
        greeting("preface, then HEADERS", RawConnection.magic + headers(1, request), anyError),
        greeting(
            "preface, then acknowledgement", RawConnection.magic + settingsAcknowledged,
            .connectionError([.protocolError])),
        greeting(
            "preface, SETTINGS and a request in one piece",
            RawConnection.magic + settings() + headers(1, request), .answered(1)),
        Case(
            "6.5.3", "acknowledgement that nobody waits for", settingsAcknowledged,
            .connectionError([.protocolError])),
        Case("3.4", "second preface", RawConnection.magic, .connectionError([.frameSize, .protocolError])),
    ]

    private static func field(_ section: String, _ name: String, _ field: String, _ value: String) -> Case {
        Case(section, name, headers(1, HeaderBlock.request([(field, value)])), malformed)
    }

    private static let fields = [
        field("8.2.1", "space in a name", "x test", "a"),
        field("8.2.1", "NUL in a name", "x\0test", "a"),
        field("8.2.1", "line feed in a name", "x\ntest", "a"),
        field("8.2.1", "colon in a name", "x:test", "a"),
        field("8.2.1", "no name", "", "a"),
        field("8.2.1", "NUL in a value", "x-test", "a\0b"),
        field("8.2.1", "carriage return in a value", "x-test", "a\rb"),
        field("8.2.1", "line feed in a value", "x-test", "a\nb"),
        field("8.2.1", "new line that smuggles a field", "x-test", "a\r\nx-other: b"),
        field("8.2.2", "keep-alive", "keep-alive", "timeout=5"),
        field("8.2.2", "proxy-connection", "proxy-connection", "keep-alive"),
        field("8.2.2", "transfer-encoding", "transfer-encoding", "chunked"),
        field("8.2.2", "upgrade", "upgrade", "h2c"),
        field("8.3", "pseudo-field behind fields", ":authority", "other"),
        Case(
            "8.2.1", "characters beyond ASCII in a value", headers(1, HeaderBlock.request([("x-test", "ü")])),
            .answered(1, "ü")),
        Case(
            "8.3.1", "two :authority", headers(1, HeaderBlock.fields([(":authority", "a")]) + request),
            malformed),
        Case(
            "8.3.1", ":path without a slash",
            headers(
                1,
                HeaderBlock.fields(
                    HeaderBlock.pseudo.map { ($0.0, $0.0 == ":path" ? "no-slash" : $0.1) }
                        + HeaderBlock.regular)), malformed),
        Case(
            "8.3.1", ":method with a space", headers(1, HeaderBlock.request(method: "PO ST")), malformed),
        Case("8.3.1", "empty :method", headers(1, HeaderBlock.request(method: "")), malformed),
        Case("8.1", "no fields at all", headers(1, []), malformed),
    ]

    private static let lengths = [
        field("8.1.1", "content-length of a text", "content-length", "ten"),
        field("8.1.1", "content-length below zero", "content-length", "-1"),
        field("8.1.1", "content-length beyond numbers", "content-length", "99999999999999999999999999"),
        field("8.1.1", "content-length without a body", "content-length", "5"),
        Case(
            "8.1.1", "two content-length",
            headers(1, HeaderBlock.request([("content-length", "6"), ("content-length", "7")]), end: false)
                + data(1, message("a")), malformed),
        Case(
            "8.1.1", "content-length that fits",
            headers(1, HeaderBlock.request([("content-length", "6")]), end: false) + data(1, message("a")),
            .answered(1, "\0\0\0\0\u{1}a")),
    ]

    private static let first = HeaderBlock.literal("x-test", "one", .incremental)

    private static let tables = [
        Case(
            "RFC 7541 2.3.2", "field from the dynamic table",
            headers(1, request + first) + headers(3, request + HeaderBlock.indexed(62)), .answered(3, "one")),
        Case(
            "RFC 7541 2.3.2", "name from the dynamic table",
            headers(1, request + first) + headers(3, request + HeaderBlock.literal(index: 62, "two")),
            .answered(3, "two")),
        Case(
            "RFC 7541 4.3", "field that a smaller table has lost",
            headers(1, request + first)
                + headers(3, HeaderBlock.tableSize(0) + request + HeaderBlock.indexed(62)), compressionError),
        Case(
            "RFC 7541 4.4", "field larger than the table empties it",
            headers(1, request + first)
                + headers(
                    3,
                    request
                        + HeaderBlock.literal("x-big", String(repeating: "a", count: 5000), .incremental)
                        + HeaderBlock.indexed(62)), compressionError),
        Case(
            "RFC 7541 5.1", "integer without end",
            headers(1, request + [0xff] + [UInt8](repeating: 0x80, count: 200) + [0x01]), compressionError),
        Case(
            "RFC 7541 5.1", "integer beyond 32 bits",
            headers(1, request + [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]), compressionError),
        Case(
            "RFC 7541 5.2", "string longer than the block",
            headers(1, request + [0x00, 0x06] + Array("x-test".utf8) + [0x7f, 0x61]), compressionError),
        Case(
            "RFC 7541 5.2", "block that ends in a name", headers(1, request + [0x00, 0x06, 0x78]),
            compressionError),
        Case(
            "RFC 7541 4.2", "table size update in the middle",
            headers(1, HeaderBlock.indexed(3) + HeaderBlock.tableSize(0) + HeaderBlock.indexed(6)),
            compressionError),
        Case(
            "RFC 7541 6.2.1", "name's index beyond the tables, indexed",
            headers(1, request + HeaderBlock.literal(index: 100, "v", .incremental)), compressionError),
        Case(
            "4.3", "the table lives through a refused stream",
            headers(1, HeaderBlock.request(without: ":path") + first)
                + headers(3, request + HeaderBlock.indexed(62)), .streamError(1, [.protocolError])),
    ]

    private static let streams = [
        Case("5.1.1", "the largest number", headers(0x7fff_ffff, request), .answered(0x7fff_ffff)),
        Case("5.1.1", "reserved bit of the number", headers(1 | 1 << 31, request), .answered(1)),
        Case(
            "5.1.1", "number that was left out, while others are open",
            headers(1, request, end: false) + headers(7, request, end: false) + headers(5, request),
            .connectionError([.protocolError])),
        Case(
            group: .house, section: "5.1", name: "WINDOW_UPDATE and RST_STREAM on a closed stream",
            steps: [.send(headers(1, request)), .answer(1), .send(windowUpdate(1, 1) + reset(1))],
            outcome: .alive),
        Case(
            "5.1", "DATA that crosses with a reset",
            headers(1, HeaderBlock.request(without: ":path"), end: false) + data(1, [1], end: false)
                + data(1, [2]) + headers(3, request), .streamError(1, [.protocolError])),
        Case(
            group: .house, section: "5.1", name: "DATA of streams that are refused", greets: false,
            steps: [
                .send(
                    RawConnection.magic + settings()
                        + (0..<140).flatMap { headers(1 + 2 * UInt32($0), request, end: false) }
                        + data(277, message("a")) + data(279, message("a")))
            ], outcome: .streamError(279, [.refusedStream])),
        Case(
            "6.9.1", "padding is paid back to the windows",
            open
                + (0..<1400).flatMap { _ in
                    data(1, [254, 0] + [UInt8](repeating: 0, count: 254), end: false, flags: Frame.padded)
                }, .alive),
        Case(
            "6.8", "GOAWAY while a call runs", open + goAway() + data(1, message("a")),
            .connectionError([.noError])),
        Case(
            "6.6", "PUSH_PROMISE on stream 0",
            Frame(Frame.pushPromise, Frame.endHeaders, 0, number(2) + request).bytes,
            .connectionError([.protocolError])),
        Case(
            "6.2", "padding longer than the frame", headers(1, [255], flags: Frame.padded),
            .connectionError([.protocolError, .frameSize])),
        Case(
            "6.2", "HEADERS too short for their priority", headers(1, [0, 0], flags: Frame.withPriority),
            .connectionError([.frameSize, .protocolError])),
        Case(
            "6.1", "DATA too short for its padding", open + data(1, [], flags: Frame.padded),
            .connectionError([.frameSize, .protocolError])),
        Case(
            "6.8", "GOAWAY of four bytes", Frame(Frame.goAway, 0, 0, [0, 0, 0, 0]).bytes,
            .connectionError([.frameSize])),
        Case(
            "4.2", "PING of the largest size",
            Frame(Frame.ping, 0, 0, [UInt8](repeating: 0, count: 0xff_ffff)).bytes,
            .connectionError([.frameSize])),
    ]

    private static let limits = [
        Case(
            "6.5.2", "33 settings at once",
            Frame(Frame.settings, 0, 0, (0..<33).flatMap { _ in [0, 3, 0, 0, 0, 100] as [UInt8] }).bytes,
            .connectionError([.enhanceYourCalm])),
        Case(
            "6.10", "nine CONTINUATIONs",
            headers(1, request, endHeaders: false)
                + (0..<9).flatMap { _ in continuation(1, [], end: false) } + continuation(1, []),
            .connectionError([.enhanceYourCalm])),
        Case(
            "10.5.1", "head over the limit is answered",
            headers(1, HeaderBlock.request((0..<100).map { ("x-many", "\($0)") })), .answered(1)),
        Case(
            "10.5.1", "value over the limit is answered",
            headers(
                1,
                Array(HeaderBlock.request([("x-big", String(repeating: "a", count: 20_000))]).prefix(16_000)),
                endHeaders: false)
                + continuation(
                    1,
                    Array(
                        HeaderBlock.request([("x-big", String(repeating: "a", count: 20_000))]).dropFirst(
                            16_000))
                ), .answered(1)),
        Case(
            "10.5.1", "head far beyond the limit",
            headers(
                1,
                request + HeaderBlock.literal("x-bomb", String(repeating: "a", count: 4000), .incremental)
                    + [UInt8](repeating: 0xbe, count: 8000)), .connectionError([.enhanceYourCalm])),
    ]
}
