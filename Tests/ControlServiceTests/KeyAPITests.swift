// SPDX-License-Identifier: Apache-2.0

import ControlService
import Cryptography
import Diagnostics
import Foundation
import HTTP
import HTTP2
import Keyring
import TestSupport
import Testing

@testable import Storage

@Suite struct KeyAPITests {
    private let office: Office
    init() async throws { office = try await Office() }

    // MARK: X.509

    @Test func anAuthorityCertifiesALeafForModules() async throws {
        let authority = try await office.key("farm-ca", "x509ca", Office.subject)
        let leaf = try await office.key(
            "modules", "x509ee",
            ["common_name": "Modules", "key_type": "rsa", "key_length": "2048", "x509_ee_usage": "ko"],
            parent: "farm-ca")
        #expect(leaf["parent_id"] == authority["id"])
        #expect(leaf["scheme"] == "module")
        #expect(leaf["key_type"] == "x509ee")
        let folder = try TemporaryFolder()
        for (file, key, part) in [
            ("ca", "farm-ca", "certificate"), ("leaf", "modules", "certificate"), ("crl", "farm-ca", "crl"),
        ] {
            let answer = try await office.ask(.get, "/api/v1/keys/\(key)/\(part)", as: nil)
            #expect(answer.status == 200, "\(answer.text)")
            #expect(answer.fields["content-type"] == "text/plain; charset=utf-8")
            try folder.write(file, answer.body)
        }
        // At the office's own time.
        let time = ["-attime", String(Office.start.seconds + 60)]
        let verified = try Command.run(
            [
                "openssl", "verify", "-x509_strict", "-crl_check", "-CAfile", folder.path + "/ca", "-CRLfile",
                folder.path + "/crl",
            ]
                + time + [folder.path + "/leaf"])
        #expect(verified.status == 0, "\(verified.errorText)")
        let text = try Command.check([
            "openssl", "x509", "-in", folder.path + "/leaf", "-noout", "-text", "-serial",
        ])
        #expect(text.text.contains("Code Signing"))
        #expect(text.text.contains("serial=\(leaf["serial_number"] ?? "?")"))
    }

    /// Each use has its scheme and its certificate; below an intermediate authority that one comes along.
    @Test(arguments: [
        ("efi", "authenticode", "rsa", "codesign"), ("cms", "cms", "ecdsa", "smimesign"),
        ("timestamp", "timestamp", "rsa", "timestampsign"),
    ])
    func leavesForEachUse(_ usage: String, _ scheme: String, _ family: String, _ purpose: String) async throws
    {
        try await office.key("farm-ca", "x509ca", Office.subject)
        try await office.key("farm-ica", "x509ica", ["common_name": "Middle"], parent: "farm-ca")
        let folder = try TemporaryFolder()
        for (parent, count) in [("farm-ca", 1), ("farm-ica", 2)] {
            let name = "leaf-of-\(parent)"
            let leaf = try await office.key(
                name, "x509ee", ["common_name": "Leaf", "key_type": family, "x509_ee_usage": usage],
                parent: parent)
            #expect(leaf["scheme"] == scheme && leaf["key_type"] == "x509ee")
            let id = try #require(leaf["id"].flatMap { KeyID($0) })
            let record = try #require(try await office.stores.key(id)).record
            let chain = try Certificate.chain(der: record.certificate.span)
            #expect(chain.count == count)
            for key in ["farm-ca", "farm-ica", name] {
                let answer = try await office.ask(.get, "/api/v1/keys/\(key)/certificate", as: nil)
                try folder.write(key, answer.body)
            }
            #expect(try folder.read(name) == Array(chain[0].pem.utf8))
            let verified = try Command.run(
                [
                    "openssl", "verify", "-x509_strict", "-attime", String(Office.start.seconds + 60),
                    "-CAfile",
                    folder.path + "/farm-ca", "-untrusted", folder.path + "/farm-ica",
                ] + (purpose == "codesign" ? [] : ["-purpose", purpose]) + [folder.path + "/" + name])
            #expect(verified.status == 0, "\(verified.errorText)")
        }
        let listed = try await office.ask(.get, "/api/v1/keys/?key_type=x509ee")
        #expect(listed.status == 200 && listed.text.contains("leaf-of-farm-ica"))
        #expect(!listed.text.contains("\"farm-ca\""))
    }

