// SPDX-License-Identifier: Apache-2.0

import ControlService
import Diagnostics
import HTTP
import Keyring
import Signatures
import TestSupport
import Testing

@testable import Storage

@Suite struct GrantAPITests {
    private let office: Office
    init() async throws {
        office = try await Office()
        try await office.key("farm-ca", "x509ca", Office.subject)
        for name in ["modules-a", "modules-b"] {
            try await office.key(
                name, "x509ee", ["common_name": "M", "key_type": "ecdsa", "x509_ee_usage": "ko"],
                parent: "farm-ca")
        }
    }

    private static let usual: [String: any Sendable] = [
        "clients": "uri:signet://client/*", "keys": ["modules-a"], "kinds": ["module"],
    ]

    private func add(_ changes: [String: Any] = [:]) async throws -> Office.Answer {
        try await office.ask(.post, "/api/v1/grants", (Self.usual as [String: Any]).merging(changes) { $1 })
    }

    @Test func aGrantNamesWhatIsThereNow() async throws {
        let made = try await add([
            "keys": ["modules-*"], "description": "all", "expire_at": "2029-01-01T00:00:00Z",
        ])
        #expect(made.status == 201, "\(made.text)")
        #expect((made.object["keys"] as? [String])?.count == 2)
        #expect(made["clients"] == "uri:signet://client/*@\(String(repeating: "ab", count: 32))")
        #expect(made["expire_at"] == "2029-01-01T00:00:00Z")
        // A key that comes later gets nothing.
        try await office.key(
            "modules-c", "x509ee", ["common_name": "M", "key_type": "ecdsa", "x509_ee_usage": "ko"],
            parent: "farm-ca")
        let id = made["id"] ?? ""
        let seen = try await office.ask(.get, "/api/v1/grants/\(id)", as: .auditor)
        #expect((seen.object["keys"] as? [String])?.count == 2)
        #expect(try await office.ask(.get, "/api/v1/grants").list.count == 1)
        #expect(try await office.ask(.delete, "/api/v1/grants/\(id)").status == 204)
        #expect(try await office.ask(.delete, "/api/v1/grants/\(id)").status == 404)
        #expect(try await office.ask(.get, "/api/v1/grants/\(id)").code == ErrorCode.grantNotFound.id)
        #expect(try await office.lastActions(1) == [.grantRemove])
    }

    @Test(
        arguments: [
            ("no such key", ["keys": ["nothing-here"]], 404, ErrorCode.keyNotFound),
            ("no key fits the pattern", ["keys": ["x*"]], 404, .keyNotFound),
            ("no keys", ["keys": [String]()], 400, .invalidArgument),
            ("an authority", ["keys": ["farm-ca"]], 400, .keySchemeMismatch),
            ("a key of another scheme", ["kinds": ["rpm"]], 400, .keySchemeMismatch),
            ("an unknown kind", ["kinds": ["iso"]], 400, .invalidArgument),
            ("a kind that is not served", ["kinds": ["poetry"]], 400, .invalidArgument),
            ("no kinds", ["kinds": [String]()], 400, .keySchemeMismatch),
            ("an end in the past", ["expire_at": "2020-01-01T00:00:00Z"], 400, .invalidArgument),
            ("a misspelt end", ["expires_at": "2029-01-01T00:00:00Z"], 400, .invalidArgument),
            ("everybody", ["clients": "uri:*"], 400, .invalidArgument),
            ("no sort", ["clients": "signet://client/ci"], 400, .invalidArgument),
        ] as [(String, [String: any Sendable], Int, ErrorCode)])
    func refuses(_ what: String, _ changes: [String: any Sendable], _ status: Int, _ code: ErrorCode)
        async throws
    {
        let answer = try await add(changes)
        #expect(answer.status == status, "\(what): \(answer.text)")
        #expect(answer.code == code.id, "\(what): \(answer.text)")
        #expect(try await office.ask(.get, "/api/v1/grants").list.isEmpty)
    }

