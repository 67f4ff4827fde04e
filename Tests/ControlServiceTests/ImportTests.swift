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

/// Keys that were made elsewhere, by gpg and openssl.
@Suite struct ImportTests {
    private let office: Office
    private let folder: TemporaryFolder

    init() async throws {
        office = try await Office()
        folder = try TemporaryFolder()
    }

    private func bring(
        _ name: String, _ type: String, _ more: [String: Any], as role: Role = .administrator
    ) async throws -> Office.Answer {
        var document: [String: Any] = ["name": name, "key_type": type]
        document.merge(more) { $1 }
        return try await office.ask(.post, "/api/v1/keys/import", as: role, document)
    }

    // MARK: gpg

    /// A key of gpg's, and what it says of it.
    private struct Foreign {
        let fingerprints: [String]
        let armored: String
        let binary: [UInt8]
        let publicKey: String
    }

    private func gpg(_ arguments: [String]) throws -> Command.Output {
        try Command.check(
            [
                "gpg", "--homedir", folder.path, "--batch", "--no-tty", "--quiet", "--pinentry-mode",
                "loopback",
            ]
                + arguments)
    }

    private func foreign(
        _ algorithm: String, passphrase: String, subkey: Bool = false, expires: String = "3y"
    ) throws -> Foreign {
        let secret = ["--passphrase", passphrase]
        let user = "user-\(algorithm)-\(subkey)"
        _ = try gpg(
            secret + ["--quick-gen-key", user, algorithm, subkey ? "cert" : "sign,cert", expires])
        func fingerprints() throws -> [String] {
            try gpg(["--with-colons", "--list-keys", "--with-subkey-fingerprint", user]).text
                .split(separator: "\n").filter { $0.hasPrefix("fpr:") }
                .map { String($0.split(separator: ":", omittingEmptySubsequences: false)[9]) }
        }
        if subkey {
            _ = try gpg(secret + ["--quick-add-key", fingerprints()[0], algorithm, "sign", expires])
        }
        return Foreign(
            fingerprints: try fingerprints(),
            armored: try gpg(secret + ["--armor", "--export-secret-keys", user]).text,
            binary: try gpg(secret + ["--export-secret-keys", user]).stdout,
            publicKey: try gpg(["--armor", "--export", user]).text)
    }

    @Test(arguments: [("rsa2048", "secret \"word\" ü"), ("ed25519", ""), ("nistp256", "x")])
    func bringsKeysOfGPG(_ algorithm: String, _ passphrase: String) async throws {
        let foreign = try foreign(algorithm, passphrase: passphrase)
        var more: [String: Any] = ["private_key": foreign.armored, "public_key": foreign.publicKey]
        if !passphrase.isEmpty { more["passphrase"] = passphrase }
        let made = try await bring("release", "pgp", more)
        #expect(made.status == 201, "\(made.text)")
        #expect(made["fingerprint"] == foreign.fingerprints[0])
        #expect(made["key_state"] == "disabled" && made["scheme"] == "openpgp")
        // Neither the private half nor its lock is told to anybody.
        let secrets = [String(foreign.armored.split(separator: "\n")[4]), passphrase]
        let audit = try await office.stores.entries(after: 0, limit: 1000)
        #expect(audit.last?.event.action == .keyImport)
        for secret in secrets where secret.count > 5 {
            #expect(!made.text.contains(secret) && !"\(audit)".contains(secret))
        }
        // gpg reads what is handed out, as the same key.
        let text = try await office.ask(.get, "/api/v1/keys/release/public_key", as: nil).text
        let file = try folder.write("out.asc", text)
        #expect(
            try gpg(["--with-colons", "--show-keys", file]).text.contains(foreign.fingerprints[0]))
        #expect(try await office.ask(.post, "/api/v1/keys/release/actions/enable").status == 200)