    @Test(arguments: [("efi", "ecdsa"), ("poetry", "rsa"), ("", "rsa")])
    func refusesLeaves(_ usage: String, _ family: String) async throws {
        try await office.key("farm-ca", "x509ca", Office.subject)
        let answer = try await office.ask(
            .post, "/api/v1/keys/",
            [
                "name": "leaf", "key_type": "x509ee", "parent_id": "farm-ca",
                "expire_at": "2029-01-01T00:00:00Z",
                "attributes": ["common_name": "L", "key_type": family, "x509_ee_usage": usage],
            ])
        #expect(answer.status == 400 && answer.text.contains("attributes."), "\(answer.text)")
    }

    @Test func anIntermediateStandsBetween() async throws {
        try await office.key("farm-ca", "x509ca", Office.subject)
        let middle = try await office.key(
            "farm-ica", "x509ica", ["common_name": "Middle", "key_type": "ecdsa"], parent: "farm-ca")
        #expect(middle["key_type"] == "x509ica")
        try await office.key(
            "modules", "x509ee", ["common_name": "M", "key_type": "ecdsa", "x509_ee_usage": "ko"],
            parent: "farm-ica")
        // Below an intermediate there is no further one.
        let below = try await office.ask(
            .post, "/api/v1/keys/",
            [
                "name": "lower", "key_type": "x509ica", "attributes": Office.subject, "parent_id": "farm-ica",
                "expire_at": "2029-01-01T00:00:00Z",
            ])
        #expect(below.status == 400)
    }

    @Test func aDisabledAuthorityCertifiesNothing() async throws {
        try await office.key("farm-ca", "x509ca", Office.subject)
        #expect(try await office.ask(.post, "/api/v1/keys/farm-ca/actions/disable").status == 200)
        let answer = try await office.ask(.post, "/api/v1/keys/", leaf(parent: "farm-ca"))
        #expect(answer.status == 409)
        #expect(answer.code == ErrorCode.keyStateForbids.id)
        #expect(try await office.ask(.get, "/api/v1/keys/modules").status == 404)
    }

    @Test func aLeafDoesNotOutliveItsAuthority() async throws {
        try await office.key("farm-ca", "x509ca", Office.subject)
        var order = leaf(parent: "farm-ca")
        order["expire_at"] = "2030-01-01T00:00:01Z"
        let answer = try await office.ask(.post, "/api/v1/keys/", order)
        #expect(answer.status == 400)
        #expect(answer["detail"]?.contains("expire_at") == true)
    }

    private func leaf(parent: String) -> [String: Any] {
        [
            "name": "modules", "key_type": "x509ee", "parent_id": parent, "expire_at": "2029-01-01T00:00:00Z",
            "attributes": ["common_name": "M", "key_type": "ecdsa", "x509_ee_usage": "ko"],
        ]
    }

    // MARK: States

    @Test func aNewKeyIsDisabledUntilSomebodyEnablesIt() async throws {
        let made = try await office.ask(
            .post, "/api/v1/keys/",
            [
                "name": "farm-ca", "key_type": "x509ca", "attributes": Office.subject, "description": "ours",
                "expire_at": "2029-01-01 00:00:00+02:00",
            ])
        #expect(made.status == 201)
        #expect(made["key_state"] == "disabled")
        #expect(made["expire_at"] == "2028-12-31T22:00:00Z")
        #expect(made["description"] == "ours")
        #expect(made.fields["location"] == "/api/v1/keys/\(made["id"] ?? "")")
        for (action, state, role) in [
            ("enable", "enabled", Role.operator), ("disable", "disabled", .administrator),
        ] {
            let done = try await office.ask(.post, "/api/v1/keys/farm-ca/actions/\(action)", as: role)
            #expect(done.status == 200)
            #expect(done.body.isEmpty)
            let seen = try await office.ask(.get, "/api/v1/keys/\(made["id"] ?? "")", as: .viewer)
            #expect(seen["key_state"] == state)
            let again = try await office.ask(.post, "/api/v1/keys/farm-ca/actions/\(action)", as: role)
            #expect(again.status == 409)
            #expect(again.code == ErrorCode.keyStateForbids.id)
        }
        #expect(try await office.lastActions(3) == [.keyGenerate, .keyEnable, .keyDisable])
    }

