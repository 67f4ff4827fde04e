// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// What `signet verify` says of what was signed here, and of what somebody did to it afterwards.
@Suite(.serialized) struct VerdictTests {
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
