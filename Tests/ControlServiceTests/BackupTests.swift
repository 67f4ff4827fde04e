// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Foundation
import TestSupport
import Testing

/// Backups by the real programs: made while a server runs, looked at, and lived with on an empty server.
@Suite struct BackupTests {
    private let plant: Plant
    private let file: String

    init() throws {
        plant = try Plant()
        file = plant.folder.path + "/night.backup"
        try plant.start()
        let authority = """
            {"name": "farm-ca", "key_type": "x509ca", "expire_at": "2040-01-01T00:00:00Z",
             "attributes": {"common_name": "Farm CA", "key_type": "ecdsa"}}
            """
        #expect(try plant.post("/api/v1/keys/", authority).status == 201)
        #expect(try plant.post("/api/v1/keys/farm-ca/actions/enable", "").status == 200)
        for name in ["first", "second"] {
            let leaf = """
                {"name": "\(name)", "key_type": "x509ee", "parent_id": "farm-ca", "expire_at": "2039-01-01T00:00:00Z",
                 "attributes": {"common_name": "\(name)", "key_type": "ecdsa", "x509_ee_usage": "ko"}}
                """
            #expect(try plant.post("/api/v1/keys/", leaf).status == 201)
        }
        let grant = """
            {"clients": "uri:signet://client/*", "keys": ["first"], "kinds": ["module"], "description": "kept"}
            """
        #expect(try plant.post("/api/v1/grants", grant).status == 201)
        #expect(try plant.post("/api/v1/keys/second/actions/request_delete", "").status == 200)
    }

    private func run(_ arguments: String...) throws -> Command.Output {
        try Command.run([Products.path("control-admin")] + arguments + ["--config", plant.config])
    }

    @Test func whatWasKeptLivesOnAnEmptyServer() throws {
        let made = try run("backup", "create", "--out", file)
        #expect(made.status == 0, "\(made.errorText)")
        let seen = try run("backup", "verify", file)
        #expect(seen.status == 0, "\(seen.errorText)")
        #expect(seen.text.contains("3 keys, 1 grants, 2 cluster keys"))
        let lists = try plant.curl("/api/v1/keys/?page_size=1000").body
        let grants = try plant.curl("/api/v1/grants").body
        let approvals = try plant.curl("/api/v1/approvals").body
        let certificate = try plant.curl("/api/v1/keys/farm-ca/certificate").body

        // There is something in this one.
        let refused = try run("backup", "restore", file, "--folder", Repository.path("migrations"))
        #expect(refused.status == 1 && refused.errorText.contains("not empty"), "\(refused.errorText)")

        try plant.moveToEmptyDatabase()
        let restored = try run("backup", "restore", file, "--folder", Repository.path("migrations"))
        #expect(restored.status == 0, "\(restored.errorText)")
        for role in ["control", "data"] { try plant.giveRights(role) }
        try plant.start()
        #expect(try plant.curl("/api/v1/keys/?page_size=1000").body == lists)
        #expect(try plant.curl("/api/v1/grants").body == grants)
        #expect(try plant.curl("/api/v1/approvals").body == approvals)
        // It signs with what it had: a revocation list, judged by openssl with the certificate from before.
        #expect(try plant.post("/api/v1/keys/second/actions/cancel_delete", "").status == 200)
        let leaf = """
            {"name": "third", "key_type": "x509ee", "parent_id": "farm-ca", "expire_at": "2039-01-01T00:00:00Z",
             "attributes": {"common_name": "third", "key_type": "ecdsa", "x509_ee_usage": "ko"}}
            """
        #expect(try plant.post("/api/v1/keys/", leaf).status == 201)
        let authority = try plant.folder.write("ca.pem", Array(certificate.utf8))
        let third = try plant.folder.write(
            "third.pem", Array(try plant.curl("/api/v1/keys/third/certificate").body.utf8))
        try Command.check(["openssl", "verify", "-CAfile", authority, third])
        let list = try plant.folder.write(
            "crl.pem", Array(try plant.curl("/api/v1/keys/farm-ca/crl").body.utf8))
        try Command.check(["openssl", "crl", "-in", list, "-CAfile", authority, "-noout"])
        #expect(try plant.curl("/api/v1/audit?limit=1000").body.contains("\"action\":\"backup-restore\""))
        plant.stop()
        try plant.admin(["audit", "verify"])
        // And once more: what was restored is something.
        #expect(try run("backup", "restore", file, "--folder", Repository.path("migrations")).status == 1)
    }

    /// Whatever changes while it is made, a backup is of one moment.
    @Test func aBackupIsOfOneMoment() throws {
        let loop = """
            i=0; while i=$((i+1)); do curl -sS --cacert "$0/pki/ca.crt" -H "@$0/header" \\
                -H 'content-type: application/json' -d '{"email": "u'$i'@example.org", "role": "viewer"}' \\
                -w '\\n%{http_code}\\n' "$1/api/v1/users" | tail -n 1; done
            """
        let writer = try Companion(["sh", "-c", loop, plant.folder.path, plant.rest])
        #expect(writer.readLine() == "201")
        for round in 0..<Trials.count(4, full: 40) {
            let made = try run("backup", "create", "--out", file + "\(round)")
            #expect(made.status == 0, "\(made.errorText)")
            #expect(writer.readLine() == "201")
            // The chain of the audit ends where its head says, though both moved on.
            let seen = try run("backup", "verify", file + "\(round)")
            #expect(seen.status == 0, "\(seen.errorText)")
        }
    }

    @Test func aBackupThatSomebodyTouchedIsRefused() throws {
        #expect(try run("backup", "create", "--out", file).status == 0)
        let good = try plant.folder.read("night.backup")
        #expect(String(decoding: good, as: UTF8.self).contains("PRIVATE KEY") == false)
        var generator = Trials.generator("backup")
        var wrong: [[UInt8]] = [[], Array(good.dropLast()), good + [0], Array(good.prefix(good.count / 2))]
        for _ in 0..<Trials.count(6, full: 200) {
            var bytes = good
            bytes[Int.random(in: bytes.indices, using: &generator)] ^= UInt8(
                1 << Int.random(in: 0..<8, using: &generator))
            wrong.append(bytes)
        }
        for bytes in wrong {
            let path = try plant.folder.write("wrong.backup", bytes)
            let seen = try run("backup", "verify", path)
            #expect(seen.status == 1, "\(seen.status) \(seen.text) \(seen.errorText)")
            #expect(!FileManager.default.fileExists(atPath: path + ".verified"))
        }
        // Another key service does not open it.
        try plant.folder.write("kms-key.kept", plant.folder.read("kms-key"))
        try FileManager.default.removeItem(atPath: plant.folder.path + "/kms-key")
        #expect(try run("backup", "verify", file).status != 0)
    }
}
