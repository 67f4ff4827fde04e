// SPDX-License-Identifier: Apache-2.0

/// A gRPC message, which is a body like any other to a bare server.
func message(_ text: String) -> [UInt8] { [0] + number(UInt32(text.utf8.count)) + Array(text.utf8) }

extension Case {
    private init(
        _ section: String, _ name: String, _ bytes: [UInt8], _ outcome: Outcome,
        settings: [(UInt16, UInt32)] = []
    ) {
        self.init(
            group: .generic, section: section, name: name, steps: [.send(bytes)],
            outcome: outcome)
    }

    private init(_ section: String, _ name: String, steps: [Step], _ outcome: Outcome) {
        self.init(group: .generic, section: section, name: name, steps: steps, outcome: outcome)
    }

    /// What every server has to do with well-formed frames.
    static let generic: [Case] = start + states + frames + messages + compression

    private static let request = HeaderBlock.request()

    private static let start = [
        Case(
            group: .generic, section: "3.4", name: "client preface", greets: false,
            steps: [.send(RawConnection.magic + settings())], outcome: .settings)
    ]

    private static let states = [
        Case(
            "5.1", "PRIORITY on an idle stream", priority(1) + headers(1, request), .answered(1)),
        Case(
            "5.1", "WINDOW_UPDATE on a half-closed stream",
            settings((4, 0)) + headers(1, HeaderBlock.request([("x-test", "a")])) + windowUpdate(1, 100),
            .answered(1)),
        Case(
            "5.1", "PRIORITY on a half-closed stream",
            headers(1, request, end: false) + data(1, message("a")) + priority(1, on: 3), .answered(1)),
        Case(
            "5.1", "RST_STREAM on a half-closed stream",
            headers(1, HeaderBlock.request([("x-size", "10000000")])) + reset(1), .alive),
        Case(
            "5.1", "PRIORITY on a closed stream",
            steps: [.send(headers(1, request)), .answer(1), .send(priority(1))], .alive),
    ]

    private static let frames = [
        Case(
            "6.1", "one DATA frame", headers(1, request, end: false) + data(1, message("hello")),
            .answered(1, "\0\0\0\0\u{5}hello")),
        Case(
            "6.1", "several DATA frames",
            headers(1, request, end: false) + data(1, Array(message("hello").prefix(3)), end: false)
                + data(1, Array(message("hello").dropFirst(3))), .answered(1, "\0\0\0\0\u{5}hello")),
        Case(
            "6.1", "DATA with padding",
            headers(1, request, end: false)
                + data(1, [5] + message("hello") + [0, 0, 0, 0, 0], flags: Frame.padded),
            .answered(1, "\0\0\0\0\u{5}hello")),
        Case("6.2", "HEADERS", headers(1, request), .answered(1)),
        Case(
            "6.2", "HEADERS with padding", headers(1, [4] + request + [0, 0, 0, 0], flags: Frame.padded),
            .answered(1)),
        Case(
            "6.2", "HEADERS with priority",
            headers(1, number(0) + [255] + request, flags: Frame.withPriority), .answered(1)),
        Case("6.3", "PRIORITY with weight 1", priority(1, weight: 0) + headers(1, request), .answered(1)),
        Case("6.3", "PRIORITY with weight 256", priority(1, weight: 255) + headers(1, request), .answered(1)),
        Case("6.3", "PRIORITY with a dependency", priority(1, on: 3) + headers(1, request), .answered(1)),
        Case(
            "6.3", "PRIORITY, exclusive", priority(1, on: 3, exclusive: true) + headers(1, request),
            .answered(1)),
        Case(
            "6.3", "PRIORITY of a higher stream, then HEADERS of a lower one",
            priority(7) + headers(1, request), .answered(1)),
        Case(
            "6.4", "RST_STREAM", headers(1, request, end: false) + reset(1) + headers(3, request),
            .answered(3)),
        Case("6.5", "SETTINGS", settings((3, 100)), .settingsAcknowledged),
        Case("6.7", "PING", ping(Array("12345678".utf8)), .pong("12345678")),
        Case("6.8", "GOAWAY", headers(1, request) + goAway(), .connectionError([.noError])),
        Case(
            "6.9", "WINDOW_UPDATE of the connection", windowUpdate(0, 1) + headers(1, request), .answered(1)),
        Case(
            "6.9", "WINDOW_UPDATE of a stream",
            headers(1, request, end: false) + windowUpdate(1, 1) + data(1, message("a")), .answered(1)),
        Case(
            "6.10", "one CONTINUATION",
            headers(1, Array(request.prefix(20)), endHeaders: false)
                + continuation(1, Array(request.dropFirst(20))), .answered(1)),
        Case(
            "6.10", "several CONTINUATIONs",
            headers(1, Array(request.prefix(10)), endHeaders: false)
                + continuation(1, Array(request[10..<20]), end: false)
                + continuation(1, Array(request[20..<30]), end: false)
                + continuation(1, Array(request.dropFirst(30))), .answered(1)),
    ]

    private static let messages = [
        Case("8.1", "GET", headers(1, HeaderBlock.request(method: "GET")), .answered(1)),
        Case("8.1", "HEAD", headers(1, HeaderBlock.request(method: "HEAD")), .answered(1, "")),
        Case(
            "8.1", "POST", headers(1, request, end: false) + data(1, message("post")),
            .answered(1, "\0\0\0\0\u{4}post")),
        Case(
            "8.1", "POST with trailers",
            headers(1, request, end: false) + data(1, message("post"), end: false)
                + headers(1, HeaderBlock.literal("x-test", "trailers")),
            .answered(1, "\0\0\0\0\u{4}posttrailers")),
    ]

    /// One field in each form, whose value comes back as the body.
    private static let compression: [Case] =
        HeaderBlock.Indexing.allCases.flatMap { indexing in
            [false, true].flatMap { huffman in
                let how = "literal, indexing: \(indexing)\(huffman ? ", Huffman" : "")"
                return [
                    Case(
                        "RFC 7541 6.2", "\(how), indexed name",
                        headers(
                            1,
                            HeaderBlock.fields(HeaderBlock.pseudo)
                                + HeaderBlock.literal(
                                    index: 31, "application/grpc", indexing, huffman: huffman)
                                + HeaderBlock.literal("te", "trailers")
                                + HeaderBlock.literal("x-test", "seen")), .answered(1, "seen")),
                    Case(
                        "RFC 7541 6.2", "\(how), new name",
                        headers(
                            1,
                            request + HeaderBlock.literal("x-test", "seen", indexing, huffman: huffman)),
                        .answered(1, "seen")),
                ]
            }
        } + [
            Case(
                "RFC 7541 6.1", "indexed fields of the static table",
                headers(
                    1,
                    HeaderBlock.indexed(3) + HeaderBlock.indexed(6)
                        + HeaderBlock.fields(Array(HeaderBlock.pseudo.dropFirst(2)) + HeaderBlock.regular)),
                .answered(1)),
            Case(
                "RFC 7541 6.3", "table size update", headers(1, HeaderBlock.tableSize(128) + request),
                .answered(1)),
            Case(
                "RFC 7541 6.3", "two table size updates",
                headers(1, HeaderBlock.tableSize(0) + HeaderBlock.tableSize(4096) + request), .answered(1)),
        ]
}
