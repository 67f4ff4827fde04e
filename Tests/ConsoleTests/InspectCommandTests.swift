// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

@testable import Console

@Suite struct InspectCommandTests {
    @Test func tellsInText() async throws {
        let signed = try VerifyCommandTests.Signed.made.get()
        let bench = Bench()
        #expect(await bench.run("inspect", signed.path("good-0"), signed.path("bare")) == 0)
        let lines = bench.paper.out.split(separator: "\n").map(String.init)
        #expect(lines.first?.hasSuffix("/good-0") == true && lines.contains("  kind       generic"))
        #expect(
            lines.contains {
                $0.hasPrefix("  signature  ") && $0.contains("2023-11-14T19:26:40Z, EdDSA with")
            })
        #expect(lines.contains("  signature  none"))
        #expect(lines.contains("  to sign    the 99 bytes of the file as they are"))
        #expect(lines.contains { $0.hasPrefix("  digest     computed, file, sha256 ") })
        #expect(lines.contains("  taken by   Debian 12 (gpgv 2.2)"))
        #expect(bench.paper.notes.isEmpty)
    }

    @Test func tellsInJSON() async throws {
        let signed = try VerifyCommandTests.Signed.made.get()
        let bench = Bench()
        #expect(await bench.run("inspect", "-o", "json", signed.path("good-0"), signed.path("missing")) == 1)
        let document = try bench.paper.json()
        #expect(document["schema"] as? Int == 1 && document["command"] as? String == "inspect")
        let files = try #require(document["files"] as? [[String: Any]])
        #expect(files.count == 2 && files[0]["kind"] as? String == "generic")
        #expect((files[0]["signatures"] as? [[String: Any]])?.count == 1)
        #expect((files[1]["error"] as? [String: Any])?["code"] as? String == "not-found")
        let lines = Bench()
        #expect(await lines.run("inspect", "-o", "jsonl", signed.path("bare"), signed.path("bad")) == 0)
        #expect(lines.paper.out.split(separator: "\n").allSatisfy { $0.contains(#""schema":1"#) })
    }

    /// A signature that lies elsewhere is that of the one file.
    @Test func signatureElsewhere() async throws {
        let signed = try VerifyCommandTests.Signed.made.get()
        let bench = Bench()
        let words = ["inspect", "--signature", signed.path("good-0.asc"), "-o", "json"]
        #expect(await bench.run(words + [signed.path("bare")]) == 0)
        let file = try #require((try bench.paper.json()["files"] as? [[String: Any]])?.first)
        #expect((file["signatures"] as? [[String: Any]])?.count == 1)
        #expect((file["targets"] as? [[String: Any]])?.count == 2)
        let digests = try #require(file["digests"] as? [[String: Any]])
        #expect(digests.map { $0["state"] as? String } == ["computed"])
        #expect(await Bench().run(words + [signed.path("bare"), signed.path("bad")]) == 2)
        #expect(await Bench().run(["inspect", "--signature", signed.path("none"), signed.path("bare")]) != 0)
    }

    @Test func missingFileAlone() async throws {
        let signed = try VerifyCommandTests.Signed.made.get()
        #expect(await Bench().run("inspect", signed.path("missing")) == 4)
    }

    /// Whatever fuzzers kept: it is shown or refused, and never good.
    @Test func everyCorpus() async throws {
        let signed = try VerifyCommandTests.Signed.made.get()
        let root = Repository.path("Fuzz/Corpus")
        let folders = [
            "rpm-package", "kernel-module", "efi-image", "openpgp-signature", "cms-signature",
            "http1-request",
        ]
        for folder in folders {
            let paths = try FileManager.default.contentsOfDirectory(atPath: root + "/" + folder).sorted().map
            {
                "\(root)/\(folder)/\($0)"
            }
            let verified = Bench()
            #expect(await verified.run(["verify", "-k", signed.key, "-o", "jsonl"] + paths) != 0)
            #expect(!verified.paper.out.contains(#""status":"good""#))
            #expect(verified.paper.out.split(separator: "\n").count == paths.count + 1)
            let inspected = Bench()
            #expect([0, 1].contains(await inspected.run(["inspect", "-o", "jsonl"] + paths)))
            #expect(inspected.paper.out.split(separator: "\n").count == paths.count)
            for path in paths {
                #expect([1, 6].contains(await Bench().run(["verify", "-k", signed.key, path])), "\(path)")
            }
        }
    }
}
