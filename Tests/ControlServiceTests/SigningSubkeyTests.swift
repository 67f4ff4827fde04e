// SPDX-License-Identifier: Apache-2.0

import ControlService
import Diagnostics
import Foundation
import HTTP
import Keyring
import Signatures
import TestSupport
import Testing

@testable import Storage

/// OpenPGP keys whose primary certifies alone.
@Suite struct SigningSubkeyTests {
    private let office: Office
    init() async throws { office = try await Office() }

    private static let wanted = ["email": "rel@example.org", "key_type": "eddsa", "signing_subkey": "true"]

    @Test func primaryAndSubkeyAreTwoRows() async throws {
        let made = try await office.key("release", "pgp", Self.wanted)
        #expect(made["purpose"] == "signing" && made["key_type"] == "pgp")
        let parent = try #require(made["parent_id"])
        let primary = try await office.ask(.get, "/api/v1/keys/\(parent)")
        #expect(primary["name"] == "release-primary" && primary["purpose"] == "certifying")
        #expect(primary["key_state"] == "disabled" && primary["parent_id"] == nil)
        #expect(primary["fingerprint"] != made["fingerprint"])

        // One transaction, one entry, which names both.
        let entries = try await office.stores.entries(after: 0, limit: 1000).filter {
            $0.event.action == .keyGenerate
        }
        #expect(entries.count == 1)
        #expect(entries[0].event.subject == made["id"])

        // The private half of the primary is sealed for the control plane alone.
        let rows = try await (
            office.stores.key(#require(KeyID(parent))),
            office.stores.key(#require(made["id"].flatMap { KeyID($0) }))
        )
        let planes = try await (
            office.stores.clusterKeys(of: .control).map(\.id), office.stores.clusterKeys(of: .data).map(\.id)
        )
        #expect(planes.0.contains(try #require(rows.0?.sealed?.clusterKey)))
        #expect(planes.1.contains(try #require(rows.1?.sealed?.clusterKey)))
        #expect(rows.0?.record.certificate == rows.1?.record.certificate)
        // What data-servers read from has the subkey, and no primary.
        #expect(try await office.stores.signingKey(#require(KeyID(parent))) == nil)
        #expect(try await office.stores.signingKey(named: KeyName("release-primary")) == nil)
    }

    @Test func otherProgramsReadTheCertificate() async throws {
        let made = try await office.key("release", "pgp", Self.wanted)
        let primary = try await office.ask(.get, "/api/v1/keys/release-primary")
        let text = try await office.ask(.get, "/api/v1/keys/release/public_key", as: nil).text
        // Both names give out the one certificate.
        #expect(try await office.ask(.get, "/api/v1/keys/release-primary/public_key", as: nil).text == text)
        let folder = try TemporaryFolder()
        let file = try folder.write("key.asc", text)
        let shown = try Command.check([
            "gpg", "--homedir", folder.path, "--faked-system-time", String(Office.start.seconds + 60),
            "--with-colons", "--with-fingerprint", "--with-fingerprint",
            "--show-keys", file,
        ]).text.split(separator: "\n").map { $0.split(separator: ":", omittingEmptySubsequences: false) }
        #expect(
            shown.filter { $0[0] == "fpr" }.map { String($0[9]) } == [
                primary["fingerprint"], made["fingerprint"],
            ])
        // What each may do, in gpg's letters: its own in small ones.
        #expect(shown.first { $0[0] == "pub" }.map { $0[11].filter(\.isLowercase) } == "c")
        #expect(shown.first { $0[0] == "sub" }.map { $0[11].filter(\.isLowercase) } == "s")
    }

    @Test func namesAndWordsAreJudged() async throws {
        try await office.key("release", "pgp", Self.wanted)
        for (name, attributes, code) in [
            ("release", Self.wanted, "key-name-taken"), ("release-primary", Self.wanted, "key-name-taken"),
            ("other", Self.wanted.merging(["signing_subkey": "yes"]) { $1 }, "invalid-argument"),
            (String(repeating: "x", count: 250), Self.wanted, "invalid-argument"),
        ] {
            let answer = try await office.ask(
                .post, "/api/v1/keys/",
                [
                    "name": name, "key_type": "pgp", "attributes": attributes,
                    "expire_at": "2030-01-01T00:00:00Z",
                ])
            #expect(answer.code == code, "\(name): \(answer.text)")
        }
        try await office.key("taken-primary", "pgp", ["email": "a@b.example", "key_type": "eddsa"])
        let answer = try await office.ask(
            .post, "/api/v1/keys/",
            [
                "name": "taken", "key_type": "pgp", "attributes": Self.wanted,
                "expire_at": "2030-01-01T00:00:00Z",
            ])
        #expect(answer.code == "key-name-taken" && answer.text.contains("taken-primary"), "\(answer.text)")
        // Without the word, one key does both.
        let single = try await office.key("single", "pgp", ["email": "a@b.example", "key_type": "eddsa"])
        #expect(single["parent_id"] == nil)
        #expect(try await office.ask(.get, "/api/v1/keys/single-primary").status == 404)
    }

    @Test func aPrimaryNeitherSignsNorCertifiesCertificates() async throws {
        try await office.key("release", "pgp", Self.wanted)
        let leaf = try await office.ask(
            .post, "/api/v1/keys/",
            [
                "name": "leaf", "key_type": "x509ee", "parent_id": "release-primary",
                "attributes": ["common_name": "Leaf", "x509_ee_usage": "ko"],
                "expire_at": "2029-01-01T00:00:00Z",
            ])
        #expect(leaf.code == "key-scheme-mismatch", "\(leaf.text)")
        let grant = try await office.ask(
            .post, "/api/v1/grants",
            ["client": "dns:build.example.org", "keys": ["release-primary"], "kinds": ["rpm"]])
        #expect(grant.status >= 400 && grant.status < 500, "\(grant.text)")
    }

    @Test func thePrimaryStaysWhileItsSubkeyLives() async throws {
        try await office.key("release", "pgp", Self.wanted)
        let early = try await office.ask(.post, "/api/v1/keys/release-primary/actions/request_delete")
        for _ in 0..<2 { #expect(early.status < 500, "\(early.text)") }
        #expect(try await office.ask(.get, "/api/v1/keys/release")["key_state"] == "enabled")
    }
}
