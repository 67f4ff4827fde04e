// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Foundation
import HTTP
import HTTP2
import Keyring
import TestSupport
import Testing

/// `docs/reference/rest.md` against the API: its rows are the routes, and each that is marked `same` answers what scripts
/// for Signatrust send.
@Suite struct ReferenceTests {
    private let office: Office
    init() async throws { office = try await Office() }

    struct Row {
        let method: String
        let path: String
        let mark: String

        /// Without its query, and whatever its parameters are called.
        var bare: String {
            let path = path.prefix { $0 != "?" }.replacing(/\{[a-z_]+\}/, with: "{}")
            return "\(method) \(path.hasSuffix("/") ? String(path.dropLast()) : String(path))"
        }
    }

    /// Those of the page's tables, but for what was dropped and what is at another address.
    static let rows: [Row] = {
        let text =
            (try? String(contentsOfFile: Repository.path("docs/reference/rest.md"), encoding: .utf8)) ?? ""
        let kept = text.components(separatedBy: "## Dropped")[0]
        return kept.split(separator: "\n").compactMap { line in
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            guard cells.count > 2, let match = cells[0].firstMatch(of: /`([A-Z]+) (\/[^`]+)`/),
                !cells[1].contains("status_port")
            else { return nil }
            return Row(method: String(match.1), path: String(match.2), mark: cells[2])
        }
    }()

    @Test func everyRouteIsInThePage() {
        let shown = Set(
            office.forms.operations.map { Row(method: $0.method, path: $0.path, mark: "").bare })
        let told = Set(Self.rows.map(\.bare))
        #expect(shown.subtracting(told).sorted() == [], "routes without a row")
        #expect(told.subtracting(shown).sorted() == [], "rows without a route")
        #expect(Self.rows.allSatisfy { ["same", "changed", "new"].contains($0.mark) })
    }

    // MARK: What scripts for Signatrust send

    /// As they send it: the token alone.
    private func ask(
        _ method: HTTP.Method, _ path: String, as role: Role? = .administrator, _ body: [String: Any]? = nil
    ) async throws -> Office.Answer {
        try await office.ask(
            method, path, as: nil, body,
            fields: role.map { [("authorization", office.token($0))] } ?? [])
    }

    private func setUp() async throws {
        try await office.key("farm-ca", "x509ca", Office.subject)
        let made = try await ask(
            .post, "/api/v1/keys/",
            [
                "name": "packages", "description": "hello", "key_type": "pgp", "visibility": "public",
                "attributes": [
                    "digest_algorithm": "sha2_256", "key_type": "rsa", "key_length": "2048",
                    "email": "user#project@copr.example", "passphrase": "",
                ], "expire_at": "2030-05-12 22:10:57+08:00",
            ])
        #expect(made.status == 201, "\(made.text)")
    }

    private static let fieldsOfKeys = [
        "id", "name", "description", "visibility", "user", "attributes", "key_type", "parent_id",
        "fingerprint",
        "serial_number", "create_at", "expire_at", "key_state", "user_email", "request_delete_users",
        "request_revoke_users",
    ]
    /// Public roots have none of these.
    private static let missing: Set = ["user", "user_email", "parent_id"]

    private func replay(_ row: String) async throws -> Bool {
        switch row {
        case "GET /api/v1/keys":
            let list = try await ask(
                .get, "/api/v1/keys/?page_size=10&page_number=1&key_type=pgp&visibility=public")
            #expect(list.status == 200)
            #expect((list.object["meta"] as? [String: Any])?["total_count"] as? Int == 1)
            let key = try #require(list.list.first)
            for field in Self.fieldsOfKeys where !Self.missing.contains(field) { #expect(key[field] != nil) }
            #expect((key["attributes"] as? [String: Any])?["passphrase"] == nil)
            #expect(try await ask(.get, "/api/v1/keys/", as: nil).status == 401)
        case "HEAD /api/v1/keys/name_identical":
            let path = "/api/v1/keys/name_identical"
            #expect(try await ask(.head, path + "?name=packages&visibility=public").status == 409)
            #expect(try await ask(.head, path + "?name=packages&visibility=private").status == 200)
            #expect(try await ask(.head, path + "?name=other-name").status == 200)
            #expect(try await ask(.head, path).status == 400)
        case "GET /api/v1/keys/{}":
            let key = try await ask(.get, "/api/v1/keys/packages")
            #expect(key.status == 200 && key["name"] == "packages" && key["key_state"] == "disabled")
            #expect(try await ask(.get, "/api/v1/keys/\(key["id"] ?? "")")["name"] == "packages")
            let missing = try await ask(.get, "/api/v1/keys/none-such")
            #expect(missing.status == 404 && missing["detail"] != nil)
        case "POST /api/v1/keys/{}/actions/enable":
            let enabled = try await ask(.post, "/api/v1/keys/packages/actions/enable")
            #expect(enabled.status == 200 && enabled.body.isEmpty)
            #expect(try await ask(.get, "/api/v1/keys/packages")["key_state"] == "enabled")
        case "POST /api/v1/keys/{}/actions/cancel_delete":
            #expect(try await ask(.post, "/api/v1/keys/packages/actions/request_delete").status == 200)
            #expect(try await ask(.get, "/api/v1/keys/packages")["key_state"] == "pending_delete")
            let cancelled = try await ask(.post, "/api/v1/keys/packages/actions/cancel_delete")
            #expect(cancelled.status == 200 && cancelled.body.isEmpty)
            #expect(try await ask(.get, "/api/v1/keys/packages")["key_state"] == "disabled")
        case "GET /api/v1/keys/{}/public_key":
            let part = try await ask(.get, "/api/v1/keys/packages/public_key", as: nil)
            #expect(part.status == 200 && part.fields["content-type"]?.hasPrefix("text/plain") == true)
            #expect(part.text.hasPrefix("-----BEGIN PGP PUBLIC KEY BLOCK-----"))
            #expect(try await ask(.get, "/api/v1/keys/farm-ca/public_key", as: nil).status == 403)
            #expect(try await ask(.get, "/api/v1/keys/a@b.c:user_project/public_key").status == 404)
        case "GET /api/v1/keys/{}/certificate":
            let part = try await ask(.get, "/api/v1/keys/farm-ca/certificate", as: nil)
            #expect(part.status == 200 && part.fields["content-type"]?.hasPrefix("text/plain") == true)
            #expect(part.text.hasPrefix("-----BEGIN CERTIFICATE-----"))
            #expect(try await ask(.get, "/api/v1/keys/packages/certificate", as: nil).status == 403)
        case "GET /api/v1/users/info":
            let info = try await ask(.get, "/api/v1/users/info")
            #expect(info.status == 200 && info["email"] == "administrator@example.org" && info["id"] != nil)
            #expect(info.object["csrf_generation_token"] is NSNull && info.object["csrf_token"] is NSNull)
            #expect(try await ask(.get, "/api/v1/users/info", as: nil).status == 401)
        case "GET /api/v1/users/api_keys":
            let list = try await ask(.get, "/api/v1/users/api_keys")
            #expect(list.status == 200)
            let token = try #require((list.json as? [[String: Any]])?.first)
            for field in ["id", "user_id", "token", "description", "create_at", "expire_at"] {
                #expect(token[field] is String)
            }
            #expect((token["token"] as? String)?.count == 64)
        case "GET /api-doc/openapi.json":
            let shown = try await ask(.get, "/api-doc/openapi.json", as: nil)
            #expect(shown.status == 200 && shown["openapi"]?.hasPrefix("3.0.") == true)
        default: return false
        }
        return true
    }

    @Test(arguments: Self.rows.filter { $0.mark == "same" }.map(\.bare))
    func whatIsTheSameAnswersTheSame(_ row: String) async throws {
        try await setUp()
        #expect(try await replay(row), "\(row) is marked `same`, and nothing here sends it")
    }

    @Test func thereIsSomethingTheSame() {
        #expect(Self.rows.count { $0.mark == "same" } >= 10)
    }
}
