// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import TestSupport
import Testing

/// Whenever the server is killed, what it answered stands, and nothing stands half.
@Suite struct KillTests {
    @Test func nothingIsLostOrCountedTwice() throws {
        let plant = try Plant()
        try plant.start()
        var tokens = [plant.token]
        for number in 0..<4 {
            let name = "admin\(number)@example.org"
            try plant.admin([
                "user", "add", "--name", name, "--role", "administrator", "--token-file",
                plant.folder.path + "/" + name,
            ])
            let token = String(decoding: try plant.folder.read(name), as: UTF8.self)
            tokens.append(token.trimmingCharacters(in: .newlines))
        }
        let place = try plant.folder.write("url", Array(plant.rest.utf8))
        let workers = try Companion(
            python: "control_workload.py", [plant.folder.path + "/pki/ca.crt", place] + tokens)
        #expect(workers.readLine() == "ready")
        var generator = Trials.generator("kill")
        let kills = Trials.count(6, full: 200)
        for _ in 0..<kills {
            // Any moment: while it begins, in the middle of changes, between them.
            usleep(UInt32.random(in: 0...600_000, using: &generator))
            plant.kill()
            try plant.start()
            try plant.folder.write("url", Array(plant.rest.utf8))
        }
        usleep(300_000)
        workers.write("end")
        let line = try #require(workers.readLine(), "\(workers.errorText)")
        let report = Self.object(line)
        #expect((report["troubles"] as? [String]) == [], "\(line)")
        // It was a workload, and it was cut off.
        #expect((report["keys"] as? Int ?? 0) > 0)
        #expect(((report["counts"] as? [String: Int])?["lost"] ?? 0) > 0)
        print("after \(kills) kills: \(line)")
        plant.stop()
        #expect(
            try plant.admin(["audit", "verify"]).contains("audit  \(report["entries"] as? Int ?? 0) entries"))
    }

    private static func object(_ text: String) -> [String: Any] {
        (try? JSONSerialization.jsonObject(with: Data(text.utf8))) as? [String: Any] ?? [:]
    }
}
