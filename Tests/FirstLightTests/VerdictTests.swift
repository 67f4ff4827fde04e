// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// What `signet verify` says of what was signed here, and of what somebody did to it afterwards.
@Suite(.serialized) struct VerdictTests {
    /// Two keys sign one file, in both forms; other programs count both.
    @Test(arguments: ["--armor", "--no-armor"]) func severalSigners(_ form: String) throws {
        let house = try House.open()
        let folder = try TemporaryFolder()
        let path = try folder.write("image.iso", [UInt8](repeating: 7, count: 3_000_000))
        let signature = path + (form == "--armor" ? ".asc" : ".sig")
        for key in ["packages", "texts"] {
            try house.manage("key", "export", key, "--out", "\(folder.path)/\(key).asc")
        }
        let ring = folder.path + "/ring.gpg"
        try Command.check(
            ["gpg", "--dearmor", "-o", ring],
            input: folder.read("packages.asc") + folder.read("texts.asc"))
        let trusted = ["--key", folder.path + "/packages.asc", "--key", folder.path + "/texts.asc"]
        try house.manage("sign", "--key", "packages", form, "--detached", path)
        try house.manage("sign", "--key", "texts", form, "--detached", path)
        #expect(try house.manage("sign", "--key", "texts", form, "--detached", path).contains("1 skipped"))
        try house.manage("sign", "--key", "texts", form, "--detached", "--resign", path)
        for count in [1, 2] {
            try Command.check(["sqv", "--keyring", ring, "-n", "\(count)", signature, path])
        }
        #expect(try Command.run(["sqv", "--keyring", ring, "-n", "3", signature, path]).status != 0)
        try Command.check(["gpgv", "--keyring", ring, signature, path])
        let verdict = try house.manage(["verify", "-v", path] + trusted)
        #expect(verdict.split(separator: "\n").count { $0.hasPrefix("  good, ") } == 2, "\(verdict)")
        #expect(
            try house.manage("inspect", path).split(separator: "\n").count { $0.contains("signature ") } == 2)
        try folder.write("image.iso", "other")
        #expect(try house.signet(["verify", path] + trusted).status == 6)
        #expect(try Command.run(["gpgv", "--keyring", ring, signature, path]).status != 0)
        try house.manage("sign", "--strip", path)
        #expect(!FileManager.default.fileExists(atPath: signature))
    }

    @Test func judgesWhatWasSigned() throws {
        let house = try House.open()
        let (folder, path) = try GrantTests.files(house)
        let (rpm, sums, module) = (path["rpm"] ?? "", path["generic"] ?? "", path["module"] ?? "")
        try house.manage("key", "export", "packages", "--out", folder.path + "/packages.asc")
        try house.manage("key", "export", "texts", "--out", folder.path + "/texts.asc")
        try house.manage("key", "export", "modules", "--out", folder.path + "/modules.pem")
        func verify(_ key: String, _ arguments: String...) throws -> Int32 {
            try house.signet(["verify", "--key", folder.path + "/" + key] + arguments).status
        }
        #expect(try verify("packages.asc", rpm) == 6, "nobody signed it yet")
        try house.manage("sign", "--key", "packages", rpm)
        try house.manage("sign", "--key", "texts", "--detached", sums)
        try house.manage("sign", "--key", "modules", "--resign", module)
        #expect(try verify("packages.asc", rpm) == 0)
        #expect(try verify("texts.asc", "--detached", sums) == 0)
        #expect(try verify("texts.asc", "--signature", sums + ".asc", sums) == 0)
        #expect(try verify("modules.pem", module) == 0)
        #expect(try verify("texts.asc", rpm) == 6, "another key")
        #expect(try verify("nothing.asc", rpm) == 2, "no keys")

        try folder.write("SUMS", "0123  b\n")
        #expect(try verify("texts.asc", "--detached", sums) == 6)
        var bytes = try folder.read("m.ko")
        bytes[bytes.count / 4] ^= 1
        try folder.write("m.ko", bytes)
        #expect(try verify("modules.pem", module) == 6)
        var package = try folder.read("sample-1.rpm")
        package[package.count - 100] ^= 1
        try folder.write("sample-1.rpm", package)
        #expect(try verify("packages.asc", rpm) != 0)
    }
}
