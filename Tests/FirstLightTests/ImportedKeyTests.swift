// SPDX-License-Identifier: Apache-2.0

import Foundation
import MemoryScan
import SampleFiles
import TestSupport
import Testing

/// Keys of gpg and openssl that go on signing here, for who has trusted them all along.
@Suite(.serialized) struct ImportedKeyTests {
    private static let grant = ["grant", "add", "--client", "uri:signet://client/builder", "--key"]

    private func gpg(_ home: TemporaryFolder, _ arguments: [String]) throws -> Command.Output {
        try Command.check(
            [
                "gpg", "--homedir", home.path, "--batch", "--no-tty", "--quiet", "--pinentry-mode",
                "loopback",
                "--passphrase", "a word",
            ] + arguments)
    }

    @Test func aKeyOfGPGSignsAndLivesLonger() throws {
        let house = try House.open()
        let (folder, path) = try GrantTests.files(house)
        let home = try TemporaryFolder()
        _ = try gpg(home, ["--quick-gen-key", "Old <old@x.org>", "rsa2048", "sign", "30d"])
        let secret = try folder.write(
            "secret.asc", gpg(home, ["--armor", "--export-secret-keys"]).stdout, mode: 0o600)
        let word = try folder.write("word", "a word\n", mode: 0o600)
        let known = try folder.write("known.asc", gpg(home, ["--armor", "--export"]).stdout)
        let ring = try folder.write("known.gpg", gpg(home, ["--export"]).stdout)
        // Nobody else may be able to read it.
        let open = try folder.write("open.asc", folder.read("secret.asc"), mode: 0o644)
        #expect(try house.signet(["key", "import", "brought", open, "--type", "openpgp"]).status == 2)
        try house.manage(
            "key", "import", "brought", secret, "--type", "openpgp", "--passphrase-file", word)
        try house.manage("key", "enable", "brought")
        try house.manage(Self.grant + ["brought", "--kind", "rpm", "--kind", "generic"])
        let (rpm, sums) = (path["rpm"] ?? "", path["generic"] ?? "")
        func signs() throws {
            try house.manage("sign", "--key", "brought", "--resign", rpm)
            try house.manage("sign", "--key", "brought", "--resign", "--detached", sums)
            // By the key as it was before it came here.
            try Command.check(["gpgv", "--keyring", ring, sums + ".asc", sums])
            let database = try TemporaryFolder()
            try Command.check(["rpmkeys", "--dbpath", database.path, "--import", known])
            try Command.check([
                "rpmkeys", "--dbpath", database.path, "--define", "_pkgverify_level all", "-K", rpm,
            ])
        }
        try signs()
        let again = try house.signet([
            "key", "import", "again", secret, "--type", "openpgp", "--passphrase-file", word,
        ])
        #expect(again.status != 0 && again.errorText.contains("key-exists"), "\(again.errorText)")

        // gpg takes its new end from here.
        func end() throws -> Int {
            let line = try gpg(home, ["--with-colons", "--list-keys"]).text.split(separator: "\n")
                .first { $0.hasPrefix("pub:") }
            return Int(line?.split(separator: ":", omittingEmptySubsequences: false)[6] ?? "") ?? 0
        }
        let before = try end()
        try house.manage("key", "renew", "brought", "--expires", "900d")
        try house.manage("key", "export", "brought", "--out", folder.path + "/renewed.asc")
        _ = try gpg(home, ["--import", folder.path + "/renewed.asc"])
        #expect(try end() - before > 800 * 86_400)
        try signs()
    }

