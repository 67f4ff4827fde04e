// SPDX-License-Identifier: Apache-2.0

import ControlService
import Diagnostics
import Foundation
import HTTP
import HTTP2
import Keyring
import TestSupport
import Testing

@testable import Storage

/// Deleting and revoking, over REST.
@Suite struct ApprovalAPITests {
    private let office: Office
    /// Tokens of administrators beside the office's own.
    private let others: [String]

    init() async throws {
        office = try await Office()
        var others: [String] = []
        for number in 1...4 {
            others.append(try await office.administrator("admin\(number)@example.org"))
        }
        self.others = others
        try await office.key("farm-ca", "x509ca", Office.subject)
        try await office.key(
            "modules", "x509ee", ["common_name": "M", "key_type": "ecdsa", "x509_ee_usage": "ko"],
            parent: "farm-ca")
        _ = try await office.ask(.post, "/api/v1/keys/modules/actions/disable")
        // Whoever is made an administrator from now on is younger than what is asked for before.
        office.pass(.seconds(1))
    }

    @discardableResult
    private func act(
        _ action: String, of key: String = "modules", token: String? = nil, _ body: [String: Any]? = nil
    ) async throws -> Office.Answer {
        try await office.ask(.post, "/api/v1/keys/\(key)/actions/\(action)", token: token, body)
    }

    private func state(_ key: String = "modules") async throws -> String {
        try await office.ask(.get, "/api/v1/keys/\(key)")["key_state"] ?? ""
    }

