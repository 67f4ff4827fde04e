// SPDX-License-Identifier: Apache-2.0

import ControlService
import Diagnostics
import HTTP
import Keyring
import TestSupport
import Testing

@testable import Storage

/// What takes the approval of other administrators beside the end of a key: powers of users, and whatever lets a guarded
/// key sign. What was approved is what happens, and nobody approves for others.
@Suite struct GuardAPITests {
    private let office: Office
    /// Tokens of three administrators beside the office's own.
    private let others: [String]

    init() async throws {
        office = try await Office()
        var others: [String] = []
        for number in 1...3 { others.append(try await office.administrator("admin\(number)@example.org")) }
        self.others = others
        office.pass(.seconds(1))
    }

    private func post(_ path: String, _ body: [String: Any]? = nil, token: String? = nil) async throws
        -> Office.Answer
    {
        try await office.ask(.post, path, token: token, body)
    }

    private func approve(_ id: String?, _ token: String? = nil) async throws -> Office.Answer {
        try await post("/api/v1/approvals/\(id ?? "")/actions/approve", token: token)
    }

    private func user(_ name: String) async throws -> [String: Any] {
        try #require(
            try await office.ask(.get, "/api/v1/users?page_size=100").list.first {
                $0["email"] as? String == name
            })
    }

    // MARK: Users

    @Test func aRoleTakesApprovals() async throws {
        let asked = try await post("/api/v1/users", ["email": "eve@example.org", "role": "administrator"])
        #expect(asked.status == 202 && asked["operation"] == "role" && asked["role"] == "administrator")
        #expect(asked["for_user_email"] == "eve@example.org" && asked.object["needed"] as? Int == 3)
        let eve = try await user("eve@example.org")
        #expect(eve["role"] as? String == "viewer")
        let id = eve["id"] as? String ?? ""
        // Tokens that others may know are worth nothing afterwards.
        let token = try #require(
            try await post("/api/v1/users/\(id)/api_keys", ["description": "x"])["token"])
        #expect(try await approve(asked["id"]).code == ErrorCode.approvalRefused.id)
        // Nor does she approve her own powers, or somebody who was made an administrator since.
        #expect(try await approve(asked["id"], token).code == ErrorCode.roleMissing.id)
        office.pass(.seconds(1))
        let young = try await office.administrator("young@example.org")
        #expect(try await approve(asked["id"], young).code == ErrorCode.approvalRefused.id)
        for token in others { #expect(try await approve(asked["id"], token).status == 200) }
        #expect(try await user("eve@example.org")["role"] as? String == "administrator")
        #expect(try await office.ask(.get, "/api/v1/keys", token: token).status == 401)
        #expect(try await office.lastActions(1) == [.userChange])
        // And she counts from that moment on, not from her birth.
        let stored = try #require(try await office.stores.user(named: "eve@example.org"))
        #expect(stored.powersSince > stored.created)
    }

    /// Nobody has the tokens of another administrator made: he would approve in his name.
    @Test func nobodyMakesTokensForAdministrators() async throws {
        let other = try await user("admin1@example.org")["id"] as? String ?? ""
        let answer = try await post("/api/v1/users/\(other)/api_keys", ["description": "x"])
        #expect(answer.status == 403 && answer.code == ErrorCode.permissionDenied.id)
        let viewer = try await user("viewer@example.org")["id"] as? String ?? ""
        #expect(try await post("/api/v1/users/\(viewer)/api_keys", ["description": "x"]).status == 201)
    }

    @Test func powersAreTakenAwayAtOnce() async throws {
        for (name, change) in [
            ("admin1@example.org", ["role": "operator"]), ("admin2@example.org", ["disabled": true]),
            ("auditor@example.org", ["role": "viewer"]),
        ] as [(String, [String: Any])] {
            let id = try await user(name)["id"] as? String ?? ""
            #expect(try await office.ask(.patch, "/api/v1/users/\(id)", change).status == 200, "\(name)")
        }
        #expect(try await post("/api/v1/users", ["email": "v@example.org", "role": "viewer"]).status == 201)
    }

    @Test(arguments: [
        ("viewer@example.org", "operator"), ("viewer@example.org", "auditor"),
        ("operator@example.org", "administrator"), ("auditor@example.org", "operator"),
    ])
    func whateverGivesPowersIsAsked(_ name: String, _ wanted: String) async throws {
        let change = ["role": wanted]
        let (id, role) = try await (user(name)["id"] as? String ?? "", user(name)["role"] as? String)
        let path = "/api/v1/users/\(id)"
        let asked = try await office.ask(.patch, path, change)
        #expect(asked.status == 202, "\(asked.text)")
        #expect(try await user(name)["role"] as? String == role)
        // By the same route others approve it.
        for (count, token) in others.enumerated() {
            #expect(
                try await office.ask(.patch, path, token: token, change).status == (count < 2 ? 202 : 200))
        }
        #expect(try await user(name)["role"] as? String == wanted)
    }

    @Test func whatChangedMeanwhileIsNotApproved() async throws {
        let id = try await user("operator@example.org")["id"] as? String ?? ""
        let asked = try await office.ask(.patch, "/api/v1/users/\(id)", ["role": "administrator"])
        #expect(try await office.ask(.patch, "/api/v1/users/\(id)", ["disabled": true]).status == 200)
        for token in others.prefix(2) { #expect(try await approve(asked["id"], token).status == 200) }
        #expect(try await approve(asked["id"], others[2]).code == ErrorCode.wrongState.id)
        #expect(try await user("operator@example.org")["role"] as? String == "operator")
    }

    /// What never can be approved is refused at once, and the answer says where administrators come from.
    @Test func tooFewAdministratorsAreTold() async throws {
        let small = try await Office()
        let answer = try await small.ask(
            .post, "/api/v1/users", ["email": "eve@example.org", "role": "operator"])
        #expect(answer.status == 409 && answer.code == ErrorCode.approversMissing.id)
        #expect(answer["remedy"]?.contains("control-admin user add") == true)
        #expect(try await small.stores.user(named: "eve@example.org") == nil)
    }

    /// Whoever writes to the database makes nobody an administrator by it.
    @Test func anEditedRequestIsRefused() async throws {
        let asked = try await post("/api/v1/users", ["email": "eve@example.org", "role": "operator"])
        office.stores.state.withLock { state in
            for (id, stored) in state.proposals {
                guard case .role(let change) = stored.proposal.content,
                    case .user(let user) = stored.proposal.subject, let eve = state.users[user]
                else { continue }
                let wider = PowerChange(of: eve, to: Powers(role: .administrator, isDisabled: false))
                guard
                    let proposal = try? Proposal(
                        id: id, .role, of: .user(user), .role(wider), by: stored.proposal.requester,
                        needed: 3,
                        ends: stored.proposal.ends), change != wider
                else { continue }
                state.proposals[id] = StoredProposal(
                    proposal: proposal, code: stored.code, edition: stored.edition)
            }
        }
        #expect(try await approve(asked["id"], others[0]).code == ErrorCode.rowForged.id)
    }

    // MARK: Guarded keys

    private func guardedKey() async throws {
        let made = try await post(
            "/api/v1/keys/",
            [
                "name": "release", "key_type": "pgp", "guarded": true, "expire_at": "2030-01-01T00:00:00Z",
                "attributes": ["email": "r@example.org", "key_type": "eddsa"],
            ])
        #expect(made.status == 201 && made.object["guarded"] as? Bool == true, "\(made.text)")
    }

    private func key() async throws -> Office.Answer { try await office.ask(.get, "/api/v1/keys/release") }

    @Test func aGuardedKeyIsEnabledByThreeOthers() async throws {
        try await guardedKey()
        let path = "/api/v1/keys/release/actions/enable"
        let asked = try await post(path)
        #expect(asked.status == 202 && asked["operation"] == "enable")
        #expect(try await key()["key_state"] == "disabled")
        #expect(try await post(path).code == ErrorCode.approvalRefused.id)
        // An operator may ask, as he may enable, and does not approve.
        #expect(try await office.ask(.post, path, as: .operator).code == ErrorCode.roleMissing.id)
        #expect(try await post(path, token: others[0]).status == 202)
        #expect(try await approve(asked["id"], others[1]).status == 200)
        #expect(try await key()["key_state"] == "disabled")
        #expect(try await post(path, token: others[2]).status == 200)
        #expect(try await key()["key_state"] == "enabled")
        #expect(try await office.lastActions(1) == [.keyEnable])
        // To disable it stays a single act.
        #expect(
            try await office.ask(.post, "/api/v1/keys/release/actions/disable", as: .operator).status == 200)
    }

    @Test func aGuardIsSetByOneAndTakenOffByThree() async throws {
        try await office.key("release", "pgp", ["email": "r@example.org", "key_type": "eddsa"])
        #expect(try await post("/api/v1/keys/release/actions/guard").status == 200)
        #expect(try await key().object["guarded"] as? Bool == true)
        let path = "/api/v1/keys/release/actions/unguard"
        #expect(try await post(path).status == 202)
        for (count, token) in others.enumerated() {
            #expect(try await post(path, token: token).status == (count < 2 ? 202 : 200))
            #expect(try await key().object["guarded"] as? Bool == (count < 2))
        }
        #expect(try await office.lastActions(1) == [.keyUnguard])
        #expect(try await post(path).status == 200, "what is not guarded needs nobody")
    }

    @Test func aGrantOnAGuardedKeyIsJustTheOneThatWasAskedFor() async throws {
        try await guardedKey()
        let asked = try await post(
            "/api/v1/grants",
            ["clients": "uri:signet://client/ci", "keys": ["release"], "kinds": ["rpm"], "description": "ci"])
        #expect(asked.status == 202 && asked["operation"] == "grant")
        let shown = try #require(asked.object["grant"] as? [String: Any])
        #expect(shown["kinds"] as? [String] == ["rpm"] && shown["description"] as? String == "ci")
        #expect(try await office.ask(.get, "/api/v1/grants").list.isEmpty)
        for token in others { #expect(try await approve(asked["id"], token).status == 200) }
        let made = try #require(try await office.ask(.get, "/api/v1/grants").list.first)
        #expect(made["id"] as? String == shown["id"] as? String && made["kinds"] as? [String] == ["rpm"])
        #expect(try await office.stores.access().grants.count == 1)
        // To take it back is a single act.
        let path = "/api/v1/grants/\(made["id"] as? String ?? "")"
        #expect(try await office.ask(.delete, path).status == 204)
    }

    @Test func aGrantOnAKeyThatIsGoneIsNotMade() async throws {
        try await guardedKey()
        let grant: [String: Any] = [
            "clients": "uri:signet://client/ci", "keys": ["release"], "kinds": ["rpm"],
        ]
        let asked = try await post("/api/v1/grants", grant)
        _ = try await post("/api/v1/keys/release/actions/request_delete")
        for token in others {
            _ = try await post("/api/v1/keys/release/actions/request_delete", token: token)
        }
        for token in others.prefix(2) { #expect(try await approve(asked["id"], token).status == 200) }
        #expect(try await approve(asked["id"], others[2]).code == ErrorCode.keyNotFound.id)
    }

    /// The guard is under the row's code: nobody takes it off in the database.
    @Test func aGuardCannotBeEditedAway() async throws {
        try await guardedKey()
        office.stores.state.withLock { state in
            for (id, stored) in state.keys {
                var record = stored.record
                record.isGuarded = false
                state.keys[id] = StoredKey(
                    record: record, sealed: stored.sealed, code: stored.code, edition: stored.edition)
            }
        }
        #expect(try await post("/api/v1/keys/release/actions/enable").code == ErrorCode.rowForged.id)
    }

    @Test func aPrivateKeyIsNotGuarded() async throws {
        let made = try await office.ask(
            .post, "/api/v1/keys/", as: .operator,
            [
                "name": "mine", "key_type": "pgp", "visibility": "private", "guarded": true,
                "attributes": ["email": "o@example.org", "key_type": "eddsa"],
                "expire_at": "2030-01-01T00:00:00Z",
            ])
        #expect(made.status == 400)
    }
}
