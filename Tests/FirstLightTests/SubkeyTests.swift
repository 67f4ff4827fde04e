// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// A key whose subkey signs, while its primary stays with the control plane.
@Suite(.serialized) struct SubkeyTests {
    @Test func theSubkeySignsAndOthersAccept() throws {
        let house = try House.open()
        let (folder, path) = try GrantTests.files(house)
        try house.manage(
            "key", "generate", "paired", "--type", "openpgp", "--algorithm", "rsa-2048", "--email",
            "paired@x.org", "--signing-subkey")
        try house.manage("key", "enable", "paired")
        try house.manage(
            "grant", "add", "--client", "uri:signet://client/builder", "--key", "paired", "--kind", "rpm",
            "--kind", "generic")
        let (rpm, sums) = (path["rpm"] ?? "", path["generic"] ?? "")
        try house.manage("sign", "--key", "paired", rpm)
        try house.manage("sign", "--key", "paired", "--detached", sums)

        let key = folder.path + "/paired.asc"
        try house.manage("key", "export", "paired", "--out", key)
        let database = try TemporaryFolder()
        try Command.check(["rpmkeys", "--dbpath", database.path, "--import", key])
        let judged = try Command.check([
            "rpmkeys", "--dbpath", database.path, "--define", "_pkgverify_level all", "-K", rpm,
        ])
        #expect(judged.text.hasSuffix(": digests signatures OK\n"), "\(judged.text)")
        let ring = folder.path + "/ring.gpg"
        try Command.check(["gpg", "--dearmor", "-o", ring], input: folder.read("paired.asc"))
        try Command.check(["sqv", "--keyring", key, sums + ".asc", sums])
        let verified = try Command.check(["gpgv", "--status-fd", "1", "--keyring", ring, sums + ".asc", sums])
        // VALIDSIG names the key that signed, and last the primary that it belongs to.
        let valid = verified.text.split(separator: "\n").first { $0.contains("VALIDSIG") }?.split(
            separator: " ")
        let fingerprints = try Command.check([
            "gpg", "--homedir", database.path, "--with-colons", "--with-fingerprint", "--with-fingerprint",
            "--show-keys", key,
        ]).text.split(separator: "\n").filter { $0.hasPrefix("fpr") }.map {
            String($0.split(separator: ":", omittingEmptySubsequences: false)[9])
        }
        #expect(fingerprints.count == 2)
        #expect(
            valid?[2] == fingerprints.last.map { Substring($0) }
                && valid?.last == fingerprints.first.map { Substring($0) })

        // The data-servers' user cannot read where the primary is, nor does any row of theirs hold it.
        let rights = try house.sql("SHOW GRANTS FOR signet_data@127.0.0.1")
        #expect(!rights.contains("certifying_key") && !rights.contains("certifying_cluster_key"), "\(rights)")
        #expect(
            try house.sql("SELECT name FROM certifying_key WHERE scheme = 'openpgp'") == "paired-primary\n")
        #expect(try house.sql("SELECT COUNT(*) FROM signing_key WHERE name = 'paired-primary'") == "0\n")
        #expect(try house.signet(["sign", "--key", "paired-primary", "--detached", sums]).status != 0)
    }
}
