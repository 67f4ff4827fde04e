// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Foundation
import HTTP
import HTTP2
import Keyring
import Testing

/// Lists in pages, by what is asked for, and changes of what was seen.
@Suite struct ListTests {
    private let office: Office
    init() async throws { office = try await Office() }

    private func names(_ path: String, _ name: String) async throws -> (names: [String], total: Int?) {
        let answer = try await office.ask(.get, path)
        #expect(answer.status == 200, "\(answer.text)")
        let total = (answer.object["meta"] as? [String: Any])?["total_count"] as? Int
        return (answer.list.compactMap { $0[name] as? String }, total)
    }

    @Test func usersComeInPagesAndByWhatTheyAre() async throws {
        let all = try await names("/api/v1/users", "email")
        #expect(all.names == Role.allCases.map { "\($0)@example.org" }.sorted() && all.total == 4)
        let second = try await names("/api/v1/users?page_size=3&page_number=2", "email")
        #expect(second.names == ["viewer@example.org"] && second.total == 4)
        let none = try await names("/api/v1/users?page_size=3&page_number=9", "email")
        #expect(none.names.isEmpty && none.total == 4)
        let auditors = try await names("/api/v1/users?role=auditor", "email")
        #expect(auditors.names == ["auditor@example.org"] && auditors.total == 1)
        #expect(try await names("/api/v1/users?name=view", "email").names == ["viewer@example.org"])
        let id = try #require(
            try await office.ask(.get, "/api/v1/users?role=viewer").list.first?["id"] as? String)
        _ = try await office.ask(.patch, "/api/v1/users/\(id)", ["disabled": true])
        #expect(try await names("/api/v1/users?disabled=true", "email").names == ["viewer@example.org"])
        #expect(try await names("/api/v1/users?disabled=false", "email").total == 3)
        #expect(try await names("/api/v1/users/\(id)/api_keys?page_size=1", "user_id").names == [id])
        for query in ["role=king", "disabled=maybe", "page_size=0", "page_size=1001", "page_number=0", "x=1"]
        {
            #expect(try await office.ask(.get, "/api/v1/users?" + query).status == 400, "\(query)")
        }
    }

    @Test func grantsAndWhoIsShutOutComeByWhatTheyAreFor() async throws {
        for name in ["first", "second"] {
            try await office.key(name, "pgp", ["email": "a@example.org", "key_type": "eddsa"])
            for kind in ["rpm", "generic"] {
                let made = try await office.ask(
                    .post, "/api/v1/grants",
                    ["clients": "uri:signet://client/\(name)", "keys": [name], "kinds": [kind]])
                #expect(made.fields["location"] == "/api/v1/grants/\(made["id"] ?? "")")
            }
        }
        let key = try await office.ask(.get, "/api/v1/keys/first")["id"] ?? ""
        #expect(try await names("/api/v1/grants?page_size=3&page_number=2", "id").names.count == 1)
        #expect(try await names("/api/v1/grants?key=\(key)", "id").total == 2)
        #expect(try await names("/api/v1/grants?kind=rpm", "id").total == 2)
        #expect(try await names("/api/v1/grants?client=second&kind=rpm", "id").total == 1)
        for query in ["key=first", "kind=sock", "client=a&client=b"] {
            #expect(try await office.ask(.get, "/api/v1/grants?" + query).status == 400, "\(query)")
        }
        for name in ["b", "a", "c"] {
            _ = try await office.ask(
                .post, "/api/v1/clients/actions/deny", ["identity": "uri:signet://client/\(name)"])
        }
        let denied = try await names("/api/v1/clients/denied?page_size=2", "identity")
        #expect(
            denied.names.map { $0.prefix { $0 != "@" } } == [
                "uri:signet://client/a", "uri:signet://client/b",
            ])
        #expect(denied.total == 3)
        #expect(try await names("/api/v1/clients/denied?name=client/c", "identity").total == 1)
    }

    @Test func changesOfWhatSomebodyElseChangedAreRefused() async throws {
        let id = try #require(
            try await office.ask(.get, "/api/v1/users?role=operator").list.first?["id"] as? String)
        let path = "/api/v1/users/\(id)"
        let seen = try #require(try await office.ask(.get, path).fields["etag"])
        #expect(try await office.ask(.get, path, fields: [("if-none-match", seen)]).status == 304)
        let changed = try await office.ask(.patch, path, ["role": "viewer"], fields: [("if-match", seen)])
        #expect(changed.status == 200 && changed.fields["etag"] != seen)
        let late = try await office.ask(.patch, path, ["disabled": true], fields: [("if-match", seen)])
        #expect(late.status == 412)
        #expect(try await office.ask(.get, path)["role"] == "viewer")
        #expect(try await office.ask(.get, path).fields["etag"] == changed.fields["etag"])

        try await office.key("first", "pgp", ["email": "a@example.org", "key_type": "eddsa"])
        let grant = try await office.ask(
            .post, "/api/v1/grants",
            ["clients": "uri:signet://client/a", "keys": ["first"], "kinds": ["rpm"]])
        let place = "/api/v1/grants/\(grant["id"] ?? "")"
        let tag = try #require(grant.fields["etag"])
        #expect(try await office.ask(.get, place).fields["etag"] == tag)
        #expect(try await office.ask(.delete, place, fields: [("if-match", seen)]).status == 412)
        #expect(try await office.ask(.get, place).status == 200)
        #expect(try await office.ask(.delete, place, fields: [("if-match", tag)]).status == 204)
    }

    /// Public parts may be kept by whoever stands between; what somebody's token was shown for may not.
    @Test func publicPartsMayBeKept() async throws {
        try await office.key("farm-ca", "x509ca", Office.subject)
        try await office.key("first", "pgp", ["email": "a@example.org", "key_type": "eddsa"])
        for path in ["first/public_key", "farm-ca/certificate", "farm-ca/crl"] {
            let part = try await office.ask(.get, "/api/v1/keys/\(path)", as: nil)
            #expect(part.fields["cache-control"] == "public, max-age=300", "\(path)")
            let tag = try #require(part.fields["etag"])
            let again = try await office.ask(
                .get, "/api/v1/keys/\(path)", as: nil, fields: [("if-none-match", tag)])
            #expect(again.status == 304 && again.body.isEmpty)
            #expect(again.fields["etag"] == tag)
            let known = try await office.ask(.get, "/api/v1/keys/\(path)")
            #expect(known.fields["cache-control"] == "private, max-age=300", "\(path)")
        }
        #expect(try await office.ask(.get, "/api/v1/keys/first").fields["cache-control"] == "no-store")
    }
}