    @Test func aGrantThatWasEditedIsNotShown() async throws {
        let id = try await add()["id"] ?? ""
        office.stores.state.withLock { state in
            for (id, stored) in state.grants {
                guard
                    let wider = try? Grant(
                        id: id, clients: stored.grant.clients, keys: stored.grant.keys,
                        kinds: [.module, .rpm],
                        created: stored.grant.created)
                else { continue }
                state.grants[id] = StoredGrant(grant: wider, code: stored.code)
            }
        }
        for path in ["", "/" + id] {
            let answer = try await office.ask(.get, "/api/v1/grants" + path)
            #expect(answer.code == ErrorCode.rowForged.id, "\(answer.text)")
        }
    }

    @Test func anotherAuthorityIsNamed() async throws {
        let other = String(repeating: "01", count: 32)
        #expect(
            try await add(["clients": "dns:build*.example.org@\(other)"])["clients"]
                == "dns:build*.example.org@\(other)")
    }

    @Test(arguments: [
        ["identity": "uri:signet://client/ci"], ["certificate": String(repeating: "0a", count: 32)],
    ])
    func aClientIsShutOutAndLetIn(_ client: [String: String]) async throws {
        #expect(try await office.ask(.post, "/api/v1/clients/actions/deny", client).status == 204)
        let denied = try await office.ask(.get, "/api/v1/clients/denied")
        #expect(denied.list.count == 1)
        #expect(denied.text.contains(client.values.first ?? "?"))
        #expect(try await office.ask(.post, "/api/v1/clients/actions/allow", client).status == 204)
        #expect(try await office.ask(.get, "/api/v1/clients/denied").list.isEmpty)
        #expect(try await office.lastActions(2) == [.clientDeny, .clientAllow])
    }

    @Test(
        arguments: [
            [:], ["identity": "uri:a", "certificate": String(repeating: "0a", count: 32)],
            ["certificate": "0A"],
            ["identity": "email:a@b"], ["identity": "uri:"],
        ] as [[String: String]])
    func refusesClients(_ client: [String: String]) async throws {
        #expect(try await office.ask(.post, "/api/v1/clients/actions/deny", client).status == 400)
    }

    @Test func theAuditTellsWhoDidWhat() async throws {
        _ = try await add()
        let entries = try await office.ask(.get, "/api/v1/audit?limit=1000", as: .auditor).list
        let last = try #require(entries.last)
        #expect(last["action"] as? String == "grant-create")
        #expect(last["actor"] as? String == "administrator@example.org")
        #expect((last["facts"] as? [String: String])?["keys"] == "modules-a")
        let number = try #require(last["sequence"] as? Int)
        #expect(number == entries.count)
        #expect(try await office.ask(.get, "/api/v1/audit?after=\(number - 1)", as: .auditor).list.count == 1)
        #expect(try await office.ask(.get, "/api/v1/audit?limit=0", as: .auditor).status == 400)
    }

    @Test(arguments: [
        "key=x", "client=x", "kind=iso", "server=UPPER", "content=xyz", "content=md4:00", "from=now",
        "page_size=0",
        "colour=red",
    ])
    func refusesQueriesOfRecords(_ query: String) async throws {
        #expect(try await office.ask(.get, "/api/v1/signatures?\(query)").status == 400)
    }

    @Test func recordsAreFoundByWhatTheyAreOf() async throws {
        let query =
            "kind=rpm&server=data1&client=uri:signet://client/ci&from=2026-01-01T00:00:00Z&to=2027-01-01T00:00:00Z&page_size=10"
            + "&content=" + String(repeating: "00", count: 32)
        let answer = try await office.ask(.get, "/api/v1/signatures?\(query)", as: .operator)
        #expect(answer.status == 200, "\(answer.text)")
        #expect(answer.list.isEmpty)
    }
}
