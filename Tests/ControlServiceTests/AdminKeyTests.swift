// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// Keys that control-admin makes, judged by gpg, sq, openssl and Python's cryptography.
@Suite struct AdminKeyTests {
    @Test func aSetForDevelopersIsReadByEverybody() throws {
        let plant = try Plant()
        let told = try plant.admin(["key", "development-set"])
        #expect(told.split(separator: "\n").count == 7 && !told.contains("disabled"), "\(told)")
        let again = try plant.admin(["key", "development-set"])
        #expect(again.components(separatedBy: "is there already").count == 8)
        try plant.start()
        func part(_ path: String, _ file: String) throws -> String {
            let answer = try plant.curl("/api/v1/keys/\(path)", anonymous: true)
            #expect(answer.status == 200, "\(path): \(answer.body)")
            return try plant.folder.write(file, Array(answer.body.utf8))
        }
        let root = try part("dev-ca/certificate", "root.pem")
        let middle = try part("dev-intermediate/certificate", "middle.pem")
        var files = [root, middle]
        for sort in ["module", "efi", "cms", "timestamp"] {
            let leaf = try part("dev-\(sort)/certificate", sort + ".pem")
            try Command.check(["openssl", "verify", "-CAfile", root, "-untrusted", middle, leaf])
            files.append(leaf)
        }
        for name in ["ca", "intermediate"] {
            let list = try part("dev-\(name)/crl", name + ".crl")
            try Command.check([
                "openssl", "crl", "-noout", "-in", list, "-CAfile", name == "ca" ? root : middle,
            ])
            files.append(list)
        }
        try Command.python(
            """
            import sys
            from cryptography import x509
            for path in sys.argv[1:]:
                text = open(path, "rb").read()
                if path.endswith(".crl"):
                    x509.load_pem_x509_crl(text)
                else:
                    for part in x509.load_pem_x509_certificates(text):
                        part.public_key(), part.extensions
            """, arguments: files)
        let key = try part("dev-packages/public_key", "packages.asc")
        let shown = try Command.check([
            "gpg", "--homedir", plant.folder.path, "--batch", "--with-colons", "--show-keys", key,
        ]).text
        #expect(shown.contains("dev-packages <dev@localhost>"))
        let inspected = try Command.check(["sq", "inspect", key])
        #expect(inspected.text.contains("dev-packages <dev@localhost>"))
        #expect(!inspected.text.contains("Invalid"))
    }

    @Test func aKeyOfEachSortIsMadeAsByTheAPI() throws {
        let plant = try Plant()
        let root = try plant.admin(["key", "generate", "farm-ca", "--type", "ca", "-a", "p384", "--enable"])
        #expect(root.hasSuffix("enabled\n"))
        let leaf = try plant.admin([
            "key", "generate", "modules", "--type", "module", "-a", "p256", "--parent", "farm-ca",
            "--expires", "30d",
        ])
        #expect(leaf.hasSuffix("disabled\n"))
        let refused = try Command.run([
            Products.path("control-admin"), "key", "generate", "images", "--type", "efi", "-a", "p256",
            "--parent",
            "farm-ca", "--expires", "30d", "--config", plant.config,
        ])
        #expect(refused.status != 0 && refused.errorText.contains("attributes.key_type"))
        try plant.start()
        let audit = try plant.curl("/api/v1/audit?limit=1000").body
        #expect(audit.components(separatedBy: "\"action\":\"key-generate\"").count == 3)
        #expect(audit.contains("\"actor\":\"control-admin\""))
    }
}
