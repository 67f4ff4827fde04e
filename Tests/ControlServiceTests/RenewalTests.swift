// SPDX-License-Identifier: Apache-2.0

import ControlService
import Cryptography
import Diagnostics
import Foundation
import HTTP
import Keyring
import Signatures
import TestSupport
import Testing

@testable import Storage

/// Keys that live longer, and OpenPGP keys that say themselves that they are revoked.
@Suite struct RenewalTests {
    private let office: Office
    private let folder: TemporaryFolder

    init() async throws {
        office = try await Office()
        folder = try TemporaryFolder()
    }

    private func renew(_ key: String, _ end: String, as role: Role = .administrator) async throws
        -> Office.Answer
    {
        try await office.ask(.post, "/api/v1/keys/\(key)/actions/renew", as: role, ["expire_at": end])
    }

    /// The fields of gpg's lines of one sort.
    private func gpg(_ key: String, _ sort: String) async throws -> [[String]] {
        let text = try await office.ask(.get, "/api/v1/keys/\(key)/public_key", as: nil).text
        let file = try folder.write("key.asc", text)
        // Imported, so that signatures are looked at.
        let home = [
            "gpg", "--homedir", folder.path, "--batch", "--quiet", "--faked-system-time", "\(office.now)",
        ]
        try Command.check(home + ["--import", file])
        return try Command.check(home + ["--with-colons", "--list-keys"]).text.split(separator: "\n")
            .map { $0.split(separator: ":", omittingEmptySubsequences: false).map(String.init) }
            .filter { $0[0] == sort }
    }

    @Test(arguments: ["false", "true"]) func anOpenPGPKeySaysItsNewEnd(_ subkey: String) async throws {
        let made = try await office.key(
            "release", "pgp", ["email": "r@x.org", "key_type": "eddsa", "signing_subkey": subkey])
        let end = 1_893_456_000
        #expect(try await gpg("release", "pub")[0][6] == "\(end)")
        office.pass(.seconds(10))
        let renewed = try await renew("release", "2032-01-01T00:00:00Z")
        #expect(renewed.status == 200, "\(renewed.text)")
        #expect(renewed["expire_at"] == "2032-01-01T00:00:00Z" && renewed["key_state"] == "enabled")
        #expect(renewed["fingerprint"] == made["fingerprint"] && renewed["id"] == made["id"])
        for sort in subkey == "true" ? ["pub", "sub"] : ["pub"] {
            let lines = try await gpg("release", sort)
            #expect(lines.count == 1 && lines[0][6] == "1956528000", "\(lines)")
            #expect(!["e", "r", "i"].contains(lines[0][1]))
        }
        if subkey == "true" {
            let primary = try await office.ask(.get, "/api/v1/keys/release-primary")
            #expect(primary["expire_at"] == "2032-01-01T00:00:00Z")
            #expect(
                try await office.ask(.get, "/api/v1/keys/release-primary/public_key", as: nil).text
                    == office.ask(.get, "/api/v1/keys/release/public_key", as: nil).text)
        }
        #expect(try await office.lastActions(1) == [.keyRenew])

