// SPDX-License-Identifier: Apache-2.0

/// Streams and messages as RFC 9113 forbids them.
extension Case {
    private init(_ section: String, _ name: String, _ bytes: [UInt8], _ outcome: Outcome) {
        self.init(group: .http2, section: section, name: name, steps: [.send(bytes)], outcome: outcome)
    }

    private init(_ section: String, _ name: String, steps: [Step], _ outcome: Outcome) {
        self.init(group: .http2, section: section, name: name, steps: steps, outcome: outcome)
    }

    private static let request = HeaderBlock.request()
    private static let open = headers(1, request, end: false)
    private static let malformed = Outcome.streamError(1, [.protocolError])

    static let streamErrors: [Case] = idle + halfClosed + closed + identifiers + heads + bodies

    private static let idle = [
        Case("5.1", "DATA on an idle stream", data(1, [1]), .connectionError([.protocolError])),
        Case("5.1", "RST_STREAM on an idle stream", reset(1), .connectionError([.protocolError])),
        Case(
            "5.1", "WINDOW_UPDATE on an idle stream", windowUpdate(1, 1), .connectionError([.protocolError])),
        Case(
            "5.1", "CONTINUATION on an idle stream", continuation(1, request),
            .connectionError([.protocolError])),
    ]

    /// The stream stays half-closed since its answer does not end by itself.
    private static let half = headers(1, HeaderBlock.request([("x-size", "10000000")]))

    private static let halfClosed = [
        Case("5.1", "DATA on a half-closed stream", half + data(1, [1]), .streamError(1, [.streamClosed])),
        Case(
            "5.1", "HEADERS on a half-closed stream", half + headers(1, request),
            .streamError(1, [.streamClosed])),
        Case(
            "5.1", "CONTINUATION on a half-closed stream", half + continuation(1, request),
            .streamError(1, [.streamClosed, .protocolError])),
    ]

    private static let closed = [
        Case(
            "5.1", "DATA behind RST_STREAM", open + reset(1) + data(1, [1]), .streamError(1, [.streamClosed])),
        Case(
            "5.1", "HEADERS behind RST_STREAM", open + reset(1) + headers(1, request),
            .streamError(1, [.streamClosed])),
        Case(
            "5.1", "CONTINUATION behind RST_STREAM", open + reset(1) + continuation(1, request),
            .streamError(1, [.streamClosed, .protocolError])),
        Case(
            "5.1", "DATA on a closed stream",
            steps: [.send(headers(1, request)), .answer(1), .send(data(1, [1]))],
            .streamError(1, [.streamClosed])),
        Case(
            "5.1", "HEADERS on a closed stream",
            steps: [.send(headers(1, request)), .answer(1), .send(headers(1, request))],
            .connectionError([.streamClosed])),
        Case(
            "5.1", "CONTINUATION on a closed stream",
            steps: [.send(headers(1, request)), .answer(1), .send(continuation(1, request))],
            .connectionError([.streamClosed, .protocolError])),
    ]

    private static let identifiers = [
        Case("5.1.1", "stream of an even number", headers(2, request), .connectionError([.protocolError])),
        Case(
            "5.1.1", "stream of a number below the last",
            steps: [.send(headers(5, request)), .answer(5), .send(headers(3, request))],
            .connectionError([.protocolError])),
        Case(
            "5.1.2", "more streams than are allowed",
            (0..<129).flatMap { headers(1 + 2 * UInt32($0), request, end: false) },
            .streamError(257, [.protocolError, .refusedStream])),
        Case(
            "5.3.1", "HEADERS that depend on themselves",
            headers(1, number(1) + [255] + request, flags: Frame.withPriority), malformed),
        Case("5.3.1", "PRIORITY that depends on itself", open + priority(1, on: 1), malformed),
    ]

    private static func head(_ name: String, _ fields: [(String, String)]) -> Case {
        Case("8.2", name, headers(1, HeaderBlock.request(fields)), malformed)
    }

    private static func head(_ name: String, without field: String, then more: [(String, String)] = [])
        -> Case
    {
        Case("8.3.1", name, headers(1, HeaderBlock.request(without: field, then: more)), malformed)
    }

    private static let heads = [
        head("upper case in a name", [("X-Test", "ok")]),
        Case(
            "8.3", "unknown pseudo-field", headers(1, HeaderBlock.fields([(":test", "ok")]) + request),
            malformed),
        Case(
            "8.3", "pseudo-field of responses",
            headers(1, HeaderBlock.fields([(":status", "200")]) + request), malformed),
        Case(
            "8.3", "pseudo-field in trailers",
            open + data(1, message("a"), end: false) + headers(1, HeaderBlock.fields([(":method", "POST")])),
            malformed),
        Case(
            "8.3", "pseudo-field behind a field",
            headers(1, HeaderBlock.request(without: ":path", then: [(":path", "/")])),
            malformed),
        head("connection-specific field", [("connection", "keep-alive")]),
        Case(
            "8.2.2", "te of another value than trailers",
            headers(1, HeaderBlock.request(without: "te", then: [("te", "trailers, deflate")])), malformed),
        Case(
            "8.3.1", "empty :path",
            headers(
                1,
                HeaderBlock.fields(
                    HeaderBlock.pseudo.map { ($0.0, $0.0 == ":path" ? "" : $0.1) } + HeaderBlock.regular)),
            malformed),
        head("no :method", without: ":method"),
        head("no :scheme", without: ":scheme"),
        head("no :path", without: ":path"),
        Case(
            "8.3.1", "two :method", headers(1, HeaderBlock.fields([(":method", "POST")]) + request), malformed
        ),
        Case(
            "8.3.1", "two :scheme", headers(1, HeaderBlock.fields([(":scheme", "http")]) + request), malformed
        ),
        Case("8.3.1", "two :path", headers(1, HeaderBlock.fields([(":path", "/")]) + request), malformed),
    ]

    private static let bodies = [
        Case(
            "8.1", "second HEADERS without END_STREAM",
            open + data(1, message("a"), end: false)
                + headers(1, HeaderBlock.literal("x-test", "ok"), end: false),
            malformed),
        Case(
            "8.1.1", "content-length that is not the length of the DATA frame",
            headers(1, HeaderBlock.request([("content-length", "1")]), end: false) + data(1, message("test")),
            malformed),
        Case(
            "8.1.1", "content-length that is not the sum of the DATA frames",
            headers(1, HeaderBlock.request([("content-length", "12")]), end: false)
                + data(1, message(""), end: false) + data(1, message("")), malformed),
        Case(
            "8.4", "PUSH_PROMISE of a client",
            open + Frame(Frame.pushPromise, Frame.endHeaders, 1, number(2) + request).bytes,
            .connectionError([.protocolError])),
    ]
}
