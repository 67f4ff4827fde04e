// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Foundation
import TestSupport
import Testing

@testable import Console

@Suite struct TokenTests {
    @Test func comesFromTheNearestPlace() throws {
        let folder = try TemporaryFolder()
        for name in ["option", "setting"] {
            try folder.write(name, "token-of-\(name)\n")
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o600], ofItemAtPath: folder.path + "/" + name)
        }
        let (option, setting) = (folder.path + "/option", folder.path + "/setting")
        let environment = ["SIGNET_TOKEN": "token-of-environment"]
        func read(_ option: String?, _ environment: [String: String], _ setting: String?) throws -> String? {
            try TokenSource.read(option: option, environment: environment, setting: setting)
        }
        #expect(try read(option, environment, setting) == "token-of-option")
        #expect(try read(nil, environment, setting) == "token-of-environment")
        #expect(try read(nil, ["SIGNET_TOKEN": ""], setting) == "token-of-setting")
        #expect(try read(nil, [:], nil) == nil)
    }

    @Test func isPrivate() throws {
        let folder = try TemporaryFolder()
        try folder.write("token", "abc")
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o644], ofItemAtPath: folder.path + "/token")
        #expect(throws: (any Error).self) {
            try TokenSource.read(option: folder.path + "/token", environment: [:], setting: nil)
        }
    }

    @Test(arguments: ["two words", "line\nline", "é", String(repeating: "a", count: 1025)])
    func isOneWord(_ text: String) {
        let error = #expect(throws: ConsoleError.self) {
            try TokenSource.read(option: nil, environment: ["SIGNET_TOKEN": text], setting: nil)
        }
        #expect(error?.message.contains(text) == false)
    }

    @Test func isNoArgument() async {
        let bench = Bench()
        #expect(await bench.run("key", "list", "--token", "abc") == 2)
        #expect(!bench.paper.notes.contains("abc"))
    }
}
