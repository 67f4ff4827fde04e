// SPDX-License-Identifier: Apache-2.0

import Foundation
import MemoryScan
import TestSupport
import Testing

/// What must not be seen anywhere is not there.
@Suite(.serialized) struct SecretTests {
    @Test func nothingSecretIsInTheDatabaseLogsAndMetrics() throws {
        let house = try House.open()
        let folder = try house.packages(1)
        let run = try house.signet(["sign", "--key", "packages", "--resign", folder.path])
        #expect(run.status == 0, "\(run.errorText)")
        let made = try house.manage("token", "create", "a canary").trimmingCharacters(in: .newlines)

        var places: [String: [UInt8]] = [:]
        // All that the database wrote: tables, logs of changes, and what was there before.
        try house.sql("FLUSH TABLES")
        for folder in ["db/data", "db/data/signet", "db/data/mysql"] {
            for name in try FileManager.default.contentsOfDirectory(atPath: house.path(folder)) {
                let path = folder + "/" + name
                // Folders are no files.
                if let bytes = try? house.folder.read(path) { places[path] = bytes }
            }
        }
        places["dump"] = try Command.check([
            Repository.path(".build/tools/usr/bin/mariadb-dump"),
            "--defaults-file=" + house.path("db/root.cnf"),
            "--all-databases",
        ]).stdout
        for server in ["control-server", "data-server-one", "data-server-two"] {
            places[server + ".log"] = try house.folder.read(server + ".log")
            places[server + " metrics"] = Array(try house.page(server, "/metrics").utf8)
        }
        for file in ["db/log", "control-admin.log", "addresses"] {
            places[file] = try house.folder.read(file)
        }

        var secrets: [String: [UInt8]] = ["a token": Array(made.utf8)]
        let files = [
            "admin.token", "control.password", "data.password", "migration.password", "db/root.password",
            "kms-key",
        ]
        for file in files {
            var bytes = try house.folder.read(file)
            if bytes.last == 0x0a { bytes.removeLast() }
            secrets[file] = bytes
        }
        for file in ["ca", "control", "data-one", "builder"] {
            // The key itself, behind the head that all of its kind have.
            let text = try house.text("pki/\(file).key").split(separator: "\n").dropFirst().dropLast()
                .joined()
            secrets[file + ".key"] = Array(Data(base64Encoded: text)?.dropFirst(36).prefix(32) ?? Data())
        }
        // Nor is there a private key of anybody: PKCS#8 in PEM, or its head in DER.
        let marks = [
            (name: "PEM of a private key", bytes: Array("-----BEGIN PRIVATE KEY-----".utf8)),
            (
                name: "DER of a private key",
                bytes: [2, 1, 0, 0x30, 0x0d, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1] as [UInt8]
            ),
        ]
        let sought = secrets.map { (name: $0.key, bytes: $0.value) } + marks
        #expect(try SecretSearch.findings(of: sought, in: places) == "")
        // The search finds what is there.
        let user = (name: "a user id", bytes: Array("packages <packages@x.org>".utf8))
        #expect(try SecretSearch.findings(of: [user], in: places).contains("a user id is in dump"))
    }

    /// A data-server that was asked to end, held at the very end of its life, after whoever may do all worked with it.
    @Test(.needs(.tracing), .needs(.root), .needs(.noSanitizer)) func aDrainedServerKnowsNoTokenAndPassword()
        throws
    {
        let house = try House.open()
        let folder = try house.packages(4)
        try house.manage("sign", "--key", "packages", "--resign", folder.path)
        let process = try house.process("data-server-two")
        let end = try ProcessEnd(of: process)
        let memory = try ProcessMemory(of: process)
        // The scan finds what is there.
        let settings = Array(house.path("data-server-two.toml").utf8)
        #expect(memory.count(Canary(of: settings.span)) > 0)
        kill(process, SIGTERM)
        try end.wait()
        for file in ["admin.token", "control.password", "data.password", "migration.password", "kms-key"] {
            var bytes = try house.folder.read(file)
            if bytes.last == 0x0a { bytes.removeLast() }
            #expect(bytes.count >= 16)
            #expect(memory.count(Canary(of: bytes.span)) == 0, "\(file)")
        }
    }
}
