// SPDX-License-Identifier: Apache-2.0

import Artifacts
import Cryptography
import Diagnostics
import Foundation
import Signatures
import TestSupport
import Testing

@testable import Verification

/// What Debian's own programs read and write: apt takes our InRelease, dscverify our .dsc, and we take debsign's.
@Suite struct DebianArchiveTests {
    static func sign(_ path: String, _ signers: Signers) throws {
        let artifact = try Artifact(reading: path, as: .cleartext)
        try artifact.patch(embedding: signers.sign(artifact.claim, .sha512)).apply()
    }

    @Test(.needs(.program("apt-get"))) func aptUpdates() throws {
        let signers = try Signers.made.get()
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(
            atPath: folder.path + "/repo", withIntermediateDirectories: false)
        let packages = Array(
            "Package: nothing\nVersion: 1\nArchitecture: all\nFilename: ./n.deb\nSize: 1\n\n".utf8)
        try folder.write("repo/Packages", packages, mode: 0o644)
        let digest = Digest(hashing: packages.span, with: .sha256)
        let release = """
            Origin: Farm
            Suite: stable
            Date: \(try Command.check(["date", "-u", "-R"]).text.dropLast())
            Architectures: all
            SHA256:
             \(digest) \(packages.count) Packages

            """
        let path = try folder.write("repo/InRelease", release, mode: 0o644)
        try Self.sign(path, signers)
        try folder.write("key.gpg", signers.owner.encoded, mode: 0o644)
        try folder.write("list", "deb [signed-by=\(folder.path)/key.gpg] file:\(folder.path)/repo ./\n")
        try folder.write("status", "")
        for name in ["lists", "lists/partial", "cache", "cache/archives", "cache/archives/partial"] {
            try FileManager.default.createDirectory(
                atPath: "\(folder.path)/\(name)", withIntermediateDirectories: true)
        }
        func update() throws -> Command.Output {
            let options = [
                "Dir::Etc::sourcelist=\(folder.path)/list", "Dir::Etc::sourceparts=-",
                "Dir::State::lists=\(folder.path)/lists", "Dir::Cache=\(folder.path)/cache",
                "Dir::State::status=\(folder.path)/status", "APT::Sandbox::User=root",
                "APT::Architecture=amd64", "Acquire::Languages=none",
            ]
            return try Command.run(["apt-get"] + options.flatMap { ["-o", $0] } + ["update"])
        }
        let good = try update()
        #expect(good.status == 0 && good.errorText.isEmpty, "\(good.errorText)")
        let signed = try folder.read("repo/InRelease")
        try folder.write(
            "repo/InRelease",
            Array(String(decoding: signed, as: UTF8.self).replacing("stable", with: "stadle").utf8),
            mode: 0o644)
        let bad = try update()
        #expect(
            bad.errorText.contains("is not signed") || bad.errorText.contains("BADSIG"), "\(bad.errorText)")
        let keys = TrustedKeys(openPGP: [signers.owner])
        #expect(try FileVerdict(of: path, by: keys, at: Signers.now).outcome == .refused)
        try folder.write("repo/InRelease", signed)
        let verdict = try FileVerdict(of: path, by: keys, at: Signers.now)
        #expect(verdict.kind == .cleartext && verdict.outcome == .good)
        // Stripped, it is what it was, and nobody signed it.
        try #require(try Artifact.patch(stripping: path)).apply()
        #expect(try folder.read("repo/InRelease") == Array(release.utf8))
        #expect(try FileVerdict(of: path, by: keys, at: Signers.now).outcome == .unsigned)
    }

    @Test(.needs(.program("debsign"))) func dscverifyAndDebsign() throws {
        let signers = try Signers.made.get()
        let folder = try TemporaryFolder()
        let tar = Array("not looked at".utf8)
        try folder.write("x_1.tar.xz", tar)
        let (sha1, sha256) = (
            Digest(hashing: tar.span, with: .weakSHA1), Digest(hashing: tar.span, with: .sha256)
        )
        let text = """
            Format: 3.0 (native)
            Source: x
            Binary: x
            Architecture: all
            Version: 1
            Maintainer: Farm <farm@example.com>
            Checksums-Sha1:
             \(sha1) \(tar.count) x_1.tar.xz
            Checksums-Sha256:
             \(sha256) \(tar.count) x_1.tar.xz
            Files:
             \(Digest(hashing: tar.span, with: .weakMD5)) \(tar.count) x_1.tar.xz

            """
        let path = try folder.write("x_1.dsc", text)
        try Self.sign(path, signers)
        let ring = try folder.write("ring.gpg", signers.owner.encoded)
        let judged = try Command.run(
            ["dscverify", "--no-default-keyrings", "--keyring", ring, path], folder: folder.path)
        #expect(judged.status == 0, "\(judged.text) \(judged.errorText)")

        let gpg = ["gpg", "--homedir", folder.path, "--batch", "--quiet", "--passphrase", ""]
        defer { _ = try? Command.run(["gpgconf", "--homedir", folder.path, "--kill", "all"]) }
        try Command.check(
            gpg + ["--quick-generate-key", "Farm <farm@example.com>", "rsa2048", "sign,cert", "never"])
        let exported = try Command.check(gpg + ["--export"]).stdout
        try folder.write("x_1.dsc", text)
        var environment = Command.environment
        environment["GNUPGHOME"] = folder.path
        try Command.check(
            ["debsign", "--no-conf", "--re-sign", "-p", "gpg --batch", "-mfarm@example.com", path],
            environment: environment, folder: folder.path)
        let keys = TrustedKeys(openPGP: try OpenPGPCertificate.all(in: exported.span))
        let verdict = try FileVerdict(of: path, by: keys, at: Signers.now + 3_600)
        #expect(verdict.kind == .cleartext && verdict.outcome == .good)
        // Ours beside it: both are known, and either alone is good.
        try Self.sign(path, signers)
        let both = try FileVerdict(of: path, by: keys, at: Signers.now + 3_600)
        #expect(both.signatures.count == 2 && both.outcome == .good)
        let ours = TrustedKeys(openPGP: [signers.owner])
        #expect(try FileVerdict(of: path, by: ours, at: Signers.now).outcome == .good)
    }
}
