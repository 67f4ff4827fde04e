// SPDX-License-Identifier: Apache-2.0

import ControlService
import Diagnostics
import HTTP
import HTTP2
import Keyring
import Storage
import TestSupport
import Testing

/// Who may do what.
@Suite struct AccessTests {
    private let office: Office
    init() async throws { office = try await Office() }

    private struct Deed: Sendable, CustomTestStringConvertible {
        let method: HTTP.Method
        let path: String
        let ability: Ability
        /// What opens the route too, for what is the caller's own.
        var alternative: Ability?
        var testDescription: String { "\(method) \(path)" }
    }

    private static let deeds = [
        Deed(method: .get, path: "/api/v1/keys/", ability: .readKeys),
        Deed(method: .post, path: "/api/v1/keys/", ability: .manageKeys),
        Deed(method: .head, path: "/api/v1/keys/name_identical?name=name", ability: .readKeys),
        Deed(method: .get, path: "/api/v1/keys/name", ability: .readKeys),
        Deed(method: .post, path: "/api/v1/keys/name/actions/enable", ability: .switchKeys),
        Deed(method: .post, path: "/api/v1/keys/name/actions/disable", ability: .switchKeys),
        Deed(method: .post, path: "/api/v1/keys/name/actions/guard", ability: .manageKeys),
        Deed(method: .post, path: "/api/v1/keys/name/actions/unguard", ability: .manageKeys),
        Deed(method: .post, path: "/api/v1/keys/name/actions/request_delete", ability: .manageKeys),
        Deed(method: .post, path: "/api/v1/keys/name/actions/cancel_delete", ability: .manageKeys),
        Deed(method: .post, path: "/api/v1/keys/name/actions/request_revoke", ability: .manageKeys),
        Deed(method: .post, path: "/api/v1/keys/name/actions/cancel_revoke", ability: .manageKeys),
        Deed(method: .post, path: "/api/v1/keys/name/actions/renew", ability: .manageKeys),
        Deed(method: .post, path: "/api/v1/keys/name/certificates", ability: .manageKeys),
        Deed(method: .post, path: "/api/v1/keys/import", ability: .manageKeys),
        Deed(method: .get, path: "/api/v1/approvals", ability: .readKeys),
        Deed(method: .get, path: "/api/v1/approvals/\(id)", ability: .readKeys),
        Deed(method: .post, path: "/api/v1/approvals/\(id)/actions/approve", ability: .manageKeys),
        Deed(method: .post, path: "/api/v1/approvals/\(id)/actions/reject", ability: .manageKeys),
        Deed(method: .get, path: "/api/v1/freezes", ability: .readKeys),
        Deed(method: .post, path: "/api/v1/freezes", ability: .switchKeys),
        Deed(method: .post, path: "/api/v1/freezes/actions/thaw", ability: .manageKeys),
        Deed(method: .get, path: "/api/v1/grants", ability: .readGrants),
        Deed(method: .post, path: "/api/v1/grants", ability: .manageGrants),
        Deed(method: .get, path: "/api/v1/grants/\(id)", ability: .readGrants),
        Deed(method: .delete, path: "/api/v1/grants/\(id)", ability: .manageGrants),
        Deed(method: .get, path: "/api/v1/clients/denied", ability: .readGrants),
        Deed(method: .post, path: "/api/v1/clients/actions/deny", ability: .manageGrants),
        Deed(method: .post, path: "/api/v1/clients/actions/allow", ability: .manageGrants),
        Deed(method: .get, path: "/api/v1/signatures", ability: .readRecords),
        Deed(method: .get, path: "/api/v1/audit", ability: .readAudit),
        Deed(method: .get, path: "/api/v1/users", ability: .readUsers),
        Deed(method: .post, path: "/api/v1/users", ability: .manageUsers),
        Deed(method: .get, path: "/api/v1/users/\(id)", ability: .readUsers),
        Deed(method: .patch, path: "/api/v1/users/\(id)", ability: .manageUsers),
        Deed(method: .get, path: "/api/v1/users/\(id)/api_keys", ability: .readUsers),
        Deed(method: .post, path: "/api/v1/users/\(id)/api_keys", ability: .manageUsers),
        Deed(method: .delete, path: "/api/v1/users/\(id)/api_keys/\(id)", ability: .manageUsers),
    ]

