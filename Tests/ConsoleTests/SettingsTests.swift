// SPDX-License-Identifier: Apache-2.0

import Foundation
import Settings
import TestSupport
import Testing
import Transport

@testable import Console

@Suite struct SettingsTests {
    static let endpoints: [(String, Endpoint?)] = [
        ("127.0.0.1:8088", .host("127.0.0.1", port: 8088)),
        ("a-b.example.org:1", .host("a-b.example.org", port: 1)),
        ("[::1]:443", .host("::1", port: 443)), ("unix:/run/s", .unix("/run/s")),
        ("localhost", nil), ("host:", nil), (":80", nil), ("host:0", nil), ("host:65536", nil),
        ("host:+80", nil),
        ("a b:80", nil), ("::1:443", nil), ("[host]:443", nil), ("unix:", nil), ("https://host:80", nil),
        ("", nil),
        ("unix:" + String(repeating: "a", count: 108), nil),
    ]

    @Test(arguments: endpoints) func readsEndpoints(_ text: String, _ endpoint: Endpoint?) {
        #expect(EndpointText.parse(text) == endpoint)
    }

    static func read(_ text: String) throws -> ClientSettings {
        let file = try SettingsFile(path: "/etc/signet/client.toml", contents: Array(text.utf8))
        return try ClientSettings.read(SettingsSources(files: [file])).settings
    }

    @Test func readsTheSample() throws {
        let text = try String(contentsOfFile: Repository.path("config/client.toml"), encoding: .utf8)
        let settings = try Self.read(text)
        #expect(settings.dataServers?.endpoints == [.host("127.0.0.1", port: 8088)])
        #expect(settings.dataServers?.key == "/etc/signet/pki/client.key")
        #expect(settings.controlServer?.tokenFile == "/etc/signet/token")
        #expect(settings.signing.jobs == 128 && settings.signing.retryFor == .seconds(300))
        // Every setting has its line of words, and stands there as it is by default.
        let bare = try Self.read("")
        #expect(bare.signing.jobs == 128 && bare.signing.timeout == settings.signing.timeout)
        let lines = text.split(separator: "\n").map(String.init)
        for (line, above) in zip(lines.dropFirst(), lines) where line.contains(" = ") {
            #expect(above.hasPrefix("#") || above.hasPrefix("["), "\(line)")
        }
    }

    @Test func needsNoSection() throws {
        let settings = try Self.read("")
        #expect(settings.dataServers == nil && settings.controlServer == nil)
    }

    static let bad: [(String, String)] = [
        ("[server]\n", "addresses"),
        ("[server]\naddresses=[]\nca_root='a'\ntls_cert='b'\ntls_key='c'", "1 to 64"),
        ("[server]\naddresses=['x']\nca_root='a'\ntls_cert='b'\ntls_key='c'", "HOST:PORT"),
        ("[control-server]\naddress='host:1'\n", "ca_root"),
        ("[control-server]\naddress='host:1'\nca_root='a'\ntoken='t'", "token_file"),
        ("[sign]\njobs=0", "1 to 4096"), ("[signs]\njobs=1", "sign"),
    ]

    @Test(arguments: bad) func refuses(_ text: String, _ word: String) throws {
        let error = #expect(throws: SettingsError.self) { try Self.read(text) }
        #expect(error?.message.contains(word) == true, "\(error?.message ?? "")")
    }

    @Test func findsFilesWeakestFirst() {
        #expect(
            ClientSettings.paths(["HOME": "/h"]) == [
                "/etc/signet/client.toml", "/h/.config/signet/client.toml",
            ])
        #expect(
            ClientSettings.paths(["HOME": "/h", "XDG_CONFIG_HOME": "/x"]).last == "/x/signet/client.toml")
        #expect(ClientSettings.paths([:]).count == 1)
    }

    @Test func showsWhereSettingsComeFrom() async throws {
        let folder = try TemporaryFolder()
        try folder.write("client.toml", "[sign]\njobs = 7\n")
        var bench = Bench()
        bench.environment = ["SIGNET_SIGN__TIMEOUT": "9s"]
        let file = folder.path + "/client.toml"
        #expect(await bench.run("--config", file, "config", "show", "--origin") == 0)
        #expect(bench.paper.out.contains("sign.jobs = 7  # \(file):2:"))
        #expect(bench.paper.out.contains("sign.timeout = \"9s\"  # SIGNET_SIGN__TIMEOUT"))
        #expect(await bench.run("--config", folder.path + "/none", "config", "show") == 2)
        #expect(bench.paper.notes.contains("[settings-unreadable]"))
    }
}
