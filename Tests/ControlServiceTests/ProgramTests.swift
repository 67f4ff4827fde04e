// SPDX-License-Identifier: Apache-2.0

import Bytes
import ControlService
import Cryptography
import Diagnostics
import Foundation
import Glibc
import KMS
import Keyring
import MariaDB
import Secrets
import Storage
import TestSupport
import Testing

/// The programs as users start them.
@Suite struct ProgramTests {
    private static let authority = """
        {"name": "farm-ca", "key_type": "x509ca", "expire_at": "2040-01-01T00:00:00Z",
         "attributes": {"common_name": "Farm CA", "key_type": "ecdsa"}}
        """

    @Test func theWholeWayOverTLS() throws {
        let plant = try Plant()
        try plant.start()
        let versions = ["--http1.1", "--http2"]
        for version in versions {
            #expect(try plant.curl("/api/v1/keys/", [version]).status == 200)
            #expect(try plant.curl("/api/v1/keys/", [version], anonymous: true).status == 401)
        }
        let made = try plant.post("/api/v1/keys/", Self.authority)
        #expect(made.status == 201, "\(made.body)")
        #expect(try plant.post("/api/v1/keys/farm-ca/actions/enable", "").status == 200)
        let leaf = try plant.post(
            "/api/v1/keys/",
            """
            {"name": "modules", "key_type": "x509ee", "parent_id": "farm-ca", "expire_at": "2039-01-01T00:00:00Z",
             "attributes": {"common_name": "M", "key_type": "rsa", "key_length": "2048", "x509_ee_usage": "ko"}}
            """)
        #expect(leaf.status == 201, "\(leaf.body)")
        let pgp = try plant.post(
            "/api/v1/keys/",
            """
            {"name": "packages", "key_type": "pgp", "expire_at": "2039-01-01T00:00:00Z",
             "attributes": {"email": "farm@example.org", "key_type": "eddsa"}}
            """)
        #expect(pgp.status == 201, "\(pgp.body)")
        let parts = [
            ("packages/public_key", "PGP PUBLIC KEY"), ("modules/certificate", "CERTIFICATE"),
            ("farm-ca/crl", "X509 CRL"),
        ]
        for ((path, mark), version) in zip(parts, versions + versions) {
            let part = try plant.curl("/api/v1/keys/\(path)", [version], anonymous: true)
            #expect(part.status == 200)
            #expect(part.body.hasPrefix("-----BEGIN \(mark)"))
        }
        let grant = try plant.post(
            "/api/v1/grants",
            "{\"clients\": \"uri:signet://client/*\", \"keys\": [\"*\"], \"kinds\": [\"rpm\", \"module\"]}")
        #expect(grant.status == 201, "\(grant.body)")
        #expect(try plant.page("/livez").status == 200)
        #expect(try plant.page("/readyz").body == "ready\n")
        let metrics = try plant.page("/metrics").body
        #expect(metrics.contains("signet_http_requests_total"))
        #expect(metrics.contains("route=\"/api/v1/keys/{key}/actions/enable\""))
        plant.stop()
        #expect(plant.log.contains("\"message\":\"ending\""))

        // And again, with what is there.
        try plant.start()
        #expect(try plant.post("/api/v1/keys/farm-ca/actions/disable", "").status == 200)
        #expect(try plant.post("/api/v1/keys/farm-ca/actions/enable", "").status == 200)
        #expect(try plant.curl("/api/v1/keys/farm-ca/crl", anonymous: true).status == 200)
        let audit = try plant.curl("/api/v1/audit?limit=1000").body
        #expect(audit.components(separatedBy: "cluster-key-create").count == 3)
        // There is an administrator.
        #expect(throws: (any Error).self) {
            try plant.admin(["init", "--name", "b", "--token-file", plant.folder.path + "/b.token"])
        }
        #expect(!FileManager.default.fileExists(atPath: plant.folder.path + "/b.token"))
        try plant.admin([
            "init", "--name", "admin@example.org", "--token-file", plant.folder.path + "/again.token",
            "--replace-token",
        ])
    }

    /// The limits of the settings are those of the server.
    @Test func strangersAreHeldBackAndUsersAreNot() throws {
        let plant = try Plant(strangers: 5)
        try plant.start()
        let answers = try (0..<8).map { _ in try plant.curl("/api/v1/keys/", anonymous: true).status }
        #expect(answers.prefix(5).allSatisfy { $0 == 401 })
        #expect(answers.contains(429))
        let refused = try plant.curl("/api/v1/keys/", ["-i"], anonymous: true)
        if refused.status == 429 {
            #expect(refused.body.lowercased().contains("retry-after: "))
            #expect(refused.body.contains("\"code\":\"quota-exceeded\""))
        }
        #expect(try plant.curl("/api/v1/keys/").status == 200)
        // A body that is too large is refused before it is read, and before anything is done.
        let body = try plant.folder.write("large", [UInt8](repeating: 0x20, count: 70_000))
        let large = try plant.curl(
            "/api/v1/keys/", ["-H", "content-type: application/json", "--data-binary", "@" + body])
        #expect(large.status == 413)
    }

    /// What is secret is in no copy of the database, no log and no metric.
    @Test func secretsStayWhereTheyBelong() async throws {
        let plant = try Plant()
        try plant.start()
        #expect(try plant.post("/api/v1/keys/", Self.authority).status == 201)
        #expect(try plant.post("/api/v1/keys/farm-ca/actions/enable", "").status == 200)
        let second = try plant.post("/api/v1/users/api_keys", "{\"description\": \"canary\"}")
        let document = try JSONSerialization.jsonObject(with: Data(second.body.utf8)) as? [String: Any]
        let token = try #require(document?["token"] as? String)
        // A wrong token is not written down either: it may be a right one elsewhere.
        let wrong = "signet-" + String(repeating: "0badcafe", count: 8)
        _ = try plant.curl("/api/v1/keys/", ["-H", "authorization: Bearer \(wrong)"], anonymous: true)
        _ = try plant.curl("/api/v1/keys/\(token)")
        let privateBytes = try await Self.privateBytes(plant)
        let wrapping = try plant.folder.read("certifying-kms-key")

        let password = String(decoding: try plant.database.folder.read("root-password"), as: UTF8.self)
        var environment = Command.environment
        environment["MYSQL_PWD"] = password.trimmingCharacters(in: .newlines)
        let dump = try Command.check(
            [
                Repository.path(".build/tools/usr/bin/mariadb-dump"), "--no-defaults",
                "--socket=\(plant.database.socket)", "--user=root",
                "--hex-blob",
                "signet",
            ], environment: environment
        ).text
        let metrics = try plant.page("/metrics").body
        plant.stop()
        #expect(dump.contains("farm-ca") && plant.log.contains("serving") && metrics.contains("signet_"))
        for (place, text) in [("dump", dump), ("log", plant.log), ("metrics", metrics)] {
            for secret in [plant.token, token, wrong] { #expect(!text.contains(secret), "\(place)") }
            let lower = text.lowercased()
            for bytes in [privateBytes, wrapping] {
                // A piece of the secret would do for an attacker to search further.
                for start in stride(from: 0, through: max(0, bytes.count - 16), by: 4) {
                    let piece = Array(bytes[start..<min(start + 16, bytes.count)])
                    #expect(!lower.contains(Hex.encode(piece)), "\(place)")
                    #expect(!text.contains(Base64.standard.encode(Array(piece.prefix(15)))), "\(place)")
                }
            }
        }
    }

    /// The private scalar of the authority, by the way that the server takes.
    private static func privateBytes(_ plant: Plant) async throws -> [UInt8] {
        var settings = DatabaseSettings(
            servers: [.socket(path: plant.database.socket)], user: "signet_control",
            passwordFile: plant.folder.path + "/signet_control", database: "signet")
        settings.connectTimeout = .seconds(10)
        let pool = try DatabasePool(settings)
        let storage = ControlStorage(pool)
        let log = Log(to: try LogSink(program: "test", level: .error))
        func service(_ file: String) throws -> any KeyWrapping {
            try ProviderSettings.dummy(file: plant.folder.path + "/" + file).open(in: .development, log: log)
        }
        let stored = try #require(try await storage.key(named: KeyName("farm-ca")))
        let wrapped = try #require(try await storage.clusterKey(stored.code.clusterKey))
        // What a data-server has opens its own cluster key, and not the one under which authorities are.
        let own = try #require(try await storage.clusterKeys(of: .data).first)
        #expect(try await own.unwrapped(by: service("kms-key")).id == own.id)
        await #expect(throws: KMSError.self) { _ = try await wrapped.unwrapped(by: service("kms-key")) }
        let cluster = try await wrapped.unwrapped(by: service("certifying-kms-key"))
        let key = try cluster.unseal(stored).certifying(at: Moment.now())
        await pool.close()
        let pkcs8 = try key.pkcs8()
        // SEQUENCE { INTEGER 0, AlgorithmIdentifier, OCTET STRING { SEQUENCE { INTEGER 1, OCTET STRING scalar, ... } } }
        let bytes = pkcs8.bytes
        return (36..<68).map { bytes[$0] }
    }

    @Test func certificatesAndTheDatabaseComeAndGo() async throws {
        let plant = try Plant()
        try plant.start()
        try aRevokedCertificateIsOnBothLists(plant)
        try await theDatabaseIsAway(plant)
        try await aCertificateIsExchanged(plant)
    }

    private func aCertificateIsExchanged(_ plant: Plant) async throws {
        try plant.admin(["pki", "init", "--folder", plant.folder.path + "/other"])
        try plant.admin([
            "pki", "issue", "--folder", plant.folder.path + "/other", "--role", "control", "--name",
            "control",
            "--host", "127.0.0.1", "--out", plant.folder.path + "/pki/control", "--replace",
        ])
        #expect(try plant.curl("/api/v1/keys/").status == 200)
        plant.server?.signal(SIGHUP)
        await eventually { (try? plant.curl("/api/v1/keys/", certificates: "other/ca.crt").status) == 200 }
        #expect(throws: (any Error).self) { try plant.curl("/api/v1/keys/") }
    }

    private func aRevokedCertificateIsOnBothLists(_ plant: Plant) throws {
        let folder = plant.folder.path
        try plant.admin(["pki", "issue", "--role", "client", "--name", "ci", "--out", folder + "/ci"])
        try plant.admin(["pki", "issue", "--role", "client", "--name", "ci", "--out", folder + "/ci2"])
        let revision = { try plant.database.sql("SELECT number FROM revision").split(separator: "\n").last }
        let before = try revision()
        let told = try plant.admin([
            "pki", "revoke", "--role", "client", "--name", "ci", "--reason", "key_compromise",
        ])
        #expect(told.split(separator: "\n").count == 2)
        #expect(try revision() != before)
        let denied = try plant.curl("/api/v1/clients/denied").body
        for name in ["ci", "ci2"] {
            let text = try Command.check(
                ["openssl", "x509", "-in", "\(folder)/\(name).crt", "-noout", "-fingerprint", "-sha256"]
            ).text
            let fingerprint = text.split(separator: "=").last.map { $0.filter(\.isHexDigit).lowercased() }
            #expect(denied.contains(fingerprint ?? "?"))
            let verified = try Command.run([
                "openssl", "verify", "-CAfile", folder + "/pki/ca.crt", "-crl_check", "-CRLfile",
                folder + "/pki/crl.pem", "\(folder)/\(name).crt",
            ])
            #expect(verified.errorText.contains("revoked"))
        }
        #expect(try plant.admin(["pki", "list"]).contains("revoked"))
        #expect(throws: (any Error).self) {
            try plant.admin(["pki", "revoke", "--role", "client", "--name", "ci"])
        }
    }

    private func theDatabaseIsAway(_ plant: Plant) async throws {
        plant.database.crash()
        await eventually { (try? plant.page("/readyz").status) == 503 }
        #expect(try plant.page("/livez").status == 200)
        #expect(try plant.curl("/api/v1/keys/").status == 503)
        try plant.database.start()
        await eventually { (try? plant.page("/readyz").status) == 200 }
        #expect(try plant.curl("/api/v1/keys/").status == 200)
    }

    @Test(
        arguments: [
            (["--config", "/nowhere.toml"], 2, "nowhere.toml"), (["--confg", "x"], 2, "--config"),
            (["serve"], 2, "serve"),
        ] as [([String], Int32, String)])
    func wrongUseIsTold(_ arguments: [String], _ status: Int32, _ named: String) throws {
        for program in ["control-server", "control-admin"] {
            let words =
                program == "control-admin" && arguments[0].hasPrefix("--")
                ? ["migrate"] + arguments : arguments
            let output = try Command.run([Products.path(program)] + words)
            #expect(output.status == status, "\(output.errorText)")
            #expect(output.errorText.contains(named), "\(output.errorText)")
        }
    }

    @Test func helpIsThere() throws {
        for program in ["control-server", "control-admin"] {
            #expect(try Command.check([Products.path(program), "--help"]).text.contains("--config"))
            #expect(try Command.check([Products.path(program), "--version"]).text.hasPrefix(program))
        }
    }
}
