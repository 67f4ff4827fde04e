// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import MariaDB
import Settings
import TestSupport
import Testing

@Suite struct DatabaseSectionTests {
    private func read(_ text: String) throws -> DatabaseSettings {
        let contents = Array("[database]\n\(text)".utf8)
        let file = try SettingsFile(path: "/etc/signet/server.toml", contents: contents)
        return try SettingsSources(files: [file]).read {
            DatabaseSettings(reading: $0.section("database"), user: "somebody")
        }.value
    }

    @Test func everythingHasADefault() throws {
        let settings = try read("")
        #expect(settings.servers == [.socket(path: "/run/mysqld/mysqld.sock")])
        #expect(settings.user == "somebody")
        #expect(settings.passwordFile == nil)
        #expect(settings.database == "signet")
        #expect(settings.tls == .off)
    }

    @Test(
        arguments: [
            ("/tmp/s", .socket(path: "/tmp/s")), ("127.0.0.1:3306", .address(host: "127.0.0.1", port: 3306)),
            ("[::1]:3306", .address(host: "::1", port: 3306)),
            ("localhost:1", .address(host: "localhost", port: 1)),
        ] as [(String, DatabaseSettings.Server)])
    func readsServers(_ text: String, _ server: DatabaseSettings.Server) throws {
        #expect(try read("servers = [\"\(text)\"]").servers == [server])
    }

    @Test(arguments: [
        "db", "db:", "db:0", "db:70000", ":3306", "::1:3306", "user@db:3306", "mysql://db:3306", "",
        "d b:3306",
    ])
    func refusesServers(_ text: String) {
        #expect(throws: SettingsError.self) { try read("servers = [\"\(text)\"]\nca_root = \"ca.pem\"") }
    }

    @Test func anotherMachineNeedsTLS() throws {
        let error = #expect(throws: SettingsError.self) { try read("servers = [\"db1:3306\"]") }
        #expect(error?.message.contains("ca_root") == true)
        let settings = try read("servers = [\"db1:3306\"]\nca_root = \"ca.pem\"\norder = \"random\"")
        #expect(settings.tls == .required(authorities: "/etc/signet/ca.pem"))
        #expect(settings.order == .random)
    }

    @Test func aCertificateComesWithItsKey() throws {
        let both = try read("ca_root = \"/ca\"\ntls_cert = \"/c\"\ntls_key = \"/k\"")
        #expect(
            both.tls == .required(authorities: "/ca", certificate: .init(certificate: "/c", key: "/k")))
        for one in ["tls_cert = \"/c\"", "tls_key = \"/k\""] {
            #expect(throws: SettingsError.self) { try read("ca_root = \"/ca\"\n\(one)") }
        }
    }

    @Test(arguments: ["password = \"hush\"", "connection_url = \"mysql://u:p@db/signet\""])
    func refusesSecrets(_ text: String) {
        #expect(throws: SettingsError.self) { try read(text) }
    }
}
