// SPDX-License-Identifier: Apache-2.0

import HTTP
import HTTP2
import Testing

@Suite struct MessageParserTests {
    /// What a parser makes of bytes that come in pieces of `step`.
    struct Read: Equatable {
        var heads: [MessageHead] = []
        var body: [UInt8] = []
        var trailers: [HeaderFields?] = []
        var error: Status?
    }

    static func read(
        _ text: String, _ sort: MessageParser.Sort = .requests, step: Int = .max, to method: String = "GET",
        limits: MessageLimits = MessageLimits()
    ) -> Read {
        var parser = MessageParser(sort, limits: limits)
        parser.answeredMethod = method
        var read = Read()
        let bytes = Array(text.utf8)
        var start = 0
        do {
            while start < bytes.count {
                let piece = Array(bytes[start..<(step < bytes.count - start ? start + step : bytes.count)])
                start += piece.count
                var offset = 0
                while let event = try parser.next(piece.span, from: &offset) {
                    switch event {
                    case .head(let head): read.heads.append(head)
                    case .body(let range): read.body += piece[range]
                    case .end(let trailers): read.trailers.append(trailers)
                    }
                }
            }
            if try parser.closed() { read.trailers.append(nil) }
        } catch {
            read.error = error.status
        }
        return read
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var text: String
        var status: Int?

        init(_ name: String, _ text: String, _ status: Int? = nil) {
            testDescription = name
            self.text = text
            self.status = status
        }
    }

    static let requests: [Case] = [
        Case("plain", "GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        Case("two in a row", "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n"),
        Case("HTTP/1.0 without Host", "GET / HTTP/1.0\r\n\r\n"),
        Case("body with a length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"),
        Case(
            "chunks", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"),
        Case(
            "chunk extension and trailers",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\nX: y\r\n\r\n"
        ),
        Case("white space around a value", "GET / HTTP/1.1\r\nHost: \t a \t\r\n\r\n"),
        Case("an empty value", "GET / HTTP/1.1\r\nHost: a\r\nX:\r\n\r\n"),
        Case("an absolute target", "GET http://a/b?c HTTP/1.1\r\nHost: a\r\n\r\n"),
        Case("obs-text in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: \u{e9}\r\n\r\n"),

        Case("folded line", "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n", 400),
        Case(
            "length and coding",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        Case(
            "two lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
            400),
        Case("a list of lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 3\r\n\r\nabc", 400),
        Case("a signed length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc", 400),
        Case("a negative length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -3\r\n\r\nabc", 400),
        Case(
            "a huge length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n", 400
        ),
        Case(
            "coding gzip, chunked", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            501),
        Case(
            "coding twice",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
            501),
        Case(
            "coding with a form feed",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \u{0c}chunked\r\n\r\n", 400),
        Case("coding in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        Case("bare LF", "GET / HTTP/1.1\nHost: a\n\n", 400),
        Case("bare CR in a value", "GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n", 400),
        Case("NUL in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n", 400),
        Case("space before the colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400),
        Case("space before the first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400),
        Case("no colon", "GET / HTTP/1.1\r\nHost\r\n\r\n", 400),
        Case("an empty name", "GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n", 400),
        Case("no Host", "GET / HTTP/1.1\r\n\r\n", 400),
        Case("two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
        Case("a Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
        Case("two spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        Case("a space in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        Case("a fragment in the target", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        Case("HTTP/2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
        Case("HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505),
        Case("lower-case protocol", "GET / http/1.1\r\nHost: a\r\n\r\n", 400),
        Case("HTTP/0.9", "GET /\r\n\r\n", 400),
        Case("an empty first line", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        Case(
            "chunk size with 0x",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n", 400),
        Case(
            "chunk size with a space",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3 \r\nabc\r\n0\r\n\r\n", 400),
        Case(
            "chunk too long for its size",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n", 400),
        Case(
            "chunk size over 63 bits",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n", 413),
        Case(
            "a length in the trailers",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 1\r\n\r\n",
            400),
        Case("a body cut short", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nab", 400),
        Case("a head cut short", "GET / HTTP/1.1\r\nHost: a", 400),
        Case(
            "a long request line",
            "GET /" + String(repeating: "a", count: 9000) + " HTTP/1.1\r\nHost: a\r\n\r\n", 414),
        Case(
            "a large head",
            "GET / HTTP/1.1\r\nHost: a\r\nX: " + String(repeating: "a", count: 20_000) + "\r\n\r\n", 431),
        Case(
            "many fields",
            "GET / HTTP/1.1\r\nHost: a\r\n" + String(repeating: "X: y\r\n", count: 200) + "\r\n", 431),
    ]

    @Test(arguments: requests) func readsRequests(_ request: Case) {
        let whole = Self.read(request.text)
        #expect(whole.error?.rawValue == request.status)
        if request.status == nil {
            #expect(!whole.heads.isEmpty && whole.heads.count == whole.trailers.count)
        }
        for step in [1, 2, 7] {
            #expect(Self.read(request.text, step: step) == whole)
        }
    }

    @Test func tellsBodiesAndTrailers() throws {
        let chunks = Self.read(
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n00a\r\n0123456789\r\n0\r\nX: y\r\n\r\n"
        )
        #expect(chunks.body == Array("abc0123456789".utf8))
        #expect(chunks.trailers.first??["x"] == "y")
        #expect(chunks.heads.first?.start == .request(method: "POST", target: "/"))
        #expect(chunks.heads.first?.keepsAlive == true)
    }

    static let responses: [Case] = [
        Case("plain", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
        Case("without a reason", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n"),
        Case("until the end", "HTTP/1.0 200 OK\r\n\r\nall of it"),
        Case("no body by its status", "HTTP/1.1 204 No Content\r\n\r\n"),
        Case(
            "informational first", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        ),
        Case("chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"),
        Case("status of two digits", "HTTP/1.1 20 OK\r\n\r\n", 400),
        Case("a switch of protocols", "HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n", 400),
        Case("status below 100", "HTTP/1.1 099 OK\r\n\r\n", 400),
        Case(
            "length and coding", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            400),
        Case("cut chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\na", 400),
    ]

    @Test(arguments: responses) func readsResponses(_ response: Case) {
        let whole = Self.read(response.text, .responses)
        #expect(whole.error?.rawValue == response.status)
        for step in [1, 3] { #expect(Self.read(response.text, .responses, step: step) == whole) }
    }

    @Test func aHeadRequestIsAnsweredWithoutABody() {
        let read = Self.read("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", .responses, to: "HEAD")
        #expect(read.error == nil)
        #expect(read.trailers.count == 1)
    }
}
