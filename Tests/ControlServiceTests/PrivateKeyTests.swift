// SPDX-License-Identifier: Apache-2.0

import ControlService
import Diagnostics
import HTTP
import HTTP2
import Keyring
import TestSupport
import Testing

/// Keys of one user alone.
@Suite struct PrivateKeyTests {
    private let office: Office
    private let name = "operator@example.org:user_project"
    init() async throws { office = try await Office() }

    private static let order: [String: any Sendable] = [
        "name": "user_project", "key_type": "pgp", "visibility": "private",
        "attributes": ["email": "user#project@copr.example", "key_type": "eddsa"],
        "expire_at": "2029-01-01T00:00:00Z",
    ]

    private func make(as role: Role = .operator) async throws -> Office.Answer {
        try await office.ask(.post, "/api/v1/keys/", as: role, Self.order)
    }

    /// As Copr's backend does it.
    @Test func theWayOfABuildFarm() async throws {
        let me = try #require(try await office.ask(.get, "/api/v1/users/info", as: .operator)["email"])
        let path = "/api/v1/keys/\(me):user_project/public_key"
        #expect(try await office.ask(.get, path, as: .operator).status == 404)
        let free = "/api/v1/keys/name_identical?name=user_project&visibility=private"
        #expect(try await office.ask(.head, free, as: .operator).status == 200)
        let made = try await make()
        #expect(made.status == 201, "\(made.text)")
        #expect(made["name"] == name && made["key_state"] == "enabled" && made["visibility"] == "private")
        #expect(made["user_email"] == me)
        #expect(try await office.ask(.head, free, as: .operator).status == 409)
        #expect(try await make().code == ErrorCode.keyNameTaken.id)
        let part = try await office.ask(.get, path, as: .operator)
        #expect(part.text.hasPrefix("-----BEGIN PGP PUBLIC KEY BLOCK-----"))
        #expect(part.fields["cache-control"] == "private, max-age=300")
        let folder = try TemporaryFolder()
        let shown = try Command.check([
            "gpg", "--homedir", folder.path, "--batch", "--with-colons", "--show-keys", "--faked-system-time",
            "20270115T100000", try folder.write("key.asc", part.body),
        ]).text
        #expect(shown.contains("user_project <user#project@copr.example>"))
        // Another's name is another's.
        #expect(try await make(as: .administrator)["name"] == "administrator@example.org:user_project")
        #expect(try await make(as: .viewer).code == ErrorCode.roleMissing.id)
    }

    @Test func itIsThereForItsOwnerAlone() async throws {
        let id = try #require(try await make()["id"])
        let others: [Role?] = [.administrator, .auditor, .viewer, nil]
        for key in [id, name] {
            for role in others {
                for part in ["public_key", "certificate", "crl"] {
                    let answer = try await office.ask(.get, "/api/v1/keys/\(key)/\(part)", as: role)
                    #expect(answer.code == ErrorCode.keyNotFound.id, "\(part): \(answer.text)")
                }
                if let role {
                    #expect(try await office.ask(.get, "/api/v1/keys/\(key)", as: role).status == 404)
                }
            }
            for action in ["enable", "disable", "request_delete", "cancel_delete", "cancel_revoke"] {
                let answer = try await office.ask(.post, "/api/v1/keys/\(key)/actions/\(action)")
                #expect(answer.code == ErrorCode.keyNotFound.id, "\(action): \(answer.text)")
            }
        }
        func names(_ query: String, _ role: Role) async throws -> [String] {
            try await office.ask(.get, "/api/v1/keys/" + query, as: role).list.compactMap {
                $0["name"] as? String
            }
        }
        try await office.key("farm-ca", "x509ca", Office.subject)
        #expect(try await names("", .operator) == ["farm-ca", name])
        #expect(try await names("?visibility=private", .operator) == [name])
        #expect(try await names("?visibility=public", .operator) == ["farm-ca"])
        #expect(try await names("", .administrator) == ["farm-ca"])
        #expect(try await names("?visibility=private", .administrator) == [])
        // Nor can others grant themselves its use.
        for keys in [[name], [id], ["*"]] {
            let grant: [String: any Sendable] = [
                "clients": "uri:signet://client/*", "keys": keys, "kinds": ["rpm"],
            ]
            let answer = try await office.ask(.post, "/api/v1/grants", grant)
            #expect(answer.status == 404 || answer.status == 400, "\(answer.text)")
        }
    }

