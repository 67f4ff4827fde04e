// SPDX-License-Identifier: Apache-2.0

import ASN1
import Artifacts
import Cryptography
import Diagnostics
import Foundation
import SampleFiles
import Settings
import Signatures
import TestSupport
import Testing

@testable import Verification

@Suite struct PolicyTests {
    /// The blocks of TOML in the reference: those that begin with a comment are refused for it.
    static let (examples, refused): ([String], [(reason: String, text: String)]) = {
        let path = Repository.path("docs/reference/verification-policy.md")
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        let blocks = text.components(separatedBy: "```toml\n").dropFirst().map {
            $0.components(separatedBy: "```")[0]
        }
        let refused = blocks.filter { $0.hasPrefix("# ") }.map { block in
            (reason: String(block.prefix { $0 != "\n" }.dropFirst(2)), text: block)
        }
        return (blocks.filter { !$0.hasPrefix("# ") }, refused)
    }()

    /// The files that the reference's policies name.
    static let files: [String: [UInt8]] = {
        guard let one = try? Signers.made.get(), let other = try? Signers.others.get() else { return [:] }
        return [
            "release.asc": Array(one.owner.armored.utf8), "kernel.asc": Array(other.owner.armored.utf8),
            "modules.pem": Array(one.certificate.pem.utf8), "ca.pem": Array(one.authority.pem.utf8),
            "ca.crl": (try? one.revocationList().der) ?? [],
        ]
    }()

    static func policy(_ text: String) throws -> VerificationPolicy {
        try VerificationPolicy(SettingsFile(path: "farm/policy.toml", contents: Array(text.utf8))) { path in
            guard path.hasPrefix("farm/"), let file = files[String(path.dropFirst(5))] else {
                throw VerificationError(.settingsUnreadable, "\(path): there is no such file")
            }
            return file
        }
    }

    @Test func examplesAreTaken() throws {
        try #require(Self.examples.count == 3)
        for example in Self.examples { #expect(!(try Self.policy(example)).allKeys.isEmpty) }
    }

    @Test(arguments: refused.indices)
    func refuses(_ index: Int) throws {
        let (reason, text) = Self.refused[index]
        do {
            _ = try Self.policy(text)
            Issue.record("taken: \(reason)")
        } catch {
            let error = try #require(error as? any CodedError)
            #expect(error.code.category.exit == 2)
            let lines = error.message.split(separator: "\n")
            #expect(lines.count == 1 && lines[0].hasPrefix("farm/policy.toml:" + reason), "\(error.message)")
        }
    }

    @Test func allProblemsAtOnce() throws {
        let text = "version = 3\n[[trust]]\nfiles = [\"a/b\"]\nkinds = [\"none\"]\n"
        do {
            _ = try Self.policy(text)
            Issue.record("taken")
        } catch {
            #expect((error as? SettingsError)?.problems.count == 5)
        }
    }

    // MARK: What it means

    /// Each file of each signer by the second example of the reference.
    @Test(
        arguments: [
            ("hello", "a.rpm", 1, "untrusted"), ("kernel", "a.rpm", 1, "untrusted"),
            ("kernel", "a.rpm", 2, "good"),
            ("kernel-core", "k.rpm", 2, "good"), ("kernels", "a.rpm", 2, "untrusted"),
            ("", "SHA256SUMS", 1, "good"), ("", "SHA256SUMS", 2, "good"), ("", "other", 1, "untrusted"),
            ("", "x.iso", 2, "good"), ("", "module.ko", 1, "good"), ("", "module.ko", 2, "unknown"),
        ] as [(String, String, Int, String)])
    func rules(_ package: String, _ name: String, _ signer: Int, _ outcome: String) throws {
        let policy = try Self.policy(Self.examples[1])
        let signers = try signer == 1 ? Signers.made.get() : Signers.others.get()
        let folder = try TemporaryFolder()
        let path = folder.path + "/" + name
        if package.isEmpty {
            let isModule = name.hasSuffix(".ko")
            try folder.write(name, isModule ? SampleModule.bytes() : Array("a text\n".utf8))
        } else {
            var sample = SampleRPM()
            sample.name = package
            try sample.write(to: path)
        }
        try signers.sign(path)
        let verdict = try FileVerdict(of: path, by: policy, at: Signers.now)
        #expect(verdict.outcome.rawValue == outcome, "\(verdict.signatures)")
        let error = VerificationError(verdict)
        #expect((error == nil) == (outcome == "good"))
        if outcome == "untrusted" {
            #expect(error?.code == .signerNotTrusted)
            #expect(verdict.signatures.map(\.refusal) == [.notTrusted])
        }
    }

    @Test func severalSigners() throws {
        let (one, two) = (try Signers.made.get(), try Signers.others.get())
        let text = """
            version = 1
            signatures = 2
            [[trust]]
            name = "both"
            keys = ["release.asc", "kernel.asc"]
            files = ["*.txt"]
            """
        let policy = try Self.policy(text)
        let folder = try TemporaryFolder()
        let path = try folder.write("a.txt", "a text\n")
        let claim = try Artifact(reading: path).claim
        let (first, second) = (try one.sign(claim), try two.sign(claim))
        let again = try one.sign(claim, at: Signers.now - 10)
        let bad = try two.sign(Claim(.generic, .bytes([1])))
        for (signatures, outcome) in [
            (first, FileVerdict.Outcome.insufficient), (first + second, .good),
            (first + again, .insufficient),
            (first + second + bad, .refused),
        ] {
            let verdict = try FileVerdict(of: path, by: policy, at: Signers.now, detached: signatures)
            #expect(verdict.outcome == outcome)
        }
        let verdict = try FileVerdict(of: path, by: policy, at: Signers.now, detached: first)
        #expect(VerificationError(verdict)?.code == .signaturesTooFew)
        #expect(verdict.signatures.first?.name == "Farm")
    }

    /// A bad signature of somebody who is known for other files still is one too many.
    @Test func badSignatureOfAnother() throws {
        let one = try Signers.made.get()
        let policy = try Self.policy(Self.examples[1])
        let folder = try TemporaryFolder()
        let path = try folder.write("other", "a text\n")
        let bad = try one.sign(Claim(.generic, .bytes([1])))
        #expect(try FileVerdict(of: path, by: policy, at: Signers.now, detached: bad).outcome == .refused)
    }
}
