// SPDX-License-Identifier: Apache-2.0

import ControlService
import Diagnostics
import HTTP
import Keyring
import TestSupport
import Testing

@testable import Storage

/// Stopping all signing, or one key's, over REST: who may, and who may let it go on.
@Suite struct FreezeAPITests {
    private let office: Office
    private let other: String

    init() async throws {
        office = try await Office()
        other = try await office.administrator("other@example.org")
        try await office.key("release", "pgp", ["email": "r@example.org", "key_type": "eddsa"])
        office.pass(.seconds(1))
    }

    private func frozen() async throws -> FrozenKeys { try await office.stores.access().frozen }

    private func freeze(_ key: String?, as role: Role = .administrator) async throws -> Office.Answer {
        var order: [String: Any] = ["reason": "a builder was broken into"]
        order["key"] = key
        return try await office.ask(.post, "/api/v1/freezes", as: role, order)
    }

    private func thaw(_ key: String?, as role: Role = .administrator, token: String? = nil) async throws
        -> Office.Answer
    {
        try await office.ask(
            .post, "/api/v1/freezes/actions/thaw", as: role, token: token, key.map { ["key": $0] } ?? [:])
    }

    @Test(arguments: [nil, "release"] as [String?])
    func anotherAdministratorLetsItGoOn(_ key: String?) async throws {
        let made = try await freeze(key)
        #expect(made.status == 201, "\(made.text)")
        let found = try await frozen()
        #expect(found.all == (key == nil) && found.keys.count == (key == nil ? 0 : 1))
        let shown = try await office.ask(.get, "/api/v1/freezes").list
        #expect(shown.count == 1 && shown[0]["user_email"] as? String == "administrator@example.org")
        #expect(
            shown[0]["name"] as? String == key && shown[0]["reason"] as? String == "a builder was broken into"
        )
        // The key itself is as it was.
        #expect(try await office.ask(.get, "/api/v1/keys/release")["key_state"] == "enabled")
        #expect(
            try await thaw(key == nil ? "release" : nil, token: other).code == ErrorCode.freezeNotFound.id)
        #expect(try await thaw(key, token: other).status == 204)
        #expect(try await frozen().isEmpty)
        #expect(try await office.lastActions(2) == [.freeze, .thaw])
        #expect(try await thaw(key, token: other).status == 404)
    }

    /// Who froze cannot thaw alone: it takes an administrator more.
    @Test func theOneWhoFrozeHasToAsk() async throws {
        _ = try await freeze(nil)
        let asked = try await thaw(nil)
        #expect(asked.status == 202 && asked["operation"] == "thaw" && asked.object["needed"] as? Int == 1)
        #expect(asked.object["key"] == nil)
        #expect(try await frozen().all)
        // Not by asking twice, and not as a request either.
        #expect(try await thaw(nil).code == ErrorCode.approvalRefused.id)
        let path = "/api/v1/approvals/\(asked["id"] ?? "")/actions/approve"
        #expect(try await office.ask(.post, path).code == ErrorCode.approvalRefused.id)
        // Nor by somebody whom he made an administrator afterwards.
        office.pass(.seconds(1))
        let young = try await office.administrator("young@example.org")
        #expect(try await office.ask(.post, path, token: young).code == ErrorCode.approvalRefused.id)
        #expect(try await frozen().all)
        let done = try await office.ask(.post, path, token: other)
        #expect(done["state"] == "done")
        #expect(try await frozen().isEmpty)
        let last = try await office.stores.entries(after: 0, limit: 1000).last
        #expect(last?.event.action == .thaw)
        #expect(last?.event.facts.first { $0.name == "approved-by" }?.value == "other@example.org")
    }

    /// Made an administrator after the freeze, one does not end it alone; with one more it goes.
    @Test func theYoungHaveToAskToo() async throws {
        _ = try await freeze("release")
        office.pass(.seconds(1))
        let young = try await office.administrator("young@example.org")
        #expect(try await thaw("release", token: young).status == 202)
        #expect(try await thaw("release", token: young).code == ErrorCode.approvalRefused.id)
        #expect(try await frozen().keys.count == 1)
        #expect(try await thaw("release", token: other).status == 204)
        #expect(try await frozen().isEmpty)
    }

    @Test func anOperatorFreezesAndDoesNotThaw() async throws {
        #expect(try await freeze("release", as: .operator).status == 201)
        #expect(try await thaw("release", as: .operator).code == ErrorCode.roleMissing.id)
        #expect(try await thaw("release").status == 204)
        #expect(try await freeze("release", as: .viewer).code == ErrorCode.roleMissing.id)
        #expect(try await freeze("nothing").status == 404)
    }

    /// A second order does not take the place of the first, whose giver would then thaw alone.
    @Test func theFirstOrderStays() async throws {
        _ = try await freeze(nil)
        office.pass(.seconds(1))
        let again = try await office.ask(.post, "/api/v1/freezes", token: other, [:])
        #expect(again.status == 201 && again["user_email"] == "administrator@example.org")
        #expect(try await thaw(nil).status == 202)
    }

    @Test func aRequestToThawEnds() async throws {
        _ = try await freeze(nil)
        #expect(try await thaw(nil).status == 202)
        let rejected = try await office.ask(.get, "/api/v1/approvals?state=open&operation=thaw").list[0]
        let path = "/api/v1/approvals/\(rejected["id"] as? String ?? "")/actions/reject"
        #expect(try await office.ask(.post, path, token: other)["state"] == "cancelled")
        #expect(try await thaw(nil).status == 202)
        office.pass(.seconds(8 * 86_400))
        #expect(await office.caretaker.round().lapsed == 1)
        #expect(try await frozen().all)
        #expect(try await office.lastActions(1) == [.approvalExpire])
    }

    /// A private key is its owner's alone.
    @Test func anOwnerFreezesHisOwnKey() async throws {
        let made = try await office.ask(
            .post, "/api/v1/keys/", as: .operator,
            [
                "name": "mine", "key_type": "pgp", "visibility": "private",
                "attributes": ["email": "o@example.org", "key_type": "eddsa"],
                "expire_at": "2030-01-01T00:00:00Z",
            ])
        let name = made["name"] ?? ""
        #expect(try await freeze(name).status == 404)
        #expect(try await freeze(name, as: .operator).status == 201)
        #expect(try await office.ask(.get, "/api/v1/freezes").list.isEmpty)
        #expect(try await office.ask(.get, "/api/v1/freezes", as: .operator).list.count == 1)
        #expect(try await thaw(name).status == 404)
        #expect(try await thaw(name, as: .operator).status == 204)
    }

    @Test func anAuthorityIsNotFrozen() async throws {
        try await office.key("farm-ca", "x509ca", Office.subject)
        #expect(try await freeze("farm-ca").code == ErrorCode.keySchemeMismatch.id)
    }
}