    /// Somebody's request for a certificate.
    private static let request =
        (try? Command.check([
            "openssl", "req", "-newkey", "rsa:2048", "-nodes", "-keyout", "/dev/null", "-subj", "/CN=x",
        ]).text) ?? ""

    private static let id = "00000000-0000-4000-8000-000000000001"

    /// A document that every route of the method and path takes.
    private func document(_ deed: Deed) -> [String: Any]? {
        switch (deed.method, deed.path) {
        case (.post, "/api/v1/keys/"):
            return [
                "name": "some-name", "key_type": "x509ca",
                "attributes": ["common_name": "x", "key_type": "ecdsa"],
                "expire_at": "2029-01-01T00:00:00Z",
            ]
        case (.post, "/api/v1/keys/import"):
            return ["name": "some-name", "key_type": "pgp", "private_key": "x"]
        case (.post, let path) where path.hasSuffix("/certificates"):
            return [
                "name": "some-name", "usage": "cms", "request": Self.request,
                "expire_at": "2029-01-01T00:00:00Z",
            ]
        case (.post, let path) where path.hasSuffix("/renew"): return ["expire_at": "2029-01-01T00:00:00Z"]
        case (.post, "/api/v1/grants"):
            return ["clients": "uri:signet://client/*", "keys": ["name"], "kinds": ["rpm"]]
        case (.post, let path) where path.hasPrefix("/api/v1/clients"):
            return ["certificate": String(repeating: "00", count: 32)]
        case (.post, let path) where path.hasSuffix("request_revoke"): return ["reason": "superseded"]
        case (.post, let path) where path.hasPrefix("/api/v1/freezes"): return [:]
        case (.post, "/api/v1/users"): return ["email": "new@example.org", "role": "viewer"]
        case (.patch, _): return ["disabled": true]
        case (.post, let path) where path.hasSuffix("api_keys"): return ["description": "x"]
        default: return nil
        }
    }

