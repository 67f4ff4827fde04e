// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// One order stops signing on every data-server, and it takes another administrator to let it go on.
@Suite struct FreezeTests {
    @Test func aFreezeStopsWorkThatIsUnderWay() throws {
        let house = try House.open()
        let token = house.path("other.token")
        if !FileManager.default.fileExists(atPath: token) {
            try house.admin(
                "user", "add", "--name", "other@example.org", "--role", "administrator", "--token-file", token
            )
        }
        let folder = try house.packages(Trials.count(60, full: 300))
        let run = try Companion([
            "env", "SIGNET_CONFIG=" + house.path("client.toml"), Products.path("signet"), "sign", "--key",
            "packages", "--jobs", "1", "--output", "jsonl", folder.path,
        ])
        // It is under way.
        var lines = [run.readLine() ?? ""]
        #expect(lines[0].contains(#""status":"signed""#))
        try house.manage("freeze", "--key", "packages", "--reason", "break-in")
        let frozen = Date()
        while let line = run.readLine() { lines.append(line) }
        let signed = lines.filter { $0.contains(#""status":"signed""#) }.count
        let refused = lines.filter { $0.contains(#""code":"signing-frozen""#) }.count
        #expect(refused > 0 && signed + refused == lines.count - 1, "\(lines.suffix(3))")
        // By the records' own times, of both servers; the command returned when it was in force.
        let limit = Int(frozen.timeIntervalSince1970.rounded(.up))
        let late = try house.sql(
            "SET time_zone = '+00:00'; SELECT COUNT(*) FROM signature_record WHERE kind = 'rpm' AND "
                + "signed_at > FROM_UNIXTIME(\(limit))")
        #expect(late == "0\n")
        #expect(try house.manage("key", "show", "packages", "-o", "json").contains(#""key_state":"enabled""#))
        for server in ["data-server-one", "data-server-two"] {
            #expect(try house.page(server, "/metrics").contains("signet_frozen_keys 1"))
        }

        let asked = try house.signet(["thaw", "--key", "packages"])
        #expect(asked.status == 0 && asked.errorText.contains("approvals of other administrators"))
        #expect(try house.manage("frozen").contains("break-in"))
        let thawed = try house.signet(["thaw", "--key", "packages", "--token-file", token])
        #expect(thawed.status == 0, "\(thawed.errorText)")
        let rest = try house.signet(["sign", "--key", "packages", folder.path])
        #expect(rest.status == 0, "\(rest.errorText)")
    }
}
