// SPDX-License-Identifier: Apache-2.0

import Foundation
import Keyring
import TestSupport
import Testing

/// The API is what its OpenAPI document says, whoever asks: schemathesis asks for all that the document allows, and much
/// that it does not.
@Suite struct RandomRequestTests {
    @Test func theDocumentIsTrue() throws {
        let plant = try Plant()
        try plant.start()
        let seeds = try seeds(of: plant)
        let plan: [String: Any] = [
            "url": plant.rest, "ca": plant.folder.path + "/pki/ca.crt",
            "seed": Int(truncatingIfNeeded: Trials.seed >> 1), "count": Trials.count(150, full: 20_000),
            "tokens": seeds.tokens, "ids": seeds.ids, "bodies": seeds.bodies,
        ]
        let output = try Command.check(
            [Command.pythonPath, Repository.path("Tests/Python/rest_fuzz.py")],
            input: [UInt8](JSONSerialization.data(withJSONObject: plan)))
        let report = try #require(
            JSONSerialization.jsonObject(with: Data(output.stdout)) as? [String: Any])
        let statuses = try #require(report["statuses"] as? [String: [String: Int]])
        let failures = try #require(report["failures"] as? [String])
        #expect(failures.isEmpty, "\(report["failed"] ?? 0) in all:\n\(failures.joined(separator: "\n"))")
        #expect(try #require(report["requests"] as? Int) >= Trials.count(150, full: 20_000))
        // Every operation was asked for, and did for somebody what it is for.
        #expect(statuses.count == report["operations"] as? Int)
        let lame = statuses.filter { !$0.value.keys.contains { $0.hasPrefix("2") } }.keys.sorted()
        // A few requests hit little.
        #expect(lame.isEmpty || !Trials.areFull, "nobody got anything from \(lame)")
        let served = try plant.curl("/api/v1/users/info")
        #expect(served.status == 200 || served.status == 401)
        plant.stop()
        try plant.admin(["audit", "verify"])
    }

    /// Something of every sort, and a user of each role.
    private func seeds(of plant: Plant) throws -> (
        tokens: [String: String], ids: [String: [String]], bodies: [String: [[String: Any]]]
    ) {
        func post(_ path: String, _ body: [String: Any]) throws -> [String: Any] {
            let text = String(decoding: try JSONSerialization.data(withJSONObject: body), as: UTF8.self)
            let answer = try plant.post(path, text)
            #expect(answer.status < 300, "\(path): \(answer.body)")
            return try JSONSerialization.jsonObject(with: Data(answer.body.utf8), options: .fragmentsAllowed)
                as? [String: Any] ?? [:]
        }
        let end = "2035-01-01T00:00:00Z"
        let subject = ["key_type": "ecdsa", "common_name": "C"]
        var tokens: [String: String] = [:]
        var users: [String] = []
        var own: [String] = []
        /// On the server's machine, where nobody has to approve it; his id and token.
        func user(_ name: String, _ role: Role) throws -> (id: String, token: String) {
            let file = plant.folder.path + "/" + name
            try plant.admin([
                "user", "add", "--name", "\(name)@example.org", "--role", role.rawValue, "--token-file", file,
            ])
            let found =
                try JSONSerialization.jsonObject(
                    with: Data(plant.curl("/api/v1/users?name=\(name)@").body.utf8)) as? [String: Any]
            let id = (found?["data"] as? [[String: Any]])?.first {
                $0["email"] as? String == "\(name)@example.org"
            }
            let token = String(decoding: try plant.folder.read(name), as: UTF8.self)
            return (id?["id"] as? String ?? "", token.trimmingCharacters(in: .newlines))
        }
        var idle: [String] = []
        for role in Role.allCases {
            let (id, token) = try user(role.rawValue, role)
            tokens[role.rawValue] = token
            // Whom nobody shuts out, so that all of them go on asking.
            let other = try user("idle-" + role.rawValue, role).id
            users.append(other)
            // An administrator makes his tokens himself.
            guard role != .administrator else { continue }
            own.append(try post("/api/v1/users/\(id)/api_keys", ["description": "t"])["id"] as? String ?? "")
            idle.append(other)
        }
        let authority: [String: Any] = [
            "name": "seed-ca", "key_type": "x509ca", "attributes": subject, "expire_at": end,
        ]
        let pgp: [String: Any] = [
            "name": "seed-pgp", "key_type": "pgp", "expire_at": end,
            "attributes": ["key_type": "eddsa", "email": "a@example.org"],
        ]
        let leaf: [String: Any] = [
            "key_type": "x509ee", "parent_id": "seed-ca", "expire_at": "2034-01-01T00:00:00Z",
            "attributes": subject.merging(["x509_ee_usage": "ko"]) { $1 },
        ]
        var keys = [try post("/api/v1/keys/", authority)["id"] as? String ?? ""]
        _ = try plant.post("/api/v1/keys/seed-ca/actions/enable", "")
        keys.append(try post("/api/v1/keys/", pgp)["id"] as? String ?? "")
        for number in 0..<6 {
            let key = try post("/api/v1/keys/", leaf.merging(["name": "seed-leaf-\(number)"]) { $1 })
            keys.append(key["id"] as? String ?? "")
        }
        let grant: [String: Any] = [
            "clients": "uri:signet://client/*", "keys": ["seed-pgp"], "kinds": ["rpm"], "expire_at": end,
        ]
        var grants: [String] = []
        for _ in 0..<4 { grants.append(try post("/api/v1/grants", grant)["id"] as? String ?? "") }
        for number in 0..<4 {
            _ = try plant.post("/api/v1/keys/seed-leaf-\(number)/actions/request_delete", "")
        }
        let waiting = try JSONSerialization.jsonObject(with: Data(plant.curl("/api/v1/approvals").body.utf8))
        let requests = (waiting as? [String: Any])?["data"] as? [[String: Any]] ?? []
        let approvals = requests.compactMap { $0["id"] as? String }
        var theirs: [String] = []
        for user in idle + idle {
            let token = try post("/api/v1/users/\(user)/api_keys", ["description": "t"])
            theirs.append(token["id"] as? String ?? "")
        }
        let bodies: [String: [[String: Any]]] = [
            "POST /api/v1/keys/": [authority, pgp, leaf].map { $0.merging(["name": "made-#"]) { $1 } },
            "POST /api/v1/keys": [pgp.merging(["name": "made-too-#", "visibility": "private"]) { $1 }],
            "POST /api/v1/grants": [grant],
            "POST /api/v1/freezes": [["key": "seed-pgp"], ["reason": "x"]],
            "POST /api/v1/freezes/actions/thaw": [["key": "seed-pgp"], [:]],
            "POST /api/v1/users": [["email": "made-#@example.org", "role": "viewer"]],
            "PATCH /api/v1/users/{id}": [["role": "operator"], ["disabled": false], ["disabled": true]],
            "POST /api/v1/users/api_keys": [["description": "made"]],
            "POST /api/v1/users/{id}/api_keys": [["description": "made"]],
            "POST /api/v1/clients/actions/deny": [
                ["identity": "uri:signet://client/c#"], ["certificate": String(repeating: "a0", count: 32)],
            ],
            "POST /api/v1/clients/actions/allow": [["identity": "uri:signet://client/c#"]],
            "POST /api/v1/keys/{key}/actions/request_revoke": [["reason": "superseded"]],
        ]
        let names = ["seed-ca", "seed-pgp", "seed-leaf-0", "seed-leaf-1"]
        return (
            tokens,
            [
                "keys/{key}": keys + names, "users/{id}": users, "grants/{id}": grants,
                "approvals/{id}": approvals, "api_keys/{token}": theirs + own,
            ], bodies
        )
    }
}
