// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// What those see who watch the servers.
@Suite(.serialized) struct PageTests {
    static let servers = ["control-server", "data-server-one", "data-server-two"]

    @Test func pagesTellHowTheServersAre() async throws {
        let house = try House.open()
        for server in Self.servers {
            #expect(try house.page(server, "/livez").hasPrefix("alive"), "\(server)")
            #expect(try house.page(server, "/readyz").hasPrefix("ready"), "\(server)")
            let metrics = try house.page(server, "/metrics")
            #expect(metrics.contains("# TYPE signet_"), "\(server): \(metrics.prefix(200))")
        }
        try house.killDatabase()
        for server in Self.servers {
            await eventually("\(server) is ready without its database") {
                (try? house.page(server, "/readyz").hasPrefix("ready")) == false
            }
            #expect(try house.page(server, "/livez").hasPrefix("alive"), "\(server)")
        }
        try house.start()
        for server in Self.servers {
            await eventually("\(server) does not come back") {
                (try? house.page(server, "/readyz").hasPrefix("ready")) == true
            }
        }
    }

    /// Of each sample every paragraph with a setting says in words what that is for.
    @Test(arguments: ["control-server", "data-server", "client"]) func samplesExplainEachSetting(
        _ name: String
    ) throws {
        let text = try String(contentsOfFile: Repository.path("config/\(name).toml"), encoding: .utf8)
        var settings = 0
        for paragraph in text.components(separatedBy: "\n\n") {
            let lines = paragraph.split(separator: "\n").filter { !$0.hasPrefix("[") }
            let isSetting = { (line: Substring) in
                line.firstMatch(of: /^(# )?[a-z_]+ = [^ ]/) != nil
            }
            let found = lines.filter(isSetting).count
            settings += found
            let words = lines.contains { $0.hasPrefix("# ") && !isSetting($0) }
            #expect(found == 0 || words, "config/\(name).toml: \(paragraph)")
        }
        #expect(settings > 5)
    }
}