    @Test func itsOwnerGrantsItsUseAndEndsIt() async throws {
        #expect(try await make().status == 201)
        let clients = "uri:signet://client/*"
        let made = try await office.ask(
            .post, "/api/v1/grants", as: .operator, ["clients": clients, "keys": [name], "kinds": ["rpm"]])
        #expect(made.status == 201, "\(made.text)")
        try await office.key("release", "pgp", ["email": "a@b", "key_type": "eddsa"])
        let foreign = try await office.ask(
            .post, "/api/v1/grants", as: .operator,
            ["clients": clients, "keys": [name, "release"], "kinds": ["rpm"]])
        #expect(foreign.code == ErrorCode.roleMissing.id)
        let path = "/api/v1/grants/\(made["id"] ?? "")"
        #expect(try await office.ask(.delete, path, as: .viewer).code == ErrorCode.roleMissing.id)
        #expect(try await office.ask(.delete, path, as: .operator).status == 204)
        for action in ["disable", "enable", "disable", "request_delete"] {
            let done = try await office.ask(.post, "/api/v1/keys/\(name)/actions/\(action)", as: .operator)
            #expect(done.status == 200, "\(action): \(done.text)")
        }
        // At once: nobody else has a say.
        #expect(try await office.ask(.get, "/api/v1/keys/\(name)", as: .operator).status == 404)
        #expect(try await office.ask(.get, "/api/v1/approvals", as: .administrator).list.isEmpty)
        #expect(try await make().status == 201)
    }

    @Test func anAuthorityCertifiesItsOwnSort() async throws {
        func order(_ name: String, _ type: String, _ visibility: String, _ parent: String?) -> [String: Any] {
            var order: [String: Any] = [
                "name": name, "key_type": type, "visibility": visibility, "expire_at": "2029-01-01T00:00:00Z",
                "attributes": Office.subject.merging(type == "x509ee" ? ["x509_ee_usage": "ko"] : [:]) { $1 },
            ]
            order["parent_id"] = parent
            return order
        }
        try await office.key("farm-ca", "x509ca", Office.subject)
        let own = try await office.ask(.post, "/api/v1/keys/", order("own-ca", "x509ca", "private", nil))
        #expect(own["key_state"] == "enabled")
        let parent = try #require(own["name"])
        let cases: [(String, String, Int)] = [
            ("private", "farm-ca", 400), ("public", parent, 400), ("private", parent, 201),
            ("public", "farm-ca", 201),
        ]
        for (number, (visibility, parent, status)) in cases.enumerated() {
            let answer = try await office.ask(
                .post, "/api/v1/keys/", order("modules-\(number)", "x509ee", visibility, parent))
            #expect(answer.status == status, "\(visibility) below \(parent): \(answer.text)")
        }
        // Revoked at once, and listed.
        let key = "administrator@example.org:modules-2"
        #expect(try await office.ask(.post, "/api/v1/keys/\(key)/actions/disable").status == 200)
        let revoked = try await office.ask(
            .post, "/api/v1/keys/\(key)/actions/request_revoke", ["reason": "superseded"])
        #expect(revoked.status == 200, "\(revoked.text)")
        #expect(try await office.ask(.get, "/api/v1/keys/\(key)")["key_state"] == "revoked")
        let list = try await office.ask(.get, "/api/v1/keys/\(parent)/crl")
        let folder = try TemporaryFolder()
        let text = try Command.check([
            "openssl", "crl", "-in", try folder.write("crl", list.body), "-noout", "-text",
        ]).text
        #expect(text.contains("Superseded"))
    }
}
