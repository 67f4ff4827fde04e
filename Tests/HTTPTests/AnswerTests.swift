// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Foundation
import HTTP
import HTTP2
import TestSupport
import Testing

/// The same questions to the router alone, over HTTP/1.1 and over HTTP/2.
@Suite struct AnswerTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var method: String
        var target: String
        var fields: HeaderFields = [:]
        var body = ""
        var status: Int
        /// The whole body, or what stands in it when it is a problem.
        var text: String?
        var answered: HeaderFields = [:]

        init(
            _ name: String, _ method: String, _ target: String, _ status: Int, _ text: String? = nil,
            with fields: HeaderFields = [:], body: String = "", answered: HeaderFields = [:]
        ) {
            testDescription = name
            (self.method, self.target, self.fields, self.body) = (method, target, fields, body)
            (self.status, self.text, self.answered) = (status, text, answered)
        }
    }

    static let json: HeaderFields = ["content-type": "application/json"]
    static let cases: [Case] = [
        Case("the root", "GET", "/", 200, "root"),
        Case("a typed parameter", "GET", "/notes/5", 200, "{\"id\":5,\"text\":\"note\"}"),
        Case("HEAD has no body", "HEAD", "/notes/5", 200, "", answered: ["content-type": "application/json"]),
        Case("a literal before a parameter", "GET", "/notes/new", 200, "literal"),
        Case("back from a literal to a parameter", "GET", "/notes/new/parts/x", 200, "new x"),
        Case("a literal further down", "GET", "/notes/new/parts", 200, "deep literal"),
        Case("two parameters", "GET", "/notes/a%20b/parts/%C3%A9", 200, "a b é"),
        Case("sub-delims stay", "GET", "/notes/a;b=c/parts/@:!", 200, "a;b=c @:!"),
        Case("decoded once", "GET", "/notes/a%2525/parts/b", 200, "a%25 b"),
        Case("a plus in a path is a plus", "GET", "/notes/a+b/parts/c", 200, "a+b c"),
        Case("a query", "GET", "/search?q=a+b%26&page=2", 200, "a b& 2"),
        Case("a query without a value", "GET", "/search?q", 200, " 1"),
        Case("an absolute target", "GET", "http://desk/notes/new", 200, "literal"),
        Case("no content", "GET", "/nothing", 204, ""),
        Case("a layer's finding", "GET", "/caller", 200, "ann", with: ["x-caller": "ann"]),
        Case("a layer's refusal", "GET", "/caller", 401, "unauthenticated", with: ["x-caller": "eve"]),

        Case("an unknown path", "GET", "/nowhere", 404, "not-found"),
        Case("a slash too much at the end", "GET", "/search/?q=a", 404, "not-found"),
        Case("no empty parameter", "GET", "/notes/", 404, "not-found"),
        Case("paths have a case", "GET", "/Search?q=a", 404, "not-found"),
        Case("a thing that is not there", "GET", "/notes/100", 404, "no note 100"),
        Case("no number", "GET", "/notes/x1", 400, "the id in the path is no Int"),
        Case("a number with a sign", "GET", "/notes/+5", 400, "no Int"),
        Case("a number with zeros", "GET", "/notes/05", 400, "no Int"),
        Case("a number too large", "GET", "/notes/99999999999999999999", 400, "no Int"),
        Case("a parameter twice", "GET", "/search?q=a&q=b", 400, "more than once"),
        Case("an unknown parameter", "GET", "/search?q=a&p=b", 400, "not known"),
        Case("a missing parameter", "GET", "/search", 400, "lacks q"),
        Case("an escaped slash", "GET", "/notes/a%2fb", 400, "escaped slash"),
        Case("an escaped backslash", "GET", "/notes/a%5Cb", 400, "escaped slash"),
        Case("an escaped NUL", "GET", "/notes/a%00", 400, "NUL"),
        Case("an escaped line end", "GET", "/notes/a%0d%0ab", 400, "control character"),
        Case("a dot segment", "GET", "/notes/../notes/5", 400, "dot segment"),
        Case("an escaped dot segment", "GET", "/notes/%2e%2E/5", 400, "dot segment"),
        Case("a single dot", "GET", "/./notes/5", 400, "dot segment"),
        Case("an empty segment", "GET", "//notes/5", 400, "empty segment"),
        Case("a malformed escape", "GET", "/notes/%zz", 400, "malformed escape"),
        Case("half an escape", "GET", "/notes/%2", 400, "malformed escape"),
        Case("an overlong slash", "GET", "/notes/%c0%af", 400, "UTF-8"),
        Case("NUL in a query", "GET", "/search?q=%00", 400, "NUL"),
        Case("another host", "GET", "http://other/", 400, "another host"),

        Case(
            "the wrong method", "DELETE", "/notes/5", 405, "method-not-allowed",
            answered: ["allow": "GET, HEAD, OPTIONS, PUT"]),
        Case("an unknown method", "BREW", "/", 405, answered: ["allow": "GET, HEAD, OPTIONS"]),
        Case("OPTIONS", "OPTIONS", "/notes/5", 204, "", answered: ["allow": "GET, HEAD, OPTIONS, PUT"]),
        Case("OPTIONS of nothing", "OPTIONS", "/nowhere", 404),
        Case("OPTIONS of all", "OPTIONS", "*", 204, "", answered: ["allow": "GET, HEAD, OPTIONS, POST, PUT"]),
        Case("* for GET", "GET", "*", 400, "OPTIONS"),

        Case("an echo", "POST", "/echo", 200, "some bytes", body: "some bytes"),
        Case("a body nobody reads", "POST", "/ignore", 200, "ignored", body: "some bytes"),
        Case(
            "JSON in and out", "PUT", "/notes/7", 201, "{\"id\":7,\"text\":\"a\"}", with: json,
            body: "{\"text\":\"a\",\"id\":7}"),
        Case(
            "JSON with a charset", "PUT", "/notes/7", 201,
            with: ["content-type": "Application/JSON; charset=utf-8"], body: "{\"text\":\"a\",\"id\":7}"),
        Case("no JSON", "PUT", "/notes/7", 400, "malformed-input", with: json, body: "{\"text\""),
        Case(
            "a key twice", "PUT", "/notes/7", 400, "has already", with: json,
            body: "{\"id\":1,\"id\":2,\"text\":\"\"}"),
        Case("a key missing", "PUT", "/notes/7", 400, "/text is missing", with: json, body: "{\"id\":1}"),
        Case(
            "a wrong type", "PUT", "/notes/7", 400, "/id has the wrong type", with: json,
            body: "{\"id\":\"1\",\"text\":\"\"}"),
        Case("no media type", "PUT", "/notes/7", 415, "application/json", body: "{}"),
        Case(
            "the wrong media type", "PUT", "/notes/7", 415, with: ["content-type": "text/plain"], body: "{}"),
        Case(
            "a content coding", "POST", "/echo", 415, "content coding", with: ["content-encoding": "gzip"],
            body: "x"),
        Case(
            "a body over the route's limit", "PUT", "/notes/7", 413, "64", with: json,
            body: String(repeating: " ", count: 65)),
        Case("a declared type", "POST", "/text", 200, "ok", with: ["content-type": "text/plain"], body: "a"),
        Case("not the declared type", "POST", "/text", 415, with: ["content-type": "text/html"], body: "a"),
        Case("any answer will do", "POST", "/text", 200, with: ["accept": "*/*"]),
        Case("a range will do", "POST", "/text", 200, with: ["accept": "text/html, text/*;q=0.1"]),
        Case("not acceptable", "POST", "/text", 406, "text/plain", with: ["accept": "text/html"]),
        Case("refused by name", "POST", "/text", 406, with: ["accept": "text/plain;q=0, */*"]),

        Case("an entity tag", "GET", "/notes/5", 200, answered: ["etag": "\"v5\""]),
        Case(
            "not modified", "GET", "/notes/5", 304, "", with: ["if-none-match": "\"a\", W/\"v5\""],
            answered: ["etag": "\"v5\""]),
        Case("modified", "GET", "/notes/5", 200, with: ["if-none-match": "\"v4\""]),
        Case("not modified, any", "GET", "/notes/5", 304, "", with: ["if-none-match": "*"]),
        Case(
            "a match", "PUT", "/notes/7", 201,
            with: ["if-match": "\"v7\"", "content-type": "application/json"], body: "{\"id\":1,\"text\":\"\"}"
        ),
        Case(
            "no match", "PUT", "/notes/7", 412, "precondition-failed", with: ["if-match": "\"v6\""],
            body: "{}"),
        Case("a weak match will not do", "PUT", "/notes/7", 412, with: ["if-match": "W/\"v7\""], body: "{}"),
        Case("it is there", "PUT", "/notes/7", 412, with: ["if-none-match": "*"], body: "{}"),
        Case("no tag", "GET", "/notes/5", 400, "if-none-match", with: ["if-none-match": "v5"]),

        Case("an error of the vocabulary", "GET", "/fail/coded", 409, "it is taken"),
        Case("a stream", "GET", "/stream/3", 200, String(repeating: "a", count: 3000)),
        Case("a stream of known length", "GET", "/known/70000", 200, String(repeating: "b", count: 70_000)),
    ]

    @Test(arguments: Carrier.allCases) func answers(_ carrier: Carrier) async throws {
        let desk = try DeskServer()
        for each in Self.cases {
            // HTTP/2 has no absolute form, and nghttp2 itself refuses `*` for other methods than OPTIONS.
            if carrier == .http2, each.target.hasPrefix("http://") || each.testDescription == "* for GET" {
                continue
            }
            let answer = try await carrier.ask(
                each.method, each.target, each.fields, Array(each.body.utf8), at: desk)
            let name = Comment(rawValue: "\(carrier) \(each.testDescription): \(answer.text)")
            #expect(answer.status == each.status, name)
            if let text = each.text {
                if each.status >= 400 {
                    #expect(answer.text.contains(text), name)
                } else {
                    #expect(answer.text == text, name)
                }
            }
            if each.status >= 400, each.method != "HEAD" {
                #expect(answer.fields["content-type"] == "application/problem+json", name)
            }
            for index in 0..<each.answered.count {
                let field = each.answered.name(at: index)
                #expect(answer.fields.values(of: field) == [each.answered.value(at: index)], name)
            }
            guard carrier != .router else { continue }
            #expect(answer.fields.values(of: "date").count == 1, name)
            #expect(answer.fields.values(of: "x-request-id").count == 1, name)
            if each.method != "HEAD", let length = answer.fields["content-length"] {
                #expect(length == "\(answer.body.count)", name)
            }
        }
    }

    @Test(arguments: Carrier.allCases) func saysTheLengthForHead(_ carrier: Carrier) async throws {
        let desk = try DeskServer()
        let get = try await carrier.ask("GET", "/notes/5", at: desk)
        let head = try await carrier.ask("HEAD", "/notes/5", at: desk)
        #expect(head.body.isEmpty)
        if carrier != .router { #expect(head.fields["content-length"] == "\(get.body.count)") }
    }

    @Test(arguments: Carrier.allCases) func nothingInsideLeaks(_ carrier: Carrier) async throws {
        let desk = try DeskServer()
        for target in ["/fail/unknown", "/fail/internal"] {
            let answer = try await carrier.ask("GET", target, ["x-request-id": "my-id.1"], at: desk)
            #expect(answer.status == 500)
            #expect(!answer.text.contains("swordfish"))
            let document = try JSONDecoder().decode([String: Leaf].self, from: Data(answer.body))
            #expect(document["type"] == .text("urn:signet:error:internal-error"))
            #expect(document["status"] == .number(500))
            #expect(document["request"] == .text("my-id.1"))
            #expect(document["detail"] == nil)
            if carrier != .router { #expect(answer.fields["x-request-id"] == "my-id.1") }
        }
        let split = try await carrier.ask("GET", "/fail/field", at: desk)
        if carrier != .router { #expect(split.status == 500 && split.fields["set-cookie"] == nil) }
    }

    enum Leaf: Decodable, Equatable {
        case text(String)
        case number(Int)

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let number = try? container.decode(Int.self) {
                self = .number(number)
            } else {
                self = .text(try container.decode(String.self))
            }
        }
    }

    @Test(arguments: [Carrier.http1, .http2]) func answersInTime(_ carrier: Carrier) async throws {
        let desk = try DeskServer()
        let answer = try await carrier.ask("GET", "/hang", at: desk)
        #expect(answer.status == 504)
        #expect(answer.text.contains("deadline-exceeded"))
        await eventually { desk.witness.seen.withLock { $0.last?.status == 504 } }
    }

    actor Notes {
        private var all: [Note] = []

        func find(_ id: Int) -> Note? { all.first { $0.id == id } }

        func add(_ note: Note) -> Note {
            all.append(note)
            return note
        }
    }

    /// The service that the documentation of the room shows.
    @Test func theExampleWorks() async throws {
        let notes = Notes()
        var router = Router()
        router.get("/notes/{id}") { request in
            guard let note = await notes.find(try request.path("id", as: Int.self)) else {
                throw HTTPError(.notFound, "no such note")
            }
            return try request.conditional(.json(note))
        }
        router.post("/notes", Route.Options(body: 16 << 10)) { request in
            try .json(await notes.add(try await request.json(Note.self)), status: .created)
        }
        #expect(await router.answer(Request(.get, "/notes/3")).status == .notFound)
        let body = Array("{\"id\":3,\"text\":\"c\"}".utf8)
        #expect(
            await router.answer(Request(.post, "/notes", fields: Self.json, body: body)).status == .created)
        let found = await router.answer(Request(.get, "/notes/3"))
        let tag = try #require(found.fields["etag"])
        #expect(try await found.whole() == body)
        // SHA-256 of the body, by the openssl command.
        let digest = try Command.check(["openssl", "dgst", "-sha256", "-binary"], input: body).stdout
        #expect(
            Data(digest).base64EncodedString().dropLast().map { $0 == "+" ? "-" : $0 == "/" ? "_" : $0 }
                == Array(tag.dropFirst().dropLast()))
        let again = await router.answer(Request(.get, "/notes/3", fields: ["if-none-match": tag]))
        #expect(again.status == .notModified)
    }

    /// A body that fails after its head has gone must not look whole.
    @Test func brokenBodiesAreCutOff() async throws {
        let desk = try DeskServer()
        for target in ["/short", "/broken"] {
            let back = try await desk.raw("GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n", half: false)
            #expect(throws: MessageError.self) { try Answer.parse(Array(back.utf8)) }
            let answer = try await Carrier.http2.ask("GET", target, at: desk)
            #expect(answer.fields["reset"] == "2")
        }
        await eventually { desk.witness.seen.withLock { $0.count == 4 } }
        desk.witness.seen.withLock { seen in
            #expect(seen.allSatisfy { !$0.isComplete && $0.hasFault })
        }
    }
}