        // One that has expired comes back, out of use.
        office.pass(.seconds(10))
        #expect(try await renew("release", "2027-02-01T00:00:00Z").status == 200)
        office.pass(.seconds(18 * 86_400))
        _ = await office.caretaker.round()
        #expect(try await office.ask(.get, "/api/v1/keys/release")["key_state"] == "expired")
        let late = try await renew("release", "2040-01-01T00:00:00Z")
        #expect(late.status == 200 && late["key_state"] == "disabled", "\(late.text)")
        #expect(try await office.ask(.post, "/api/v1/keys/release/actions/enable").status == 200)
    }

    /// A new certificate for the same key; when the key is revoked, both are on the list.
    @Test func aCertificateIsIssuedAnew() async throws {
        let mine = ["visibility": "private", "expire_at": "2028-01-01T00:00:00Z"]
        func make(_ name: String, _ type: String, _ attributes: [String: String], _ more: [String: String])
            async throws
            -> Office.Answer
        {
            var document: [String: Any] = ["name": name, "key_type": type, "attributes": attributes]
            document.merge(mine) { $1 }
            document.merge(more) { $1 }
            let made = try await office.ask(.post, "/api/v1/keys/", as: .operator, document)
            #expect(made.status == 201, "\(made.text)")
            return made
        }
        let authority = try await make(
            "root", "x509ca", Office.subject, ["expire_at": "2030-01-01T00:00:00Z"])
        let id = try #require(authority["id"])
        let leaf = try await make(
            "leaf", "x509ee",
            ["common_name": "Leaf", "key_type": "rsa", "key_length": "2048", "x509_ee_usage": "efi"],
            ["parent_id": id])
        let key = try #require(leaf["id"])
        func part(_ key: String, _ part: String, _ file: String) async throws {
            let answer = try await office.ask(.get, "/api/v1/keys/\(key)/\(part)", as: .operator)
            #expect(answer.status == 200, "\(answer.text)")
            try folder.write(file, answer.body)
        }
        try await part(id, "certificate", "ca.pem")
        try await part(key, "certificate", "old.pem")
        office.pass(.seconds(100))
        for (end, status) in [
            ("2031-01-01T00:00:00Z", 400), ("2020-01-01T00:00:00Z", 400), ("2029-06-01T00:00:00Z", 200),
        ] {
            let answer = try await renew(key, end, as: .operator)
            #expect(answer.status == status, "\(end): \(answer.text)")
        }
        try await part(key, "certificate", "new.pem")
        let shown = try await office.ask(.get, "/api/v1/keys/\(key)", as: .operator)
        #expect(shown["serial_number"] != leaf["serial_number"])
        #expect(shown["public_key_sha256"] == leaf["public_key_sha256"])
        #expect(shown["expire_at"] == "2029-06-01T00:00:00Z")
        func verifies(_ file: String) async throws -> Bool {
            try await part(id, "crl", "crl.pem")
            return try Command.run([
                "openssl", "verify", "-x509_strict", "-crl_check", "-attime", "\(office.now + 5)", "-CAfile",
                folder.path + "/ca.pem", "-CRLfile", folder.path + "/crl.pem", folder.path + "/" + file,
            ]).status == 0
        }
        for file in ["old.pem", "new.pem"] { #expect(try await verifies(file), "\(file)") }
        for (action, body) in [("disable", nil), ("request_revoke", ["reason": "key_compromise"])]
            as [(String, [String: Any]?)]
        {
            let answer = try await office.ask(
                .post, "/api/v1/keys/\(key)/actions/\(action)", as: .operator, body)
            #expect(answer.status == 200, "\(action): \(answer.text)")
        }
        for file in ["old.pem", "new.pem"] { #expect(try await !verifies(file), "\(file)") }
        // A revoked key has no other end.
        #expect(try await renew(key, "2029-07-01T00:00:00Z", as: .operator).status == 409)

        // A root signs itself anew, and what it issued still hangs on it.
        let root = try await renew(id, "2035-01-01T00:00:00Z", as: .operator)
        #expect(root.status == 200 && root["key_type"] == "x509ca", "\(root.text)")
        try await part(id, "certificate", "ca2.pem")
        try Command.check([
            "openssl", "verify", "-attime", "\(office.now + 5)", "-CAfile", folder.path + "/ca2.pem",
            folder.path + "/new.pem",
        ])
    }

    /// With their private half elsewhere: such a key is renewed and revoked like any other.
    @Test func aKeyElsewhereIsRenewed() async throws {
        try await office.key("farm-ca", "x509ca", Office.subject)
        try Command.check([
            "openssl", "req", "-newkey", "rsa:2048", "-nodes", "-keyout", folder.path + "/key", "-out",
            folder.path + "/csr", "-subj", "/CN=Vendor",
        ])
        let made = try await office.ask(
            .post, "/api/v1/keys/farm-ca/certificates",
            [
                "name": "vendor", "usage": "ko",
                "request": String(decoding: folder.read("csr"), as: UTF8.self),
                "expire_at": "2028-01-01T00:00:00Z",
            ])
        #expect(made.status == 201, "\(made.text)")
        let renewed = try await renew("vendor", "2029-01-01T00:00:00Z")
        #expect(renewed.status == 200, "\(renewed.text)")
        #expect(renewed["serial_number"] != made["serial_number"])
    }

    /// Who has the public key hears of it; of a pair the subkey alone is revoked, and the primary for itself.
    @Test(arguments: [("false", "key_compromise"), ("true", "superseded")])
    func anOpenPGPKeyIsRevoked(_ subkey: String, _ reason: String) async throws {
        let made = try await office.ask(
            .post, "/api/v1/keys/", as: .operator,
            [
                "name": "mine", "key_type": "pgp", "visibility": "private",
                "expire_at": "2030-01-01T00:00:00Z",
                "attributes": ["email": "m@x.org", "key_type": "eddsa", "signing_subkey": subkey],
            ])
        #expect(made.status == 201, "\(made.text)")
        let id = try #require(made["id"])
        func revoke(_ id: String) async throws {
            _ = try await office.ask(.post, "/api/v1/keys/\(id)/actions/disable", as: .operator)
            let answer = try await office.ask(
                .post, "/api/v1/keys/\(id)/actions/request_revoke", as: .operator, ["reason": reason])
            #expect(answer.status == 200, "\(answer.text)")
            #expect(try await office.ask(.get, "/api/v1/keys/\(id)", as: .operator)["key_state"] == "revoked")
        }
        func states() async throws -> [String] {
            let text = try await office.ask(.get, "/api/v1/keys/\(id)/public_key", as: .operator).text
            let file = try folder.write("key.asc", text)
            let home = [
                "gpg", "--homedir", folder.path, "--batch", "--quiet", "--faked-system-time", "\(office.now)",
            ]
            try Command.check(home + ["--import", file])
            let listed = try Command.check(home + ["--with-colons", "--list-keys"]).text
            let lines: [[Substring]] = listed.split(separator: "\n").map { line in
                line.split(separator: ":", omittingEmptySubsequences: false)
            }
            return lines.filter { ["pub", "sub"].contains($0[0]) }.map { String($0[1]) }
        }
        office.pass(.seconds(5))
        #expect(try await !states().contains("r"))
        try await revoke(id)
        #expect(try await states() == (subkey == "true" ? ["-", "r"] : ["r"]))
        // It is for good.
        #expect(try await office.ask(.post, "/api/v1/keys/\(id)/actions/enable", as: .operator).status == 409)
        #expect(try await renew(id, "2031-01-01T00:00:00Z", as: .operator).status == 409)
        if subkey == "true" {
            office.pass(.seconds(5))
            try await revoke(try #require(made["parent_id"]))
            #expect(try await states().first == "r")
        }
    }
}