    @Test func ifMatchKeepsTwoFromUndoingOneAnother() async throws {
        try await office.key("farm-ca", "x509ca", Office.subject)
        let seen = try await office.ask(.get, "/api/v1/keys/farm-ca")
        let tag = try #require(seen.fields["etag"])
        let fields = [("if-match", tag)]
        #expect(
            try await office.ask(.get, "/api/v1/keys/farm-ca", fields: [("if-none-match", tag)]).status == 304
        )
        #expect(
            try await office.ask(.post, "/api/v1/keys/farm-ca/actions/disable", fields: fields).status == 200)
        let late = try await office.ask(.post, "/api/v1/keys/farm-ca/actions/enable", fields: fields)
        #expect(late.status == 412)
        #expect(try await office.ask(.get, "/api/v1/keys/farm-ca")["key_state"] == "disabled")
    }

    @Test func anExpiredKeyIsNotEnabled() async throws {
        try await office.key("farm-ca", "x509ca", Office.subject)
        _ = try await office.ask(.post, "/api/v1/keys/farm-ca/actions/disable")
        office.pass(.seconds(20 * 366 * 86_400))
        let answer = try await office.ask(
            .post, "/api/v1/keys/farm-ca/actions/enable", token: office.token(.administrator))
        // The token has expired as well, long before.
        #expect(answer.code == ErrorCode.tokenInvalid.id)
    }

    // MARK: Lists and names

    @Test func listsArePaged() async throws {
        for number in 1...5 { try await office.key("ca-number-\(number)", "x509ca", Office.subject) }
        let all = try await office.ask(.get, "/api/v1/keys/?page_size=2&page_number=2", as: .viewer)
        #expect(all.list.map { $0["name"] as? String } == ["ca-number-3", "ca-number-4"])
        #expect((all.object["meta"] as? [String: Any])?["total_count"] as? Int == 5)
        #expect(try await office.ask(.get, "/api/v1/keys?name=ber-5&key_type=x509ca").list.count == 1)
        #expect(try await office.ask(.get, "/api/v1/keys?key_type=pgp").list.isEmpty)
        #expect(try await office.ask(.get, "/api/v1/keys?state=disabled").list.isEmpty)
    }

    @Test(arguments: [
        "page_size=0", "page_size=1001", "page_size=x", "page_number=0", "key_type=dsa", "state=on",
        "sort=name",
        "parent_id=x", "page_size=10&page_size=10", "visibility=secret",
    ])
    func refusesQueries(_ query: String) async throws {
        let answer = try await office.ask(.get, "/api/v1/keys/?\(query)")
        #expect(answer.status == 400, "\(answer.text)")
    }

    @Test func aNameIsTakenOrFree() async throws {
        try await office.key("farm-ca", "x509ca", Office.subject)
        let path = "/api/v1/keys/name_identical?visibility=public&name="
        #expect(try await office.ask(.head, path + "farm-ca").status == 409)
        #expect(try await office.ask(.head, path + "another").status == 200)
        #expect(try await office.ask(.head, path + "x").status == 400)
        let again = try await office.ask(
            .post, "/api/v1/keys/",
            [
                "name": "farm-ca", "key_type": "x509ca", "attributes": Office.subject,
                "expire_at": "2029-01-01T00:00:00Z",
            ])
        #expect(again.status == 409)
        #expect(again.code == ErrorCode.keyNameTaken.id)
    }

    // MARK: What is refused

    private static let order: [String: any Sendable] = [
        "name": "farm-ca", "key_type": "x509ca", "attributes": ["common_name": "Farm", "key_type": "ecdsa"],
        "expire_at": "2029-01-01T00:00:00Z",
    ]

    @Test(
        arguments: [
            ("a misspelt field", ["expires": "2029-01-01T00:00:00Z"], "expires"),
            ("a short name", ["name": "ca"], "name"),
            ("a name with a colon", ["name": "a:b:c"], "name"),
            ("no end", ["expire_at": ""], "expire_at"),
            ("an end in the past", ["expire_at": "2020-01-01T00:00:00Z"], "expire_at"),
            ("an unknown type", ["key_type": "x509"], "key_type"),
            ("a parent for a root", ["parent_id": "farm"], "parent_id"),
            ("a leaf without a parent", ["key_type": "x509ee"], "parent_id"),
            ("an unknown visibility", ["visibility": "secret"], "visibility"),
            ("an owner in the name", ["visibility": "private", "name": "me:farm-ca"], "name"),
            ("a long description", ["description": String(repeating: "x", count: 201)], "description"),
            ("no common name", ["attributes": ["organization": "Farm"]], "common_name"),
            ("a long country", ["attributes": ["common_name": "F", "country_name": "DEU"]], "attributes"),
            ("an unknown attribute", ["attributes": ["common_name": "F", "colour": "red"]], "colour"),
            ("MD5", ["attributes": ["common_name": "F", "digest_algorithm": "md5"]], "digest_algorithm"),
            ("SHA-1", ["attributes": ["common_name": "F", "digest_algorithm": "sha1"]], "digest_algorithm"),
            ("DSA", ["attributes": ["common_name": "F", "key_type": "dsa"]], "key_type"),
            ("EdDSA for X.509", ["attributes": ["common_name": "F", "key_type": "eddsa"]], "key_type"),
            ("RSA-1024", ["attributes": ["common_name": "F", "key_length": "1024"]], "key_length"),
            (
                "SHA-256 with P-384",
                [
                    "attributes": [
                        "common_name": "F", "key_type": "ecdsa", "key_length": "384",
                        "digest_algorithm": "sha2_256",
                    ]
                ], "digest_algorithm"
            ),
            (
                "a passphrase", ["key_type": "pgp", "attributes": ["email": "a@b", "passphrase": "x"]],
                "passphrase"
            ),
            (
                "a name with an address in it",
                ["key_type": "pgp", "name": "a <b@c>", "attributes": ["email": "a@b"]], "name"
            ),
            ("an address without end", ["key_type": "pgp", "attributes": ["email": "a>b"]], "email"),
        ] as [(String, [String: any Sendable], String)])
    func refusesOrders(_ what: String, _ changes: [String: any Sendable], _ named: String) async throws {
        var order: [String: Any] = Self.order
        for (name, value) in changes { order[name] = value }
        let answer = try await office.ask(.post, "/api/v1/keys/", order)
        #expect([400, 501].contains(answer.status), "\(what): \(answer.text)")
        #expect(answer["detail"]?.contains(named) == true, "\(what): \(answer.text)")
        #expect(try await office.ask(.get, "/api/v1/keys/").list.isEmpty)
    }

    @Test func oneOfManyGetsTheName() async throws {
        let office = office
        let answers = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<20 {
                group.addTask { try await office.ask(.post, "/api/v1/keys/", Self.order).status }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(answers.sorted() == [201] + Array(repeating: 409, count: 19))
        #expect(try await office.ask(.get, "/api/v1/keys/").list.count == 1)
    }

    @Test func thePartsOfOneSortAreNotThoseOfAnother() async throws {
        try await office.key("farm-ca", "x509ca", Office.subject)
        let wrong = try await office.ask(.get, "/api/v1/keys/farm-ca/public_key", as: nil)
        #expect(wrong.status == 403)
        #expect(wrong.code == ErrorCode.keySchemeMismatch.id)
        let missing = try await office.ask(.get, "/api/v1/keys/nobody/certificate", as: nil)
        #expect(missing.status == 404)
        #expect(missing.code == ErrorCode.keyNotFound.id)
    }

    @Test func publicPartsMayBeKept() async throws {
        try await office.key("farm-ca", "x509ca", Office.subject)
        let answer = try await office.ask(.get, "/api/v1/keys/farm-ca/certificate", as: nil)
        #expect(answer.fields["cache-control"] == "public, max-age=300")
        let tag = try #require(answer.fields["etag"])
        let known = try await office.ask(
            .get, "/api/v1/keys/farm-ca/certificate", as: nil, fields: [("if-none-match", tag)])
        #expect(known.status == 304)
    }

    @Test func aRowThatWasEditedIsOfNoUse() async throws {
        try await office.key("farm-ca", "x509ca", Office.subject)
        _ = try await office.ask(.post, "/api/v1/keys/farm-ca/actions/disable")
        try office.stores.state.withLock { state in
            for (id, key) in state.keys {
                // As somebody with the database's password would do it.
                state.keys[id] = StoredKey(
                    record: try key.record.applying(.enable), sealed: key.sealed, code: key.code,
                    edition: key.edition)
            }
        }
        let answer = try await office.ask(.post, "/api/v1/keys/", leaf(parent: "farm-ca"))
        #expect(answer.status == 500)
        #expect(answer.code == ErrorCode.rowForged.id)
        for (method, path) in [
            (HTTP.Method.post, "farm-ca/actions/disable"), (.get, ""), (.get, "farm-ca"),
            (.get, "farm-ca/certificate"), (.get, "farm-ca/crl"),
        ] {
            let answer = try await office.ask(method, "/api/v1/keys/" + path)
            #expect(answer.code == ErrorCode.rowForged.id, "\(path): \(answer.text)")
        }
    }

    /// Whoever takes a revoked key off the list in the database gets no list, rather than one without it.
    @Test func aListIsMadeOfGenuineRowsAlone() async throws {
        try await office.key("farm-ca", "x509ca", Office.subject)
        #expect(try await office.ask(.post, "/api/v1/keys/", leaf(parent: "farm-ca")).status == 201)
        office.stores.state.withLock { state in
            for (id, key) in state.keys where key.record.name.text == "modules" {
                var record = key.record
                record.state = .deleted
                state.keys[id] = StoredKey(
                    record: record, sealed: key.sealed, code: key.code, edition: key.edition)
            }
        }
        let answer = try await office.ask(.get, "/api/v1/keys/farm-ca/crl", as: nil)
        #expect(answer.code == ErrorCode.rowForged.id)
    }

    /// Each list has a random signature, so those who got the same text got the same list.
    @Test func manyWhoAskGetOneList() async throws {
        try await office.key("farm-ca", "x509ca", Office.subject)
        let office = office
        for _ in 0..<3 {
            office.pass(.seconds(30 * 86_400))
            let lists = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<20 {
                    group.addTask { try await office.ask(.get, "/api/v1/keys/farm-ca/crl", as: nil).text }
                }
                return try await group.reduce(into: Set<String>()) { $0.insert($1) }
            }
            #expect(lists.count == 1)
        }
    }
}

