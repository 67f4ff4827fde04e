// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// Whoever dies in the middle of a run: each file is signed or untouched, and no signature is without its record.
@Suite(.serialized) struct DeathTests {
    enum Victim: String, CaseIterable, CustomTestStringConvertible {
        case dataServer, database, client
        var testDescription: String { rawValue }
    }

    @Test(arguments: Victim.allCases) func leavesNothingHalfDone(_ victim: Victim) throws {
        let house = try House.open()
        let count = Trials.count(60, full: 300)
        let folder = try house.packages(count)
        let before = try Self.contents(folder)
        let recorded = try Self.records(house)
        let arguments = ["sign", "--key", "packages", "--output", "jsonl", folder.path]
        let run = try Companion(
            ["env", "SIGNET_CONFIG=" + house.path("client.toml"), Products.path("signet")] + arguments)
        var lines: [String] = []
        // In the middle.
        while lines.count < count / 4, let line = run.readLine() { lines.append(line) }
        switch victim {
        case .dataServer: try house.kill("data-server-two")
        case .database:
            try house.killDatabase()
            try house.start()
        case .client: run.signal(SIGKILL)
        }
        while let line = run.readLine() { lines.append(line) }
        run.end()
        let (signed, untouched) = try Self.judge(folder, before, house)
        #expect(signed + untouched == count)
        #expect(try Self.records(house) - recorded >= signed)
        if victim == .client {
            #expect(untouched > 0, "the client was killed too late to tell")
        } else {
            #expect(untouched == 0, "\(lines.suffix(2))")
            #expect(lines.last?.contains(#""failed":0"#) == true, "\(lines.suffix(2))")
        }
        // Running again does the rest.
        try house.start()
        let again = try house.signet(arguments)
        #expect(again.status == 0, "\(again.errorText)")
        #expect(try Self.judge(folder, before, house) == (count, 0))
    }

    private static func contents(_ folder: TemporaryFolder) throws -> [String: [UInt8]] {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter {
            $0.hasSuffix(".rpm")
        }
        return Dictionary(uniqueKeysWithValues: try names.map { ($0, try folder.read($0)) })
    }

    private static func records(_ house: House) throws -> Int {
        Int(try house.sql("SELECT COUNT(*) FROM signature_record").trimmingCharacters(in: .newlines)) ?? -1
    }

    /// How many rpm finds signed, and how many are as they were; any other is neither.
    private static func judge(
        _ folder: TemporaryFolder, _ before: [String: [UInt8]], _ house: House
    ) throws -> (signed: Int, untouched: Int) {
        let database = try TemporaryFolder()
        try house.manage("key", "export", "packages", "--out", database.path + "/key.asc")
        try Command.check(["rpmkeys", "--dbpath", database.path, "--import", database.path + "/key.asc"])
        var (signed, untouched) = (0, 0)
        for (name, bytes) in before {
            if try folder.read(name) == bytes {
                untouched += 1
                continue
            }
            let output = try Command.run([
                "rpmkeys", "--dbpath", database.path, "--define", "_pkgverify_level all", "-K",
                folder.path + "/" + name,
            ])
            #expect(output.text.hasSuffix(": digests signatures OK\n"), "\(output.text) \(output.errorText)")
            if output.status == 0 { signed += 1 }
        }
        return (signed, untouched)
    }
}
