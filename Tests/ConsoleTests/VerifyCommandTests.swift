// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

@testable import Console

/// `signet verify` from the command line to its status; the verdicts themselves are Verification's.
@Suite struct VerifyCommandTests {
    /// A folder with GnuPG's key in `key.asc` and `good-N` that it signed, `bare` that nobody signed, and `bad`, whose
    /// signature is another file's.
    struct Signed {
        let folder: TemporaryFolder

        static let made = Result { try Signed() }

        init() throws {
            folder = try TemporaryFolder()
            let gpg = ["gpg", "--homedir", folder.path, "--batch", "--quiet", "--passphrase", ""]
            defer { _ = try? Command.run(["gpgconf", "--homedir", folder.path, "--kill", "all"]) }
            // The clock of these tests stands at 1,700,000,000.
            let then = gpg + ["--faked-system-time", "1699990000"]
            try Command.check(
                then + ["--quick-generate-key", "Quill <q@x>", "ed25519", "sign,cert", "never"])
            try folder.write("key.asc", try Command.check(gpg + ["--armor", "--export"]).stdout)
            for number in 0..<8 {
                let path = try folder.write(
                    "good-\(number)", String(repeating: "\(number)", count: 99 << number))
                try Command.check(then + ["--armor", "--detach-sign", path])
            }
            try folder.write("bare", "nobody signed this")
            try folder.write("bad", "somebody changed this")
            try folder.write("bad.asc", try folder.read("good-0.asc"))
            try folder.write(
                "policy.toml",
                "version = 1\n[[trust]]\nname = \"q\"\nkeys = [\"key.asc\"]\nfiles = [\"good-*\"]\n")
            try folder.write("empty.toml", "version = 1\n")
        }

        var key: String { folder.path + "/key.asc" }
        func path(_ name: String) -> String { folder.path + "/" + name }
    }

    @Test(
        arguments: [
            (["good-0"], 0), (["bare"], 6), (["bad"], 6), (["good-0", "good-1"], 0), (["good-0", "bad"], 6),
            (["good-0", "bare"], 6), (["missing"], 4), (["good-0", "missing"], 1), (["bad", "missing"], 6),
            (["key.asc"], 6),
        ] as [([String], Int32)])
    func statuses(_ names: [String], _ status: Int32) async throws {
        let signed = try Signed.made.get()
        let bench = Bench()
        let words = ["verify", "--key", signed.key, "--kind", "generic"] + names.map(signed.path)
        #expect(await bench.run(words) == status, "\(bench.paper.notes)")
    }

    @Test(
        arguments: [
            (["--key", "missing.asc"], "settings-unreadable"), (["--key", "bare"], "trusted-keys-malformed"),
            ([], "bad-arguments"), (["--policy", "missing.toml"], "settings-unreadable"),
            (["--policy", "empty.toml"], "setting-invalid"), (["--policy", "bare"], "settings-malformed"),
            (["--policy", "policy.toml", "--key", "key.asc"], "bad-arguments"),
            (["--ca", "key.asc"], "trusted-keys-malformed"),
            (["--key", "key.asc", "--detached", "--kind", "rpm"], "bad-arguments"),
        ] as [([String], String)])
    func usage(_ options: [String], _ code: String) async throws {
        let signed = try Signed.made.get()
        let bench = Bench()
        let words = options.map { $0.hasPrefix("--") || $0 == "rpm" ? $0 : signed.path($0) }
        #expect(await bench.run(["verify"] + words + [signed.path("good-0")]) == 2)
        #expect(bench.paper.notes.contains("[\(code)]"), "\(bench.paper.notes)")
        #expect(bench.paper.out.isEmpty)
    }

    @Test func policyDecides() async throws {
        let signed = try Signed.made.get()
        #expect(
            await Bench().run("verify", "--policy", signed.path("policy.toml"), signed.path("good-3")) == 0)
        let bench = Bench()
        let status = await bench.run(
            "verify", "--policy", signed.path("policy.toml"), "--signature", signed.path("good-0.asc"),
            signed.path("bare"))
        #expect(status == 6 && bench.paper.notes.contains("mismatch"))
    }

    /// However many are under way at once, they are told of in the order in which they were named.
    @Test func tellsInOrder() async throws {
        let signed = try Signed.made.get()
        let bench = Bench()
        let names = (0..<200).map { "good-\((37 * $0) % 8)" }
        let words = ["verify", "-k", signed.key, "-o", "jsonl"] + names.map(signed.path)
        #expect(await bench.run(words) == 0)
        let lines = try bench.paper.out.split(separator: "\n").map {
            try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
        #expect(lines.count == 201 && lines.allSatisfy { $0["schema"] as? Int == 1 })
        #expect(lines.dropLast().map { $0["path"] as? String } == names.map(signed.path))
        #expect(lines.last?["done"] as? Int == 200)
    }

    @Test func tellsInJSON() async throws {
        let signed = try Signed.made.get()
        let bench = Bench()
        let words = ["verify", "-k", signed.key, "-o", "json"] + ["good-0", "bad", "bare"].map(signed.path)
        #expect(await bench.run(words) == 6)
        let document = try bench.paper.json()
        #expect(document["schema"] as? Int == 1 && document["command"] as? String == "verify")
        let files = try #require(document["files"] as? [[String: Any]])
        #expect(files.map { $0["status"] as? String } == ["good", "failed", "failed"])
        #expect(files.map { $0["outcome"] as? String } == ["good", "refused", "unsigned"])
        let good = try #require((files[0]["signatures"] as? [[String: Any]])?.first)
        #expect(good["valid"] as? Bool == true && good["name"] as? String == "Quill <q@x>")
        #expect(good["created"] as? String == "2023-11-14T19:26:40Z")
        #expect((good["algorithm"] as? String)?.hasPrefix("EdDSA with sha") == true)
        let bad = try #require((files[1]["signatures"] as? [[String: Any]])?.first)
        #expect(bad["valid"] as? Bool == false && bad["reason"] as? String == "mismatch")
        #expect((files[1]["error"] as? [String: Any])?["code"] as? String == "signature-refused")
    }

    @Test func tellsInText() async throws {
        let signed = try Signed.made.get()
        let bench = Bench()
        #expect(await bench.run("verify", "-k", signed.key, signed.path("good-0")) == 0)
        let lines = bench.paper.out.split(separator: "\n")
        #expect(lines[0].contains("good-0: good by "))
        #expect(
            lines[1].hasPrefix("  good, ") && lines[1].contains(" (Quill <q@x>), 2023-11-14T19:26:40Z, EdDSA")
        )
        #expect(bench.paper.notes.isEmpty)
        let other = Bench()
        #expect(await other.run("verify", "-k", signed.key, signed.path("good-0"), signed.path("bad")) == 6)
        #expect(other.paper.out.hasPrefix("1 good, 1 failed"))
        #expect(other.paper.notes.contains("\n  mismatch, "))
    }

    /// Whoever stops it is told of what was judged.
    @Test func stops() async throws {
        let signed = try Signed.made.get()
        let words = ["verify", "-k", signed.key] + [String](repeating: signed.path("good-7"), count: 50)
        let task = Task {
            unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
            return await Bench().run(words)
        }
        #expect(await task.value == 130)
    }
}
