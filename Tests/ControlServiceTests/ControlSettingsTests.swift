// SPDX-License-Identifier: Apache-2.0

import ControlService
import Foundation
import MariaDB
import Secrets
import Settings
import TestSupport
import Testing

@Suite struct ControlSettingsTests {
    private static let least = """
        tls_cert = "control.crt"
        tls_key = "control.key"
        environment = "development"
        [memory.kms-provider]
        type = "dummy"
        """

    private func read(_ text: String) throws -> ControlSettings {
        let file = try SettingsFile(path: "/etc/signet/control.toml", contents: Array(text.utf8))
        return try ControlSettings.read(SettingsSources(files: [file])).value
    }

    /// The file that comes with the programs says nothing but what is so anyway, and every setting there is.
    @Test func theSampleIsWhatHoldsWithoutIt() throws {
        let path = Repository.path("config/control-server.toml")
        let file = try #require(try SettingsFile.load(path))
        let (sample, report) = try ControlSettings.read(SettingsSources(files: [file]))
        let least = try read(Self.least)
        #expect(sample.service.address == least.service.address)
        #expect(sample.service.status == least.service.status)
        #expect(sample.service.drain == least.service.drain)
        #expect(sample.service.tokenLife == least.service.tokenLife)
        #expect(sample.service.approvals == least.service.approvals)
        #expect(sample.database.servers == least.database.servers)
        #expect(sample.database.user == least.database.user)
        #expect(sample.database.statementDeadline == least.database.statementDeadline)
        #expect(sample.connections == least.connections)
        #expect(sample.owner.user == least.owner.user)
        #expect(sample.log.level == least.log.level)
        #expect(sample.hardening.secureHeap == least.hardening.secureHeap)
        // Names that belong to other types of key services stand in the sample as comments.
        let entries = report.entries.filter { entry in
            if case .file = entry.origin { return true }
            return !entry.path.contains { $0.hasSuffix("kms-provider") }
        }
        for entry in entries where entry.shown == nil {
            #expect(
                ["ca_root", "tls_cert", "tls_key", "systemd", "socket"].contains(entry.path.last),
                "\(entry.path)")
        }
        let fromFile = report.entries.filter { entry in
            if case .file = entry.origin { true } else { false }
        }
        #expect(fromFile.count >= entries.count - 5)
    }

    @Test(
        arguments: [
            ("type = \"file\"\nfile = \"b\"", true), ("type = \"file\"\nsystemd = \"a\"", true),
            ("type = \"socket\"\nsocket = \"s\"", true),
            // The same key, whatever else is said.
            ("type = \"file\"\nfile = \"a\"", false),
            ("type = \"file\"\nfile = \"b\"\nolder = [\"a\"]", false),
            ("type = \"dummy\"", false), (nil, false),
        ] as [(String?, Bool)])
    func inProductionEachPlaneHasAKeyOfItsOwn(_ certifying: String?, _ isTaken: Bool) throws {
        var text = Self.least.replacingOccurrences(of: "\"development\"", with: "\"production\"")
            .replacingOccurrences(of: "type = \"dummy\"", with: "type = \"file\"\nfile = \"a\"")
        if let certifying { text += "\n[memory.certifying-kms-provider]\n" + certifying }
        guard !isTaken else {
            #expect(try read(text).certifyingService != nil)
            return
        }
        let error = #expect(throws: SettingsError.self) { try read(text) }
        #expect("\(error as Any)".contains("certifying-kms-provider"))
    }

    @Test func theDummyServiceIsNotForProduction() throws {
        #expect(throws: SettingsError.self) {
            try read(Self.least.replacingOccurrences(of: "\"development\"", with: "\"production\""))
        }
        #expect(throws: SettingsError.self) {
            try read(Self.least.replacingOccurrences(of: "environment = \"development\"", with: ""))
        }
    }

    @Test(arguments: [
        "tls_cert = \"control.crt\"", "tls_key = \"control.key\"", "type = \"dummy\"",
    ])
    func needs(_ line: String) {
        #expect(throws: SettingsError.self) { try read(Self.least.replacingOccurrences(of: line, with: "")) }
    }

    @Test(arguments: [
        "[control-server]\nserver_ip = \"localhost\"", "[control-server]\nserver_port = 70000",
        "[control-server]\ntoken_life = \"367d\"", "[database]\npassword = \"x\"",
        "[hardening]\nallow = [\"everything\"]", "[hardening]\nsecure_heap = 5000", "[log]\nlevel = \"loud\"",
        "[control_server]\nserver_port = 1",
    ])
    func refuses(_ text: String) {
        #expect(throws: SettingsError.self) { try read(Self.least + "\n" + text) }
    }
}