    @Test(.needs(.program("sbverify"))) func aKeyOfOpensslSigns() throws {
        let house = try House.open()
        let folder = try TemporaryFolder()
        func file(_ name: String) -> String { folder.path + "/" + name }
        try folder.write(
            "ext",
            "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=codeSigning\n"
        )
        for command in [
            [
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", file("ca.key"), "-out",
                file("ca.pem"), "-subj", "/CN=Old CA", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
            ],
            [
                "req", "-newkey", "rsa:2048", "-nodes", "-keyout", file("leaf.key"), "-out", file("csr"),
                "-subj", "/CN=Old",
            ],
            [
                "x509", "-req", "-in", file("csr"), "-CA", file("ca.pem"), "-CAkey", file("ca.key"),
                "-extfile",
                file("ext"), "-out", file("leaf.pem"), "-CAcreateserial",
            ],
            [
                "pkcs12", "-export", "-inkey", file("leaf.key"), "-in", file("leaf.pem"), "-passout",
                "pass:a word", "-out", file("leaf.p12"),
            ],
            [
                "req", "-newkey", "rsa:2048", "-nodes", "-keyout", file("vendor.key"), "-out",
                file("vendor.csr"), "-subj", "/CN=Vendor",
            ],
        ] { try Command.check(["openssl"] + command) }
        try Command.check(["chmod", "600", file("leaf.p12"), file("ca.key")])
        let word = try folder.write("word", "a word", mode: 0o600)
        try house.manage(
            "key", "import", "old-ca", file("ca.key"), "--type", "ca", "--certificate", file("ca.pem"))
        try house.manage(
            "key", "import", "old-images", file("leaf.p12"), "--type", "efi", "--passphrase-file", word)
        try house.manage("key", "enable", "old-images", "old-ca")
        try house.manage(Self.grant + ["old-images", "--kind", "efi"])
        let image = try folder.write("boot.efi", SampleImage().bytes)
        try house.manage("sign", "--key", "old-images", image)
        try Command.check(["sbverify", "--cert", file("ca.pem"), image])

        // The authority certifies for a key that stays where it is, which signs nothing here.
        try house.manage(
            "key", "issue", "vendor", file("vendor.csr"), "--ca", "old-ca", "--type", "efi", "--expires",
            "20d",
            "--out", file("vendor.pem"))
        try Command.check(["openssl", "verify", "-CAfile", file("ca.pem"), file("vendor.pem")])
        #expect(try house.signet(["key", "enable", "vendor"]).status != 0)
    }

    /// Of what an import brought, nothing is left in the server that took it: no passphrase, no file, no number.
    @Test(.needs(.tracing), .needs(.root), .needs(.noSanitizer)) func theServerKeepsNoOpenKey() throws {
        let house = try House.open()
        let folder = try TemporaryFolder()
        let word = "a passphrase of \(UUID().uuidString)"
        try Command.check([
            "openssl", "genrsa", "-traditional", "-out", folder.path + "/key", "2048",
        ])
        let plain = try folder.read("key")
        try Command.check([
            "openssl", "pkcs8", "-topk8", "-in", folder.path + "/key", "-passout", "pass:" + word, "-out",
            folder.path + "/locked",
        ])
        try Command.check([
            "openssl", "req", "-x509", "-key", folder.path + "/key", "-subj", "/CN=Forgotten", "-out",
            folder.path + "/pem", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
        ])
        try Command.check(["chmod", "600", folder.path + "/locked"])
        let secret = try folder.write("word", word, mode: 0o600)
        try house.manage(
            "key", "import", "forgotten", folder.path + "/locked", "--type", "ca", "--certificate",
            folder.path + "/pem", "--passphrase-file", secret)
        let memory = try ProcessMemory(of: house.process("control-server"))
        // The scan finds what is there.
        let settings = Array(house.path("control-server.toml").utf8)
        #expect(memory.count(Canary(of: settings.span)) > 0)
        #expect(memory.count(Canary(of: Array(word.utf8).span)) == 0, "the passphrase")
        let locked = try folder.read("locked")
        for (name, text) in [("open", plain), ("encrypted", locked)] {
            for line in text.split(separator: 0x0a).dropFirst().dropLast(2) {
                let line = Array(line)
                #expect(memory.count(Canary(of: line.span)) == 0, "a line of the \(name) key")
            }
        }
        // Nor its numbers: the secret exponent and a prime.
        let der =
            Data(
                base64Encoded: String(decoding: plain, as: UTF8.self).split(separator: "\n").dropFirst()
                    .dropLast()
                    .joined()) ?? Data()
        for place in [280, 560, 700, 840, 1000] {
            let piece = Array(der.dropFirst(place).prefix(32))
            #expect(piece.count == 32 && memory.count(Canary(of: piece.span)) == 0, "bytes at \(place)")
        }
    }
}
