// SPDX-License-Identifier: Apache-2.0

import Foundation
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
        for (name, secret) in secrets {
            #expect(secret.count >= 16, "\(name)")
            let forms = [
                secret, Array(Data(secret).base64EncodedString().prefix { $0 != "=" }.dropLast().utf8),
                Array(secret.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined().utf8),
            ]
            for (place, bytes) in places {
                for form in forms { #expect(!Self.holds(bytes, form), "\(name) is in \(place)") }
            }
        }
        // Nor is there a private key of anybody: PKCS#8 in PEM, or its head in DER.
        let heads: [[UInt8]] = [
            Array("PRIVATE KEY".utf8),
            [0x02, 0x01, 0x00, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01],
            Array("020100300d06092a864886f70d010101".utf8),
        ]
        for (place, bytes) in places {
            for head in heads { #expect(!Self.holds(bytes, head), "a private key is in \(place)") }
        }
        // The search finds what is there.
        #expect(places.values.contains { Self.holds($0, Array("packages@x.org".utf8)) })
    }

    private static func holds(_ bytes: [UInt8], _ part: [UInt8]) -> Bool {
        let found = unsafe memmem(bytes, bytes.count, part, part.count)
        return unsafe found != nil
    }
}