    @Test(arguments: deeds)
    private func everyRouteLooksAtTheRole(_ deed: Deed) async throws {
        for role in Role.allCases {
            let office = try await Office()
            let answer = try await office.ask(deed.method, deed.path, as: role, document(deed))
            let refused = answer.code == ErrorCode.roleMissing.id
            #expect(refused == !role.may(deed.ability), "\(role): \(answer.status) \(answer.text)")
            if refused { #expect(answer.status == 403) }
            #expect(answer.status != 500)
        }
        let stranger = try await office.ask(deed.method, deed.path, as: nil, document(deed))
        #expect(stranger.status == 401)
        #expect(stranger.code == ErrorCode.unauthenticated.id)
        #expect(stranger.fields["www-authenticate"] == "Bearer")
    }

    /// What every token's owner may do about himself, so that no role is asked for.
    private static let own = [
        "GET /api/v1/users/info", "GET /api/v1/users/api_keys", "POST /api/v1/users/api_keys",
        "DELETE /api/v1/users/api_keys/{token}",
    ]

    /// A route that is not in the table here was not thought about.
    @Test func everyRouteThatNeedsATokenIsInTheTable() throws {
        for operation in office.forms.operations {
            let isOpen = (operation.form["security"] as? [[String: Any]])?.contains { $0.isEmpty } ?? false
            guard !isOpen, !Self.own.contains("\(operation.method) \(operation.path)") else { continue }
            let pattern = operation.path.split(separator: "/", omittingEmptySubsequences: false)
            let isThere = Self.deeds.contains { deed in
                let path = deed.path.prefix { $0 != "?" }.split(
                    separator: "/", omittingEmptySubsequences: false)
                // A check is asked for with HEAD, which a table of GET covers.
                let method = operation.method == "HEAD" ? "GET" : operation.method
                // With the slash at the end or without it.
                let ends = path.last?.isEmpty ?? false ? Array(path.dropLast()) : Array(path)
                guard ends.count == pattern.count || path.count == pattern.count else { return false }
                return "\(deed.method)" == method
                    && zip(pattern, path).allSatisfy { $0.hasPrefix("{") || $0 == $1 || $1.isEmpty }
            }
            #expect(isThere, "\(operation.method) \(operation.path)")
        }
    }

    /// A token for less lets its user do less, on every route, and makes none for more.
    @Test(arguments: TokenScope.allCases) func aTokenIsForItsScopesAlone(_ scope: TokenScope) async throws {
        let made = try await office.ask(
            .post, "/api/v1/users/api_keys", ["description": "x", "scopes": [scope.rawValue]])
        #expect(made.status == 201 && made.object["scopes"] as? [String] == [scope.rawValue], "\(made.text)")
        let token = made["token"] ?? ""
        for deed in Self.deeds {
            let answer = try await office.ask(deed.method, deed.path, token: token, document(deed))
            let refused = answer.code == ErrorCode.scopeMissing.id
            let allowed = scope.allows(deed.ability) || deed.alternative.map { scope.allows($0) } ?? false
            #expect(refused != allowed, "\(deed): \(answer.status) \(answer.text)")
            if refused { #expect(answer.status == 403) }
        }
        for wider in [nil, ["read", "keys"], [scope.rawValue, scope == .users ? "keys" : "users"]]
            as [[String]?]
        {
            var body: [String: Any] = ["description": "y"]
            body["scopes"] = wider
            let answer = try await office.ask(.post, "/api/v1/users/api_keys", token: token, body)
            if wider == nil {
                #expect(answer.object["scopes"] as? [String] == [scope.rawValue])
            } else {
                #expect(answer.code == ErrorCode.scopeMissing.id)
            }
        }
        #expect(TokenScope.table.count == TokenScope.allCases.count)
    }

    /// Its last use is known to the minute or so, and telling it changes nothing that anybody waits for.
    @Test func aTokenTellsWhenItWasUsed() async throws {
        func used() async throws -> String? {
            try await office.ask(.get, "/api/v1/users/api_keys").list.first?["last_used_at"] as? String
        }
        let first = try #require(try await used())
        let revision = try await office.stores.pulse().revision
        office.pass(.seconds(30))
        #expect(try await used() == first)
        office.pass(.seconds(31))
        let second = try #require(try await used())
        #expect(second > first)
        #expect(try await office.stores.pulse().revision == revision)
        let other = try await office.ask(
            .post, "/api/v1/users/api_keys", as: .viewer, ["description": "never used"])
        #expect(other.object["last_used_at"] == nil)
    }

    @Test(arguments: [
        "", "x", "Bearer", "Basic YTpi", "signet-", "signet-" + String(repeating: "0", count: 64),
        "Bearer signet-" + String(repeating: "f", count: 64),
        "signet-" + String(repeating: "é", count: 32), "Bearer \u{1F511}",
    ])
    func aWrongTokenIsRefusedEverywhere(_ text: String) async throws {
        for path in ["/api/v1/keys/", "/api/v1/keys/name/public_key", "/api/health/"] {
            let answer = try await office.ask(.get, path, as: nil, fields: [("authorization", text)])
            #expect(answer.status == 401)
            #expect(answer.code == ErrorCode.tokenInvalid.id)
        }
    }

    /// As Signatrust's scripts send it, and with the scheme in any letters.
    @Test(arguments: ["", "Bearer ", "bearer "])
    func aTokenMayComeInTwoForms(_ scheme: String) async throws {
        let answer = try await office.ask(
            .get, "/api/v1/users/info", as: nil,
            fields: [("authorization", scheme + office.token(.viewer))])
        #expect(answer.status == 200)
        #expect(answer["email"] == "viewer@example.org")
        #expect(answer.object["csrf_token"] != nil)
    }

    // MARK: Tokens

    @Test func aTokenIsShownOnceAndWorksUntilItIsRevoked() async throws {
        let made = try await office.ask(
            .post, "/api/v1/users/api_keys", as: .viewer, ["description": "for the farm"])
        #expect(made.status == 201)
        #expect(made.fields["cache-control"] == "no-store")
        let token = try #require(made["token"])
        #expect(token.hasPrefix("signet-"))
        #expect(try await office.ask(.get, "/api/v1/keys/", token: token).status == 200)
        let listed = try await office.ask(.get, "/api/v1/users/api_keys", as: .viewer)
        #expect(listed.list.count == 2)
        #expect(!listed.text.contains(token))
        let id = made["id"] ?? ""
        // Somebody else's is not there for others.
        #expect(try await office.ask(.delete, "/api/v1/users/api_keys/\(id)", as: .operator).status == 404)
        #expect(try await office.ask(.delete, "/api/v1/users/api_keys/\(id)", as: .viewer).status == 200)
        #expect(try await office.ask(.get, "/api/v1/keys/", token: token).status == 401)
        #expect(try await office.lastActions(2) == [.tokenCreate, .tokenRevoke])
    }

    @Test func aTokenEnds() async throws {
        let made = try await office.ask(
            .post, "/api/v1/users/api_keys", as: .viewer,
            ["description": "short", "expire_at": Self.soon])
        let token = try #require(made["token"])
        #expect(try await office.ask(.get, "/api/v1/keys/", token: token).status == 200)
        office.pass(.seconds(61))
        #expect(try await office.ask(.get, "/api/v1/keys/", token: token).status == 401)
    }

    /// A minute after the office's clock.
    private static let soon = "2027-01-15T08:01:00Z"

    @Test(arguments: ["2027-01-15T07:59:00Z", "2029-01-01T00:00:00Z", "tomorrow"])
    func aTokenHasABoundedLife(_ end: String) async throws {
        let made = try await office.ask(
            .post, "/api/v1/users/api_keys", as: .viewer, ["description": "x", "expire_at": end])
        #expect(made.status == 400)
    }

    // MARK: Users

    @Test func aDisabledUserIsOutAtOnce() async throws {
        let users = try await office.ask(.get, "/api/v1/users").list
        let viewer = try #require(users.first { $0["role"] as? String == "viewer" }?["id"] as? String)
        #expect(try await office.ask(.patch, "/api/v1/users/\(viewer)", ["disabled": true]).status == 200)
        #expect(try await office.ask(.get, "/api/v1/keys/", as: .viewer).status == 401)
        #expect(try await office.ask(.patch, "/api/v1/users/\(viewer)", ["disabled": false]).status == 200)
        #expect(try await office.ask(.get, "/api/v1/keys/", as: .viewer).status == 200)
    }

    @Test func theLastAdministratorStays() async throws {
        let me = try #require(try await office.ask(.get, "/api/v1/users/info")["id"])
        for change in [["disabled": true], ["role": "viewer"]] as [[String: Any]] {
            let answer = try await office.ask(.patch, "/api/v1/users/\(me)", change)
            #expect(answer.status == 409)
            #expect(answer.code == ErrorCode.wrongState.id)
        }
        _ = try await office.administrator("b@example.org")
        #expect(try await office.ask(.patch, "/api/v1/users/\(me)", ["role": "viewer"]).status == 200)
    }

    @Test func aNameIsForOneUser() async throws {
        let answer = try await office.ask(
            .post, "/api/v1/users", ["email": "viewer@example.org", "role": "viewer"])
        #expect(answer.status == 409)
        #expect(answer.code == ErrorCode.userNameTaken.id)
    }

    @Test func healthSaysWhatIsAway() async throws {
        #expect(try await office.ask(.get, "/api/health/", as: nil).status == 200)
        office.fail(.unavailable)
        // What was found a moment ago still counts.
        #expect(try await office.ask(.get, "/api/health/", as: nil).status == 200)
        office.pass(.seconds(2))
        let answer = try await office.ask(.get, "/api/health/", as: nil)
        #expect(answer.status == 503)
        #expect(answer["detail"]?.contains("database") == true)
    }
}
