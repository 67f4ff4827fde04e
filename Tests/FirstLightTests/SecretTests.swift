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
        var forms: [(name: String, bytes: [UInt8])] = []
        for (name, secret) in secrets {
            #expect(secret.count >= 16, "\(name)")
            let base64 = Data(secret).base64EncodedString().prefix { $0 != "=" }.dropLast()
            let hex = secret.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            for form in [secret, Array(base64.utf8), Array(hex.utf8), Array(hex.uppercased().utf8)] {
                forms.append((name, form))
            }
        }
        // Nor is there a private key of anybody: PKCS#8 in PEM, or its head in DER.
        forms.append(("PEM of a private key", Array("PRIVATE KEY".utf8)))
        let head: [UInt8] = [2, 1, 0, 0x30, 0x0d, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1]
        forms.append(("DER of a private key", head))
        forms.append(("DER of a private key", Array("020100300d06092a864886f70d010101".utf8)))
        #expect(try Self.search(places, for: forms) == "")
        // The search finds what is there.
        let user = [(name: "user id", bytes: Array("packages@x.org".utf8))]
        #expect(try Self.search(places, for: user).contains("user id is in dump"))
    }

    /// A line for each that is somewhere.
    private static func search(
        _ places: [String: [UInt8]], for forms: [(name: String, bytes: [UInt8])]
    ) throws -> String {
        let folder = try TemporaryFolder()
        var arguments: [String] = []
        for (number, place) in places.enumerated() {
            arguments += [try folder.write("\(number)", place.value), place.key]
        }
        let lines = forms.map { form in
            form.name + "\t" + form.bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }
        return try Command.python(
            """
            import sys
            forms = [line.rstrip("\\n").split("\\t") for line in sys.stdin]
            for path, place in zip(sys.argv[1::2], sys.argv[2::2]):
                content = open(path, "rb").read()
                for name, form in forms:
                    if bytes.fromhex(form) in content:
                        print(name, "is in", place)
            """, arguments: arguments, input: Array(lines.joined(separator: "\n").utf8)
        ).text
    }
}