/// OpenPGP keys, judged by `gpg`.
@Suite struct OpenPGPKeyTests {
    private let office: Office
    private let folder: TemporaryFolder
    init() async throws {
        office = try await Office()
        folder = try TemporaryFolder()
    }

    @Test(arguments: [
        (["key_type": "rsa", "key_length": "2048"], "rsa2048"), (["key_type": "eddsa"], "ed25519"),
        (["key_type": "ecdsa"], "nistp256"), (["key_type": "ecdsa", "key_length": "384"], "nistp384"),
    ])
    func gpgReadsThem(_ attributes: [String: String], _ algorithm: String) async throws {
        let made = try await office.key(
            "farm-key", "pgp",
            attributes.merging(["email": "user#project@copr.example"]) { first, _ in first })
        let exported = try await office.ask(.get, "/api/v1/keys/farm-key/public_key", as: nil)
        #expect(exported.status == 200)
        #expect(exported.text.hasPrefix("-----BEGIN PGP PUBLIC KEY BLOCK-----"))
        let file = try folder.write("key.asc", exported.body)
        let shown = try Command.check([
            "gpg", "--homedir", folder.path, "--batch", "--with-colons", "--show-keys",
            "--faked-system-time", "20270115T100000", file,
        ]).text
        let lines = shown.split(separator: "\n").map {
            $0.split(separator: ":", omittingEmptySubsequences: false)
        }
        let key = try #require(lines.first { $0[0] == "pub" })
        let user = try #require(lines.first { $0[0] == "uid" })
        let fingerprint = try #require(lines.first { $0[0] == "fpr" })
        #expect(fingerprint[9] == made["fingerprint"] ?? "?")
        #expect(user[9] == "farm-key <user#project@copr.example>")
        #expect(key[6] == "1893456000")
        #expect(key[11].contains("S") && key[11].contains("C"))
        if algorithm.hasPrefix("rsa") {
            #expect(key[2] == "2048")
        } else {
            #expect(key[16] == algorithm)
        }
    }

    @Test func thereIsNoCertificate() async throws {
        try await office.key("farm-key", "pgp", ["email": "farm@example.org", "key_type": "eddsa"])
        #expect(try await office.ask(.get, "/api/v1/keys/farm-key/certificate", as: nil).status == 403)
        #expect(try await office.ask(.get, "/api/v1/keys/farm-key/crl", as: nil).status == 404)
        let grant = try await office.ask(
            .post, "/api/v1/grants",
            ["clients": "uri:signet://client/*", "keys": ["farm-key"], "kinds": ["rpm", "generic"]])
        #expect(grant.status == 201, "\(grant.text)")
    }
}
