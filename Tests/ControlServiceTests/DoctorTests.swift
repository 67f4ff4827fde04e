// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// What `control-admin doctor` finds, and what the metrics tell of it.
@Suite struct DoctorTests {
    private let plant: Plant
    init() throws {
        plant = try Plant()
        // The transport's certificates are good for 30 days unless it is said.
        try plant.admin([
            "pki", "issue", "--role", "control", "--name", "control", "--host", "127.0.0.1", "--days", "300",
            "--replace",
        ])
    }

    private func run(_ arguments: String...) throws -> Command.Output {
        try Command.run([Products.path("control-admin")] + arguments + ["--config", plant.config])
    }

    /// The levels by check, from the JSON.
    private func findings(_ arguments: String...) throws -> (status: Int32, levels: [String: Set<String>]) {
        let output = try Command.run(
            [Products.path("control-admin"), "doctor", "-o", "json", "--config", plant.config] + arguments)
        let object = try JSONSerialization.jsonObject(with: Data(output.stdout)) as? [String: Any]
        #expect(object?["schema"] as? Int == 1)
        var levels: [String: Set<String>] = [:]
        for finding in object?["findings"] as? [[String: String]] ?? [] {
            levels[finding["check"] ?? "", default: []].insert(finding["level"] ?? "")
        }
        return (output.status, levels)
    }

    @Test func aBackupHasToBeThereAndVerified() throws {
        // The first certificate of the control-server, for 30 days, is still good, though nobody uses it.
        try plant.admin(["pki", "revoke", "--serial", firstSerial(), "--without-database"])
        #expect(try findings().levels["backup"] == ["warning"])
        let folder = plant.folder.path + "/backups"
        let made = try run("backup", "create")
        #expect(made.status == 0, "\(made.errorText)")
        let unverified = try run("doctor")
        #expect(unverified.status == 1)
        #expect(unverified.text.contains("never verified"))
        let name = try #require(try FileManager.default.contentsOfDirectory(atPath: folder).first)
        #expect(name.hasPrefix("signet-") && name.hasSuffix("Z.backup"))
        #expect(try run("backup", "verify", folder + "/" + name).status == 0)
        let well = try findings()
        #expect(well.levels.values.allSatisfy { $0 == ["good"] }, "\(well.levels)")
        #expect(well.status == 0)
        #expect(
            well.levels.keys.sorted() == [
                "backup", "certificates", "clock", "database", "keys", "kms", "lists",
            ])
    }

    private func firstSerial() throws -> String {
        let lines = try plant.admin(["pki", "list"]).split(separator: "\n")
        return String(lines[0].prefix { $0 != " " })
    }

    @Test func whatEndsSoonIsTold() async throws {
        try plant.start()
        let soon = ISO8601DateFormatter().string(from: Date(timeIntervalSinceNow: 10 * 86_400))
        for (name, visibility) in [("soon-gone", "public"), ("mine-alone", "private")] {
            let key = """
                {"name": "\(name)", "key_type": "pgp", "expire_at": "\(soon)", "visibility": "\(visibility)",
                 "attributes": {"email": "a@example.org", "key_type": "eddsa"}}
                """
            #expect(try plant.post("/api/v1/keys/", key).status == 201)
        }
        #expect(try findings().levels["keys"] == ["warning"])
        #expect(try plant.post("/api/v1/keys/soon-gone/actions/enable", "").status == 200)
        let told = try run("doctor").text
        #expect(told.contains("warning  keys          soon-gone ends \(soon)"), "\(told)")
        #expect(!told.contains("mine-alone"))
        #expect(try findings("--days", "5").levels["keys"] == ["good"])
        // The caretaker looks when the server starts.
        plant.stop()
        try plant.start()
        var metrics = ""
        try await eventually("\(metrics)") {
            metrics = try plant.page("/metrics").body
            return metrics.contains("signet_key_days_left{key=\"soon-gone\"} 9.")
        }
        #expect(metrics.contains("signet_key_days_left{key=\"(private)\"} 9."))
        #expect(!metrics.contains("mine-alone"))
        #expect(
            metrics.contains(
                "signet_certificate_days_left{file=\"\(plant.folder.path)/pki/control.crt\"} 299."))
        plant.stop()
        // Without a database there is still something to look at.
        try plant.folder.write(
            "control-server.toml",
            String(decoding: try plant.folder.read("control-server.toml"), as: UTF8.self)
                .replacingOccurrences(of: plant.database.socket, with: "/nowhere.sock"))
        let away = try findings()
        #expect(away.status == 1)
        #expect(away.levels["database"] == ["error"] && away.levels["kms"] == ["good"])
    }
}
