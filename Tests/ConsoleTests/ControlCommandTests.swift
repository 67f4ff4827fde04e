// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Foundation
import TestSupport
import Testing

@testable import Console

@Suite struct ControlCommandTests {
    static let keyList =
        #"{"data":[{"id":1,"name":"release","key_type":"pgp","key_state":"enabled","expire_at":"2027-01-01","#
        + #""fingerprint":"AB","attributes":{"email":"a@b"}},{"id":2,"name":"evil\u001b[2J","key_type":"x509ca"}],"#
        + #""meta":{"total_count":2}}"#
    static let pages = "?page_size=100&page_number=1"

    @Test func listsKeys() async throws {
        let answers = ["GET /api/v1/keys/" + Self.pages: (200, Self.keyList)]
        let text = Bench(desk: PaperDesk(answers))
        #expect(await text.run("key", "list") == 0)
        #expect(
            text.paper.out == """
                NAME           TYPE    STATE    EXPIRES     FINGERPRINT
                release        pgp     enabled  2027-01-01  AB
                evil\\u{1b}[2J  x509ca

                """)
        let names = Bench(desk: PaperDesk(answers))
        #expect(await names.run("key", "list", "--names") == 0)
        #expect(names.paper.out == "release\nevil\\u{1b}[2J\n")
        let json = Bench(desk: PaperDesk(answers))
        #expect(await json.run("key", "list", "-o", "json") == 0)
        let keys = try #require(try json.paper.json()["keys"] as? [[String: Any]])
        #expect(keys.count == 2 && keys[0]["name"] as? String == "release")
        #expect(json.paper.notes.isEmpty)
    }

    @Test func walksPages() async throws {
        let item = #"{"name":"k"}"#
        let full = #"{"data":["# + Array(repeating: item, count: 100).joined(separator: ",") + "]}"
        let bench = Bench(
            desk: PaperDesk([
                "GET /api/v1/keys/?page_size=100&page_number=1": (200, full),
                "GET /api/v1/keys/?page_size=100&page_number=2": (200, #"{"data":[\#(item)]}"#),
            ]))
        #expect(await bench.run("key", "list", "--names") == 0)
        #expect(bench.paper.out.split(separator: "\n").count == 101)
    }

    @Test func listsTheAudit() async throws {
        func entry(_ number: Int, _ action: String) -> String {
            #"{"sequence":\#(number),"time":"t","actor":"eve","action":"\#(action)","subject":"s","facts":{"name":"k"}}"#
        }
        let full = (1...1000).map { entry($0, $0 == 7 ? "key-disable" : "key-enable") }.joined(separator: ",")
        let answers = [
            "GET /api/v1/audit?limit=1000&after=0": (200, #"{"data":[\#(full)]}"#),
            "GET /api/v1/audit?limit=1000&after=1000": (200, #"{"data":[\#(entry(1001, "key-disable"))]}"#),
        ]
        let text = Bench(desk: PaperDesk(answers))
        #expect(await text.run("audit", "list", "--action", "key-disable") == 0)
        #expect(
            text.paper.out == """
                N     TIME  BY   ACTION       SUBJECT  FACTS
                7     t     eve  key-disable  s        name=k
                1001  t     eve  key-disable  s        name=k

                """)
        let json = Bench(desk: PaperDesk(answers))
        #expect(await json.run("audit", "list", "-n", "3", "-o", "json") == 0)
        #expect((try json.paper.json()["audit"] as? [Any])?.count == 3)
    }

    @Test func listsRecordsOfATime() async {
        let query = "content=sha256%3A00&from=2023-11-13T22%3A13%3A20Z&page_size=100&page_number=1"
        let bench = Bench(desk: PaperDesk(["GET /api/v1/signatures?" + query: (200, #"{"data":[]}"#)]))
        let status = await bench.run("record", "list", "--content", "sha256:00", "--since", "1d")
        #expect(status == 0, "\(bench.paper.notes)")
    }

    @Test func actsOnKeys() async {
        let bench = Bench(
            desk: PaperDesk([
                "POST /api/v1/keys/a/actions/disable": (200, ""),
                "POST /api/v1/keys/b%20c/actions/disable": (200, ""),
            ]))
        #expect(await bench.run("key", "disable", "a", "b c") == 0)
        #expect(bench.paper.notes == "a is disabled\nb c is disabled\n")
        #expect(await bench.run("key", "disable", "none") == 4)
    }

    @Test func freezesAndThaws() async {
        let bench = Bench(
            desk: PaperDesk([
                "POST /api/v1/freezes": (201, #"{"key":null}"#),
                "POST /api/v1/freezes/actions/thaw": (202, #"{"id":"7","needed":1,"approved_by":[]}"#),
                "GET /api/v1/freezes": (
                    200,
                    #"{"data":[{"key":null,"name":null,"create_at":"now","user_email":"a@b","reason":"why"}]}"#
                ),
            ]))
        #expect(await bench.run("freeze", "--reason", "why") == 0)
        #expect(await bench.run("thaw") == 0)
        #expect(
            bench.paper.notes
                == "all signing is frozen on every data-server\nnot yet: request 7 has 0 of 1 approvals of other administrators\n"
        )
        #expect(await bench.run("frozen") == 0)
        #expect(bench.paper.out.contains("a@b"))
        let gone = Bench(desk: PaperDesk(["POST /api/v1/freezes/actions/thaw": (204, "")]))
        #expect(await gone.run("thaw", "--key", "release") == 0)
        #expect(gone.paper.notes == "signing with release goes on\n")
    }

    @Test func exportsPublicParts() async throws {
        let folder = try TemporaryFolder()
        let bench = Bench(
            desk: PaperDesk([
                "GET /api/v1/keys/release": (200, #"{"key_type":"pgp"}"#),
                "GET /api/v1/keys/release/public_key": (200, "-----BEGIN PGP\nabc\n"),
                "GET /api/v1/keys/leaf": (200, #"{"key_type":"x509ee"}"#),
                "GET /api/v1/keys/leaf/certificate": (200, "-----BEGIN CERT\n"),
            ]))
        #expect(await bench.run("key", "export", "release") == 0)
        #expect(bench.paper.out == "-----BEGIN PGP\nabc\n")
        #expect(await bench.run("key", "export", "leaf", "--out", folder.path + "/leaf.pem") == 0)
        #expect(String(decoding: try folder.read("leaf.pem"), as: UTF8.self) == "-----BEGIN CERT\n")
        #expect(await bench.run("key", "export", "leaf", "--out", folder.path + "/none/leaf.pem") == 1)
    }

    struct Refusal: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var status: Int
        var body: String
        var exit: Int32
        var code: String
    }

    static let refusals: [Refusal] = [
        Refusal(
            testDescription: "of the vocabulary", status: 403,
            body: #"{"code":"permission-denied","detail":"a viewer may not","remedy":"ask"}"#, exit: 3,
            code: "permission-denied"),
        Refusal(
            testDescription: "of a newer server", status: 409, body: #"{"code":"brand-new","detail":"x"}"#,
            exit: 1,
            code: "brand-new"),
        Refusal(testDescription: "without words", status: 401, body: "", exit: 3, code: "unauthenticated"),
        Refusal(testDescription: "no JSON", status: 503, body: "<html>", exit: 5, code: "unavailable"),
        Refusal(testDescription: "a redirect", status: 302, body: "", exit: 5, code: "http-answer-invalid"),
        Refusal(
            testDescription: "an answer that is no JSON", status: 200, body: "<html>", exit: 1,
            code: "malformed-input"),
    ]

    @Test(arguments: refusals) func tellsWhatTheServerRefused(_ refusal: Refusal) async throws {
        let desk = PaperDesk(["GET /api/v1/keys/k": (refusal.status, refusal.body)])
        let bench = Bench(desk: desk)
        #expect(await bench.run("key", "show", "k", "-o", "json") == refusal.exit)
        let error = try #require(try bench.paper.json()["error"] as? [String: Any])
        #expect(error["code"] as? String == refusal.code)
        #expect((error["remedy"] as? String)?.isEmpty == false)
        #expect(bench.paper.notes.contains("[\(refusal.code)]"))
    }

    @Test func needsAControlServer() async {
        let bench = Bench()
        let program = SignetProgram(
            environment: [:], screen: bench.paper.screen(), signing: { _ in bench.signer })
        #expect(await program.run(["--config", "/dev/null", "key", "list"]) == 2)
        #expect(bench.paper.notes.contains("[control-server]"))
    }
}