        // No key comes twice, under whatever name.
        let again = try await bring("other", "pgp", more)
        #expect(again.status == 409 && again.code == "key-exists", "\(again.text)")
        let taken = try await bring("release", "pgp", more)
        #expect(taken.status == 409 && taken.code == "key-name-taken")
    }

    @Test func takesTheBinaryFormAndSignatrustsWords() async throws {
        let foreign = try foreign("rsa2048", passphrase: "word")
        let made = try await bring(
            "release", "pgp",
            [
                "private_key": Data(foreign.binary).base64EncodedString(options: .lineLength64Characters),
                "public_key": "", "certificate": "", "description": "of old",
                "attributes": [
                    "key_type": "rsa", "key_length": "2048", "digest_algorithm": "sha2_256",
                    "expire_at": "2030-01-01 00:00:00", "passphrase": "word",
                ],
            ])
        #expect(made.status == 201, "\(made.text)")
        #expect(made["fingerprint"] == foreign.fingerprints[0])
        #expect(made["expire_at"]?.hasPrefix("2029") == true)
    }

    /// The primary is for the control plane, as with a key that was made here.
    @Test func aSubkeyThatSignsBringsItsPrimary() async throws {
        let foreign = try foreign("ed25519", passphrase: "word", subkey: true)
        let made = try await bring(
            "release", "pgp", ["private_key": foreign.armored, "passphrase": "word"])
        #expect(made.status == 201, "\(made.text)")
        #expect(made["fingerprint"] == foreign.fingerprints[1])
        let primary = try await office.ask(.get, "/api/v1/keys/release-primary")
        #expect(primary["fingerprint"] == foreign.fingerprints[0] && primary["purpose"] == "certifying")
        #expect(primary["id"] == made["parent_id"])
        #expect(try await office.stores.signingKey(named: KeyName("release-primary")) == nil)
    }

    @Test func refusesWhatIsNoKey() async throws {
        let foreign = try foreign("ed25519", passphrase: "word")
        let other = try self.foreign("rsa2048", passphrase: "")
        let cases: [(String, [String: Any], Int, String)] = [
            (
                "wrong passphrase", ["private_key": foreign.armored, "passphrase": "other"], 400,
                "passphrase-wrong"
            ),
            ("no passphrase", ["private_key": foreign.armored], 400, "passphrase-missing"),
            ("unneeded", ["private_key": other.armored, "passphrase": "x"], 400, "passphrase-unneeded"),
            ("public", ["private_key": foreign.publicKey], 400, "key-malformed"),
            ("nothing", ["private_key": ""], 400, "invalid-argument"),
            ("words", ["private_key": "words!"], 400, "invalid-argument"),
            (
                "another's public key",
                ["private_key": other.armored, "public_key": foreign.publicKey], 400, "key-pair-mismatch"
            ),
            ("a certificate", ["private_key": other.armored, "certificate": "x"], 400, "invalid-argument"),
            (
                "unknown attribute", ["private_key": other.armored, "attributes": ["x": "y"]], 400,
                "invalid-argument"
            ),
            (
                "too large", ["private_key": String(repeating: "a", count: 70_000)], 413,
                "too-large"
            ),
        ]
        for (name, more, status, code) in cases {
            let answer = try await bring("release", "pgp", more)
            #expect(answer.status == status && answer.code == code, "\(name): \(answer.text)")
        }
        for role in Role.allCases where role != .administrator {
            #expect(try await bring("release", "pgp", ["private_key": other.armored], as: role).status == 403)
        }
        #expect(try await office.ask(.get, "/api/v1/keys/").list.isEmpty)
        #expect(
            try await bring(
                "mine", "pgp", ["private_key": other.armored, "visibility": "private"], as: .operator
            )
            .status == 201)
    }

    // MARK: openssl

    private func openssl(_ arguments: String...) throws -> Command.Output {
        try Command.check(["openssl"] + arguments)
    }

    private func file(_ name: String) -> String { folder.path + "/" + name }
    private func text(_ name: String) throws -> String {
        String(decoding: try folder.read(name), as: UTF8.self)
    }

    /// A root and a leaf with these uses, made by openssl.
    private func hierarchy(_ usage: String = "codeSigning") throws {
        try folder.write(
            "ext",
            "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=\(usage)\n"
        )
        _ = try openssl(
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", file("ca.key"), "-out",
            file("ca.pem"),
            "-subj", "/CN=Old CA", "-days", "3000", "-addext",
            "keyUsage=critical,keyCertSign,cRLSign,digitalSignature")
        _ = try openssl(
            "req", "-newkey", "rsa:2048", "-nodes", "-keyout", file("leaf.key"), "-out", file("leaf.csr"),
            "-subj",
            "/CN=Old leaf")
        _ = try openssl(
            "x509", "-req", "-in", file("leaf.csr"), "-CA", file("ca.pem"), "-CAkey", file("ca.key"), "-days",
            "2000", "-extfile", file("ext"), "-out", file("leaf.pem"), "-CAcreateserial")
    }

    @Test(arguments: ["plain", "encrypted", "pkcs1", "pkcs12"])
    func bringsKeysOfOpenssl(_ form: String) async throws {
        try hierarchy()
        let authority = try await bring(
            "old-ca", "x509ca", ["private_key": text("ca.key"), "certificate": text("ca.pem")])
        #expect(authority.status == 201, "\(authority.text)")
        var more: [String: Any] = ["attributes": ["x509_ee_usage": "efi"]]
        switch form {
        case "pkcs12":
            _ = try openssl(
                "pkcs12", "-export", "-inkey", file("leaf.key"), "-in", file("leaf.pem"), "-certfile",
                file("ca.pem"), "-passout", "pass:word", "-out", file("leaf.p12"))
            more["private_key"] = Data(try folder.read("leaf.p12")).base64EncodedString()
            more["passphrase"] = "word"
        case "encrypted":
            _ = try openssl(
                "pkcs8", "-topk8", "-v2", "aes-256-cbc", "-in", file("leaf.key"), "-passout", "pass:word",
                "-out", file("locked.key"))
            more["private_key"] = try text("locked.key")
            more["passphrase"] = "word"
        case "pkcs1":
            _ = try openssl("rsa", "-traditional", "-in", file("leaf.key"), "-out", file("rsa.key"))
            more["private_key"] = try text("rsa.key")
        default: more["private_key"] = try text("leaf.key")
        }
        if form != "pkcs12" { more["certificate"] = try text("leaf.pem") }
        let made = try await bring("images", "x509ee", more)
        #expect(made.status == 201, "\(made.text)")
        #expect(made["parent_id"] == authority["id"] && made["scheme"] == "authenticode")
        let shown = try openssl(
            "x509", "-in", file("leaf.pem"), "-noout", "-fingerprint", "-sha256", "-serial"
        ).text
        let fingerprint = try #require(made["fingerprint"])
        #expect(shown.filter { $0 != ":" }.contains(fingerprint), "\(shown)")
        #expect(shown.contains("serial=\(made["serial_number"] ?? "?")"))
        #expect(
            try await office.ask(.get, "/api/v1/keys/images/certificate", as: nil).text == text("leaf.pem"))
        let again = try await bring("again", "x509ee", more)
        #expect(again.status == 409 && again.code == "key-exists")

        // The authority works here: it certifies and lists.
        try folder.write("crl.pem", try await office.ask(.get, "/api/v1/keys/old-ca/crl", as: nil).body)
        let verified = try Command.run([
            "openssl", "verify", "-crl_check", "-attime", String(Office.start.seconds + 60), "-CAfile",
            file("ca.pem"), "-CRLfile", file("crl.pem"), file("leaf.pem"),
        ])
        #expect(verified.status == 0, "\(verified.errorText)")
    }

    @Test func halvesAndCertificateHaveToFit() async throws {
        try hierarchy()
        let efi = ["x509_ee_usage": "efi"]
        let other = try PrivateKey.generate(.p256).publicKey.spki()
        let foreignKey =
            "-----BEGIN PUBLIC KEY-----\n\(Data(other).base64EncodedString(options: .lineLength64Characters))\n"
            + "-----END PUBLIC KEY-----\n"
        let cases: [(String, String, [String: Any], String)] = [
            (
                "another's", "x509ee", ["certificate": try text("ca.pem"), "attributes": efi],
                "key-pair-mismatch"
            ),
            ("none", "x509ee", ["attributes": efi], "invalid-argument"),
            ("no usage", "x509ee", ["certificate": try text("leaf.pem")], "invalid-argument"),
            // Good for code: it is none for mail, and no authority's.
            (
                "for mail", "x509ee",
                ["certificate": try text("leaf.pem"), "attributes": ["x509_ee_usage": "cms"]],
                "invalid-argument"
            ),
            ("authority", "x509ca", ["certificate": try text("leaf.pem")], "invalid-argument"),
            (
                "public key", "x509ee",
                ["certificate": try text("leaf.pem"), "attributes": efi, "public_key": foreignKey],
                "key-pair-mismatch"
            ),
        ]
        for (name, type, more, code) in cases {
            let key = ["private_key": try text("leaf.key")]
            let answer = try await bring("images", type, more.merging(key) { $1 })
            #expect(answer.status == 400 && answer.code == code, "\(name): \(answer.text)")
        }
    }

    // MARK: Certificates for keys elsewhere

    @Test(arguments: [
        ("efi", "any", "rsa:2048"), ("cms", "smimesign", "rsa:3072"),
        ("timestamp", "timestampsign", "rsa:2048"),
    ])
    func certifiesARequest(_ usage: String, _ purpose: String, _ algorithm: String) async throws {
        try await office.key("farm-ca", "x509ca", Office.subject)
        // What it asks for beyond name and key is nobody's business.
        _ = try openssl(
            "req", "-newkey", algorithm, "-nodes", "-keyout", file("key"), "-out", file("csr"), "-subj",
            "/O=Vendor/CN=Vendor key", "-addext", "basicConstraints=critical,CA:TRUE", "-addext",
            "subjectAltName=DNS:evil.example.org", "-addext", "extendedKeyUsage=serverAuth")
        let wanted: [String: Any] = [
            "name": "vendor", "usage": usage, "request": try text("csr"), "expire_at": "2029-01-01T00:00:00Z",
        ]
        let path = "/api/v1/keys/farm-ca/certificates"
        let made = try await office.ask(.post, path, wanted)
        #expect(made.status == 201, "\(made.text)")
        #expect(made["key_state"] == "disabled")
        for (name, key) in [("ca.pem", "farm-ca"), ("leaf.pem", "vendor")] {
            try folder.write(
                name, try await office.ask(.get, "/api/v1/keys/\(key)/certificate", as: nil).body)
        }
        let time = ["-attime", String(Office.start.seconds + 60)]
        try Command.check(
            ["openssl", "verify", "-x509_strict", "-purpose", purpose, "-CAfile", file("ca.pem")] + time
                + [file("leaf.pem")])
        let shown = try openssl("x509", "-in", file("leaf.pem"), "-noout", "-text", "-pubkey").text
        #expect(shown.contains("CA:FALSE") && shown.contains("O = Vendor, CN = Vendor key"))
        #expect(!shown.contains("CA:TRUE") && !shown.contains("evil") && !shown.contains("TLS Web"))
        #expect(shown.contains(try openssl("pkey", "-in", file("key"), "-pubout").text))
        #expect(try await office.lastActions(1) == [.certificateIssue])

        // One key, one row, one scheme; and it signs nothing here.
        for usage in ["efi", "cms", "timestamp"] {
            let again = try await office.ask(
                .post, path, wanted.merging(["name": "again", "usage": usage]) { $1 })
            #expect(again.status == 409 && again.code == "key-exists", "\(again.text)")
        }
        let enabled = try await office.ask(.post, "/api/v1/keys/vendor/actions/enable")
        #expect(enabled.status == 409 || enabled.status == 403, "\(enabled.text)")
        #expect(enabled.code == "key-state-forbids")
        // Nor is it brought with its private half afterwards.
        let brought = try await bring(
            "brought", "x509ee",
            [
                "private_key": text("key"), "certificate": text("leaf.pem"),
                "attributes": ["x509_ee_usage": usage],
            ])
        #expect(brought.status != 201, "\(brought.text)")
    }

    @Test func refusesRequests() async throws {
        try await office.key("farm-ca", "x509ca", Office.subject)
        try await office.key("release", "pgp", ["email": "r@x.org", "key_type": "eddsa"])
        for (name, algorithm) in [("rsa", "rsa:2048"), ("small", "rsa:1024")] {
            _ = try openssl(
                "req", "-newkey", algorithm, "-nodes", "-keyout", file("key"), "-out", file(name), "-subj",
                "/CN=x")
        }
        var forged = try Command.check(["openssl", "req", "-in", file("rsa"), "-outform", "DER"]).stdout
        forged[forged.count - 5] ^= 1
        let damaged =
            "-----BEGIN CERTIFICATE REQUEST-----\n"
            + Data(forged).base64EncodedString(options: .lineLength64Characters)
            + "\n-----END CERTIFICATE REQUEST-----\n"
        let good: [String: Any] = [
            "name": "vendor", "usage": "efi", "request": try text("rsa"), "expire_at": "2029-01-01T00:00:00Z",
        ]
        let cases: [(String, String, [String: Any])] = [
            ("possession", "farm-ca", ["request": damaged]),
            ("small", "farm-ca", ["request": try text("small")]),
            ("words", "farm-ca", ["request": "words"]), ("usage", "farm-ca", ["usage": "server"]),
            ("late", "farm-ca", ["expire_at": "2031-01-01T00:00:00Z"]),
            ("past", "farm-ca", ["expire_at": "2020-01-01T00:00:00Z"]),
            ("owned name", "farm-ca", ["name": "abcd:efgh"]),
        ]
        for (name, key, change) in cases {
            let answer = try await office.ask(
                .post, "/api/v1/keys/\(key)/certificates", good.merging(change) { $1 })
            #expect(answer.status == 400, "\(name): \(answer.text)")
        }
        #expect(try await office.ask(.post, "/api/v1/keys/release/certificates", good).status >= 400)
        for role in Role.allCases where role != .administrator {
            let answer = try await office.ask(.post, "/api/v1/keys/farm-ca/certificates", as: role, good)
            #expect(answer.status == 403, "\(role): \(answer.text)")
        }
        #expect(try await office.ask(.post, "/api/v1/keys/farm-ca/certificates", good).status == 201)
    }
}
