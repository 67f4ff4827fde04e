// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Foundation
import KMS
import Keyring
import Secrets
import Settings
import TestSupport
import Testing

@Suite struct LocalKeyFileTests {
    private func open(_ path: String, in environment: DeploymentEnvironment = .development) throws {
        _ = try LocalKeyFile(path, in: environment, log: TestLog.quiet())
    }

    @Test func theFileIsMadeOnceAndPrivate() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/kms-key"
        try open(path)
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        let content = try folder.read("kms-key")
        #expect(content.count == 32)
        try open(path)
        #expect(try folder.read("kms-key") == content)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["kms-key"])
    }

    @Test func itIsRefusedInProduction() throws {
        let folder = try TemporaryFolder()
        let error = #expect(throws: KMSError.self) { try open(folder.path + "/kms-key", in: .production) }
        #expect(error?.code == .kmsNotForProduction)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }

    @Test func filesThatAreRefused() throws {
        let folder = try TemporaryFolder()
        let open = try folder.write("open", String(repeating: "x", count: 32))
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: open)
        #expect(throws: SecretsError.self) { try self.open(open) }
        let short = try folder.write("short", "x")
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: short)
        #expect(throws: KMSError.self) { try self.open(short) }
        #expect(throws: KMSError.self) { try self.open(folder.path + "/nowhere/kms-key") }
        let long = try folder.write("long", String(repeating: "x", count: 33))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: long)
        #expect(throws: SecretsError.self) { try self.open(long) }
    }

    @Test func theSettingsChooseByName() throws {
        func read(_ text: String) throws -> ProviderSettings {
            let sources = SettingsSources(
                files: [try SettingsFile(path: "/etc/signet/server.toml", contents: Array(text.utf8))])
            return try sources.read { ProviderSettings.read($0.section("memory").section("kms-provider")) }
                .value
        }
        #expect(
            try read("[memory.kms-provider]\ntype = \"dummy\"\nfile = \"key\"")
                == .dummy(file: "/etc/signet/key"))
        #expect(throws: SettingsError.self) { try read("[memory.kms-provider]\ntype = \"aws\"") }
        #expect(throws: SettingsError.self) { try read("") }
        func section(_ text: String) throws -> ProviderSettings { try read("[memory.kms-provider]\n" + text) }
        #expect(
            try section("type = \"file\"\nfile = \"kek\"\nolder = [\"kek-1\"]")
                == .file(.file("/etc/signet/kek"), older: ["/etc/signet/kek-1"]))
        #expect(
            try section("type = \"file\"\nsystemd = \"kek\"") == .file(.credential("kek"), older: []))
        var limits = SteadyWrapping.Limits()
        limits.deadline = .seconds(1)
        #expect(
            try section("type = \"socket\"\nsocket = \"/run/kms\"\ndeadline = \"1s\"")
                == .socket(path: "/run/kms", limits))
        for wrong in [
            "type = \"file\"", "type = \"file\"\nfile = \"a\"\nsystemd = \"b\"", "type = \"socket\"",
            "type = \"file\"\nsystemd = \"../b\"", "type = \"dummy\"\nsocket = \"s\"",
            "type = \"socket\"\nsocket = \"s\"\nfile = \"a\"", "type = \"dummy\"\nolder = [\"a\"]",
        ] {
            #expect(throws: SettingsError.self, "\(wrong)") { try section(wrong) }
        }
    }

    @Test func anOlderKeyStillOpensWhatItWrapped() async throws {
        let folder = try TemporaryFolder()
        for name in ["one", "two"] {
            try SecretBytes(randomCount: 32).write(toNewFile: folder.path + "/" + name)
        }
        let one = try KeyFile(folder.path + "/one")
        let secret = try SecretBytes(randomCount: 32)
        let wrapped = try await one.wrap(secret, associatedData: [1])
        let two = try KeyFile(folder.path + "/two", older: [folder.path + "/one"])
        let isSame = try await two.unwrap(wrapped, associatedData: [1]).isEqualInConstantTime(to: secret)
        #expect(isSame)
        #expect(try await two.wrap(secret, associatedData: [1]).key != wrapped.key)
        let alone = try KeyFile(folder.path + "/two")
        let error = await #expect(throws: KMSError.self) {
            _ = try await alone.unwrap(wrapped, associatedData: [1])
        }
        #expect(error?.code == .kmsKeyUnusable)
        let bare = ProviderSettings.file(.credential("kek"), older: [])
        #expect(throws: KMSError.self) {
            _ = try bare.open(in: .production, log: TestLog.quiet(), credentials: nil)
        }
    }

    @Test func itIsLoud() throws {
        let folder = try TemporaryFolder()
        let pipe = Pipe()
        let sink = try LogSink(
            program: "test", descriptor: pipe.fileHandleForWriting.fileDescriptor, form: .json)
        _ = try LocalKeyFile(folder.path + "/kms-key", in: .development, log: Log(to: sink))
        #expect(sink.flush(within: .seconds(30)))
        let text = String(decoding: pipe.fileHandleForReading.availableData, as: UTF8.self)
        #expect(text.contains("THE DUMMY KMS IS IN USE: NOT FOR PRODUCTION"))
        #expect(text.contains("/kms-key"))
    }
}