    @Test func aKeyIsRevokedByThreeOthers() async throws {
        let asked = try await act("request_revoke", ["reason": "key_compromise"])
        #expect(asked.status == 200 && asked.body.isEmpty)
        #expect(try await state() == "pending_revoke")
        // The one who asked does not count.
        let own = try await act("request_revoke", ["reason": "key_compromise"])
        #expect(own.status == 403 && own.code == ErrorCode.approvalRefused.id)
        for token in others.prefix(2) {
            #expect(try await act("request_revoke", token: token, ["reason": "key_compromise"]).status == 200)
            #expect(try await act("request_revoke", token: token, ["reason": "key_compromise"]).status == 403)
        }
        let shown = try await office.ask(.get, "/api/v1/keys/modules")
        #expect(
            shown["request_revoke_users"] == "administrator@example.org,admin1@example.org,admin2@example.org"
        )
        #expect(shown["request_delete_users"] == "")
        #expect(
            try await office.ask(.get, "/api/v1/keys/").list.contains {
                $0["request_revoke_users"] as? String != ""
            })
        // For another reason, for deletion, and by one who came later.
        #expect(try await act("request_revoke", token: others[2], ["reason": "superseded"]).status == 403)
        #expect(try await act("request_delete", token: others[2]).status == 409)
        office.pass(.seconds(1))
        let young = try await office.administrator("young@example.org")
        #expect(try await act("request_revoke", token: young, ["reason": "key_compromise"]).status == 403)
        let before = try await office.ask(.get, "/api/v1/keys/farm-ca/crl", as: nil)
        #expect(try await act("request_revoke", token: others[2], ["reason": "key_compromise"]).status == 200)
        #expect(try await state() == "revoked")

        // The list is there at once, with the reason, and the old one is kept.
        let list = try await office.ask(.get, "/api/v1/keys/farm-ca/crl", as: nil)
        let folder = try TemporaryFolder()
        let (old, new) = (try folder.write("old", before.body), try folder.write("new", list.body))
        func text(_ file: String) throws -> String {
            try Command.check(["openssl", "crl", "-in", file, "-noout", "-text", "-crlnumber"]).text
        }
        #expect(try text(old).contains("No Revoked Certificates"))
        #expect(try text(new).contains("Key Compromise"))
        #expect(try text(new).contains("Serial Number: \(shown["serial_number"] ?? "?")"))
        let number = try #require(try text(old).firstMatch(of: /crlNumber=0x([0-9A-F]+)/)).1
        let decimal = try #require(UInt64(number, radix: 16))
        let kept = try await office.ask(.get, "/api/v1/keys/farm-ca/crl?number=\(decimal)", as: nil)
        #expect(kept.body == before.body)
        #expect(try await office.ask(.get, "/api/v1/keys/farm-ca/crl?number=7", as: nil).status == 404)
        for part in ["ca", "leaf"] {
            let key = part == "ca" ? "farm-ca" : "modules"
            try folder.write(
                part, try await office.ask(.get, "/api/v1/keys/\(key)/certificate", as: nil).body)
        }
        let verified = try Command.run([
            "openssl", "verify", "-crl_check", "-attime", String(Office.start.seconds + 60), "-CAfile",
            folder.path + "/ca", "-CRLfile", new, folder.path + "/leaf",
        ])
        #expect(verified.status != 0 && verified.errorText.contains("certificate revoked"))
    }

    @Test func aRevokedKeyThatIsDeletedStaysOnTheList() async throws {
        for (operation, body) in [("revoke", ["reason": "superseded"]), ("delete", nil)] {
            #expect(try await act("request_\(operation)", body).status == 200)
            for token in others.prefix(3) {
                #expect(try await act("request_\(operation)", token: token, body).status == 200)
            }
        }
        #expect(try await office.ask(.get, "/api/v1/keys/modules").status == 404)
        office.pass(.seconds(8 * 86_400))
        var stored = try await office.stores.keys(KeyQuery.all)
        #expect(stored.keys.first { $0.record.name.text == "modules" }?.sealed != nil)
        let report = await office.caretaker.round()
        #expect(report.destroyed == 1 && report.lists == 1 && report.troubles.isEmpty)
        stored = try await office.stores.keys(KeyQuery.all)
        let key = try #require(stored.keys.first { $0.record.name.text == "modules" })
        #expect(key.sealed == nil && key.record.state == .destroyed)
        let list = try await office.ask(.get, "/api/v1/keys/farm-ca/crl", as: nil)
        let folder = try TemporaryFolder()
        let file = try folder.write("crl", list.body)
        #expect(
            try Command.check(["openssl", "crl", "-in", file, "-noout", "-text"]).text.contains("Superseded"))
        // Its name is free, and an authority whose keys are all gone can go too.
        try await office.key(
            "modules", "x509ee", ["common_name": "M", "key_type": "ecdsa", "x509_ee_usage": "ko"],
            parent: "farm-ca")
        _ = try await act("disable", of: "farm-ca")
        #expect(try await act("request_delete", of: "farm-ca").status == 200)
        for token in others.prefix(2) { _ = try await act("request_delete", of: "farm-ca", token: token) }
        let last = try await act("request_delete", of: "farm-ca", token: others[2])
        #expect(last.status == 409 && last.code == ErrorCode.keyInUse.id)
    }

    @Test func whoLosesHisPowersDoesNotCount() async throws {
        #expect(try await act("request_delete").status == 200)
        office.pass(.seconds(1))
        for token in others.prefix(2) { _ = try await act("request_delete", token: token) }
        let users = try await office.ask(.get, "/api/v1/users").list
        let first = try #require(users.first { $0["email"] as? String == "admin1@example.org" }?["id"])
        #expect(try await office.ask(.patch, "/api/v1/users/\(first)", ["role": "viewer"]).status == 200)
        #expect(try await act("request_delete", token: others[2]).status == 200)
        #expect(try await state() == "pending_delete")
        // Made an administrator again, he is younger than the request.
        _ = try await office.users.change(
            UserID(first as? String ?? "") ?? .random(), role: .administrator, isDisabled: nil,
            by: Caller(program: "test"))
        #expect(try await act("request_delete", token: others[0]).status == 403)
        #expect(try await act("request_delete", token: others[3]).status == 200)
        #expect(try await office.ask(.get, "/api/v1/keys/modules").status == 404)
    }

    @Test func requestsAreListedApprovedAndRejected() async throws {
        #expect(try await act("request_delete").status == 200)
        let list = try await office.ask(.get, "/api/v1/approvals?state=open&operation=delete", as: .viewer)
        let request = try #require(list.list.first)
        let id = try #require(request["id"] as? String)
        #expect(
            request["needed"] as? Int == 3 && request["user_email"] as? String == "administrator@example.org")
        let path = "/api/v1/approvals/\(id)"
        let approved = try await office.ask(.post, path + "/actions/approve", token: others[0])
        #expect(approved.status == 200, "\(approved.text)")
        #expect(approved.object["approved_by"] as? [String] == ["admin1@example.org"])
        // His own he takes back; whoever is against it ends it.
        #expect(try await act("cancel_delete", token: others[1]).status == 403)
        #expect(try await act("cancel_delete", token: others[0]).status == 200)
        #expect(try await office.ask(.get, path).object["approved_by"] as? [String] == [])
        let rejected = try await office.ask(.post, path + "/actions/reject", token: others[3])
        #expect(rejected["state"] == "cancelled")
        #expect(try await state() == "disabled")
        let late = try await office.ask(.post, path + "/actions/approve", token: others[1])
        #expect(late.status == 409 && late.code == ErrorCode.approvalOver.id, "\(late.text)")
        #expect(try await act("cancel_delete").status == 409)
        #expect(
            try await office.lastActions(4) == [
                .keyRequestDeletion, .approvalGive, .approvalTakeBack, .keyCancelDeletion,
            ])
        #expect(try await office.ask(.get, "/api/v1/approvals/\(request["key"] ?? "")").status == 404)
        for query in ["state=on", "operation=sign", "key=x", "page_size=0", "colour=red"] {
            #expect(try await office.ask(.get, "/api/v1/approvals?\(query)").status == 400)
        }
    }

    @Test func aRequestEndsByItself() async throws {
        #expect(try await act("request_delete").status == 200)
        for token in others.prefix(2) { _ = try await act("request_delete", token: token) }
        office.pass(.seconds(7 * 86_400))
        // The vote that comes too late asks anew.
        #expect(try await act("request_delete", token: others[2]).status == 200)
        let open = try await office.ask(.get, "/api/v1/approvals?state=open").list
        #expect(open.map { $0["user_email"] as? String } == ["admin3@example.org"])
        #expect((open.first?["approved_by"] as? [String])?.isEmpty == true)
        office.pass(.seconds(7 * 86_400))
        #expect(await office.caretaker.round().lapsed == 1)
        #expect(try await state() == "disabled")
        #expect(try await office.ask(.get, "/api/v1/approvals?state=expired").list.count == 2)
    }

    @Test func keysExpire() async throws {
        office.pass(.seconds(2000 * 86_400))
        let report = await office.caretaker.round()
        #expect(report.expired == 2 && report.troubles.isEmpty)
        let stored = try await office.stores.keys(KeyQuery.all)
        #expect(stored.keys.allSatisfy { $0.record.state == .expired })
        #expect(await office.caretaker.round().expired == 0)
    }

    /// A root has nobody who could list it; an OpenPGP key says so itself.
    @Test func aRootIsNotRevoked() async throws {
        _ = try await act("disable", of: "farm-ca")
        let answer = try await act("request_revoke", of: "farm-ca", ["reason": "unspecified"])
        #expect(answer.code == ErrorCode.keySchemeMismatch.id, "\(answer.text)")
        #expect(try await act("request_revoke", ["reason": "bored"]).status == 400)
        #expect(try await act("request_revoke", [String: Any]()).status == 400)
    }

    /// An authority that certifies no more still says what it revoked.
    @Test func aDisabledAuthorityRevokes() async throws {
        _ = try await act("disable", of: "farm-ca")
        #expect(try await act("request_revoke", ["reason": "superseded"]).status == 200)
        for token in others.prefix(3) {
            _ = try await act("request_revoke", token: token, ["reason": "superseded"])
        }
        #expect(try await state() == "revoked")
        let list = try await office.ask(.get, "/api/v1/keys/farm-ca/crl", as: nil)
        let folder = try TemporaryFolder()
        let file = try folder.write("crl", list.body)
        #expect(
            try Command.check(["openssl", "crl", "-in", file, "-noout", "-text"]).text.contains("Superseded"))
    }

    /// Whoever writes to the database approves nothing, and takes nothing off a list.
    @Test func editedRequestsAreRefused() async throws {
        #expect(try await act("request_revoke", ["reason": "superseded"]).status == 200)
        office.stores.state.withLock { state in
            for (id, stored) in state.proposals {
                var proposal = stored.proposal
                for user in state.users.values where user.role == .administrator {
                    if let next = try? proposal.approved(by: user, at: Office.start + .seconds(1)) {
                        proposal = next
                    }
                }
                state.proposals[id] = StoredProposal(
                    proposal: proposal, code: stored.code, edition: stored.edition)
            }
        }
        let answer = try await act("request_revoke", token: others[0], ["reason": "superseded"])
        #expect(answer.code == ErrorCode.rowForged.id)
        #expect(try await office.ask(.get, "/api/v1/approvals").code == ErrorCode.rowForged.id)
        #expect(try await office.ask(.get, "/api/v1/keys/modules").code == ErrorCode.rowForged.id)
    }

    @Test func aRevocationThatIsGoneFromTheDatabaseIsNoticed() async throws {
        #expect(try await act("request_revoke", ["reason": "superseded"]).status == 200)
        for token in others.prefix(3) {
            _ = try await act("request_revoke", token: token, ["reason": "superseded"])
        }
        office.stores.state.withLock { state in
            state.proposals = [:]
            state.lists = [:]
        }
        let answer = try await office.ask(.get, "/api/v1/keys/farm-ca/crl", as: nil)
        #expect(answer.code == ErrorCode.rowForged.id)
    }
}

extension KeyQuery {
    static var all: KeyQuery {
        var query = KeyQuery()
        query.withDeleted = true
        return query
    }
}
