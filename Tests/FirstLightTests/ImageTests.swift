// SPDX-License-Identifier: Apache-2.0

import SampleFiles
import TestSupport
import Testing

/// EFI images and CMS from the making of their keys to other programs' verdicts.
@Suite(.serialized, .needs(.program("sbverify"))) struct ImageTests {
    @Test func signsImagesAndFiles() throws {
        let house = try House.open()
        let rsa = ["--algorithm", "rsa-2048"]
        func generate(_ name: String, _ type: String, _ more: [String]) throws {
            let output = try house.signet(["key", "generate", name, "--type", type] + more)
            guard output.status == 0 else { throw Refused(description: output.errorText) }
            try house.manage("key", "enable", name)
        }
        try generate("boot-ca", "ca", rsa)
        try generate("boot-ica", "ca", rsa + ["--parent", "boot-ca", "--expires", "60d"])
        try generate("images", "efi", rsa + ["--parent", "boot-ica", "--expires", "30d"])
        try generate("contents", "cms", ["--algorithm", "p256", "--parent", "boot-ica", "--expires", "30d"])
        for (key, kind) in [("images", "efi"), ("contents", "cms")] {
            try house.manage(
                "grant", "add", "--client", "uri:signet://client/builder", "--key", key, "--kind", kind)
        }
        let folder = try TemporaryFolder()
        let image = try folder.write("boot.efi", SampleImage().bytes)
        let text = try folder.write("notes", "some text")
        for name in ["boot-ca", "images", "contents"] {
            try house.manage("key", "export", name, "--out", "\(folder.path)/\(name).pem")
        }
        let root = folder.path + "/boot-ca.pem"

        try house.manage("sign", "--key", "images", image)
        try Command.check(["sbverify", "--cert", root, image])
        try Command.check(["osslsigncode", "verify", "-in", image, "-CAfile", root])
        try house.manage("sign", "--key", "contents", text)
        try Command.check([
            "openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", text + ".p7s", "-content", text,
            "-CAfile", root, "-out", "/dev/null",
        ])
        for (file, kind, key) in [(image, "efi", "images"), (text, "cms", "contents")] {
            #expect(try house.signet(["verify", "--kind", kind, "--ca", root, file]).status == 0)
            let own = folder.path + "/" + key + ".pem"
            #expect(try house.signet(["verify", "--kind", kind, "--key", own, file]).status == 0)
        }
        // A key of one scheme serves no other.
        #expect(try house.signet(["sign", "--key", "contents", "--kind", "efi", image]).status == 3)
        #expect(try house.signet(["sign", "--key", "images", "--kind", "cms", text]).status == 3)
        #expect(try house.signet(["sign", "--key", "modules", image]).status != 0)

        var bytes = try folder.read("boot.efi")
        bytes[700] ^= 1
        try folder.write("boot.efi", bytes)
        try folder.write("notes", "other text")
        #expect(try house.signet(["verify", "--ca", root, image]).status == 6)
        #expect(try house.signet(["verify", "--kind", "cms", "--ca", root, text]).status == 6)
    }
}
