// SPDX-License-Identifier: Apache-2.0

import Artifacts
import Cryptography
import Diagnostics
import SampleFiles
import Signatures
import TestSupport
import Testing

@testable import Verification

@Suite struct FileVerdictTests {
    struct Sample: CustomTestStringConvertible, Sendable {
        var name: String
        var kind: SigningKind
        var testDescription: String { name }

        func write(to folder: TemporaryFolder) throws -> String {
            switch kind {
            case .rpm:
                let path = folder.path + "/" + name
                try SampleRPM().write(to: path)
                return path
            case .module: return try folder.write(name, SampleModule.bytes())
            default:
                let count = name.hasPrefix("large") ? Claim.genericContentLimit + 77 : 5_000
                return try folder.write(name, (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 13 >> 4) })
            }
        }
    }

    static let samples = [
        Sample(name: "sample.rpm", kind: .rpm), Sample(name: "sample.ko", kind: .module),
        Sample(name: "small.txt", kind: .generic), Sample(name: "large.iso", kind: .generic),
    ]

    static func keys(_ signers: Signers) -> TrustedKeys {
        TrustedKeys(openPGP: [signers.owner], certificates: [signers.certificate])
    }

    // MARK: Our own signatures

    @Test(arguments: samples, [DigestAlgorithm.sha256, .sha512])
    func saysWhoSigned(_ sample: Sample, _ digest: DigestAlgorithm) throws {
        let (signers, others) = (try Signers.made.get(), try Signers.others.get())
        let folder = try TemporaryFolder()
        let path = try sample.write(to: folder)
        func verdict(_ keys: TrustedKeys) throws -> FileVerdict {
            try FileVerdict(of: path, by: keys, at: Signers.now)
        }
        let bare = try verdict(Self.keys(signers))
        #expect(bare.outcome == .unsigned && bare.kind == sample.kind)
        #expect(VerificationError(bare)?.code.id == "signature-missing")

        try signers.sign(path, as: nil, digest)
        let good = try verdict(Self.keys(signers))
        #expect(good.outcome == .good, "\(good.signatures)")
        #expect(VerificationError(good) == nil)
        #expect(good.signatures.map(\.algorithm) == ["RSA with \(digest.rawValue)"])
        if sample.kind == .module {
            #expect(
                good.signatures.map(\.signer) == [signers.certificate.fingerprint.description.uppercased()])
        } else {
            #expect(good.signatures.map(\.created) == [Signers.now])
        }
        #expect((good.package?.name == "sample") == (sample.kind == .rpm))

        let unknown = try verdict(Self.keys(others))
        #expect(unknown.outcome == .unknown)
        #expect(VerificationError(unknown)?.code.id == "signer-unknown")
        // More keys do no harm.
        var both = Self.keys(others)
        let (owner, certificate) = (signers.owner.encoded, signers.certificate.der)
        try both.add(contentsOf: owner.span, name: "owner")
        try both.add(contentsOf: certificate.span, name: "certificate")
        #expect(try verdict(both).outcome == .good)
    }

    /// Signatures in `FILE.asc` and `FILE.sig` count alike, and one that is in both counts once.
    @Test func findsSignaturesInBothForms() throws {
        let (signers, others) = (try Signers.made.get(), try Signers.others.get())
        let folder = try TemporaryFolder()
        let path = try folder.write("image", "text")
        let claim = try Artifact(reading: path).claim
        let packets = try [signers.sign(claim), others.sign(claim)]
        for (packet, form) in [
            (packets[0], SignatureForm.binary), (packets[0], .usual), (packets[1], .usual),
        ] {
            try Artifact(reading: path, form: form).patch(embedding: packet).apply()
            let verdict = try FileVerdict(of: path, by: Self.keys(signers), at: Signers.now)
            #expect(verdict.outcome == .good)
            let inspection = try Inspection(of: path)
            #expect(inspection.signatures.count == verdict.signatures.count)
        }
        var both = Self.keys(signers)
        let owner = others.owner.encoded
        try both.add(contentsOf: owner.span, name: "other")
        let verdict = try FileVerdict(of: path, by: both, at: Signers.now)
        #expect(verdict.signatures.count == 2 && verdict.signatures.allSatisfy(\.isValid))
        let binary = try folder.read("image.sig")
        #expect(
            try FileVerdict(of: path, by: Self.keys(signers), at: Signers.now, detached: binary).signatures
                .count
                == 1)
        try folder.write("image", "other")
        let bad = try FileVerdict(of: path, by: both, at: Signers.now)
        #expect(bad.outcome == .refused && bad.signatures.allSatisfy { $0.refusal == .mismatch })
    }

    /// A signature that belongs to another content of the same kind.
    @Test(arguments: samples)
    func anothersSignatureIsRefused(_ sample: Sample) throws {
        let signers = try Signers.made.get()
        let folder = try TemporaryFolder()
        let path = try sample.write(to: folder)
        let artifact = try Artifact(reading: path)
        let wrong: Claim
        switch sample.kind {
        case .module: wrong = Claim(.module, .bytes(SampleModule.bytes(name: "other")))
        default: wrong = Claim(.generic, .bytes([1, 2, 3]))
        }
        try artifact.patch(embedding: signers.sign(wrong)).apply()
        let verdict = try FileVerdict(of: path, by: Self.keys(signers), at: Signers.now)
        #expect(verdict.outcome == .refused)
        #expect(verdict.signatures.map(\.refusal) == [.mismatch])
        let error = VerificationError(verdict)
        #expect(error?.code.id == "signature-refused" && error?.code.category.exit == 6)
    }

    /// A kernel looks at the last signature of a module, over all that is before it.
    @Test func theLastOfSeveralModuleSignaturesDecides() throws {
        let (signers, others) = (try Signers.made.get(), try Signers.others.get())
        let folder = try TemporaryFolder()
        let module = SampleModule.bytes()
        func signed(_ content: [UInt8], by signers: Signers, over other: [UInt8]? = nil) throws -> [UInt8] {
            let signature = try signers.sign(Claim(.module, .bytes(other ?? content)))
            return content + signature + [0, 0, 2, 0, 0, 0, 0, 0, 0, 0]
                + [UInt8(signature.count >> 8), UInt8(truncatingIfNeeded: signature.count)]
                + Array("~Module signature appended~\n".utf8)
        }
        let once = try signed(module, by: signers)
        let cases: [([UInt8], FileVerdict.Outcome)] = [
            (once, .good), (try signed(once, by: signers), .good), (try signed(once, by: others), .unknown),
            (try signed(signed(module, by: others), by: signers), .good),
            // Behind another one, over the module alone: no kernel takes that.
            (try signed(once, by: signers, over: module), .refused),
        ]
        for (file, outcome) in cases {
            let path = try folder.write("a.ko", file)
            #expect(try FileVerdict(of: path, by: Self.keys(signers), at: Signers.now).outcome == outcome)
        }
    }

    /// One changed byte of the content, wherever it is, is never overlooked.
    @Test(arguments: samples)
    func changedContentIsNeverGood(_ sample: Sample) throws {
        var random = Trials.generator("changed content")
        let signers = try Signers.made.get()
        let folder = try TemporaryFolder()
        let path = try sample.write(to: folder)
        try signers.sign(path)
        let signed = try folder.read(sample.name)
        // An RPM's lead and the room for signatures are covered by nothing.
        let start = sample.kind == .rpm ? 8 * 1024 : 0
        let end = sample.kind == .module ? SampleModule.bytes().count : signed.count
        for _ in 0..<Trials.count(sample.kind == .rpm ? 10 : 5, full: 300) {
            var bytes = signed
            bytes[Int.random(in: min(start, end - 1)..<end, using: &random)] ^=
                1 << UInt8.random(in: 0...7, using: &random)
            try folder.write(sample.name, bytes)
            let verdict = try? FileVerdict(
                of: path, as: sample.kind, by: Self.keys(signers), at: Signers.now)
            #expect(verdict?.outcome != .good)
        }
    }

    @Test func timesCount() throws {
        let signers = try Signers.made.get()
        let folder = try TemporaryFolder()
        let path = try Self.samples[2].write(to: folder)
        try signers.sign(path)
        let early = try FileVerdict(of: path, by: Self.keys(signers), at: Signers.now - 3_600)
        #expect(early.signatures.map(\.refusal) == [.fromFuture])
        #expect(early.outcome == .refused)
    }

    /// One signature of a known key is enough, and a known one that does not hold is one too many.
    @Test func severalSignatures() throws {
        let (signers, others) = (try Signers.made.get(), try Signers.others.get())
        let folder = try TemporaryFolder()
        let path = try Self.samples[2].write(to: folder)
        let claim = try Artifact(reading: path).claim
        let (one, two) = (try signers.sign(claim), try others.sign(claim))
        let bad = try signers.sign(Claim(.generic, .bytes([1])))
        func outcome(_ signatures: [UInt8], _ keys: TrustedKeys) throws -> FileVerdict.Outcome {
            try FileVerdict(of: path, by: keys, at: Signers.now, detached: signatures).outcome
        }
        #expect(try outcome(one + two, Self.keys(signers)) == .good)
        #expect(try outcome(one + two, Self.keys(others)) == .good)
        #expect(try outcome(one + two, TrustedKeys()) == .unknown)
        #expect(try outcome(one + bad, Self.keys(signers)) == .refused)
        #expect(try outcome(two + bad, Self.keys(others)) == .good)
        #expect(try outcome(Array(OpenPGPArmor.signature.encode(one).utf8), Self.keys(signers)) == .good)
        #expect(throws: SignaturesError.self) { try outcome([1, 2, 3], Self.keys(signers)) }
    }

    // MARK: Signatures of others

    /// GnuPG's signature of a large file, made with another hash function than the one that is tried first.
    @Test(arguments: ["SHA256", "SHA384", "SHA512"], ["small.txt", "large.iso"])
    func gpgSigns(_ digest: String, _ name: String) throws {
        let folder = try TemporaryFolder()
        let path = try Sample(name: name, kind: .generic).write(to: folder)
        let gpg = ["gpg", "--homedir", folder.path, "--batch", "--quiet", "--passphrase", ""]
        defer { _ = try? Command.run(["gpgconf", "--homedir", folder.path, "--kill", "all"]) }
        try Command.check(gpg + ["--quick-generate-key", "Q <q@x>", "ed25519", "sign,cert", "never"])
        try Command.check(gpg + ["--digest-algo", digest, "--armor", "--detach-sign", path])
        let exported = try Command.check(gpg + ["--export"]).stdout
        var keys = TrustedKeys()
        try keys.add(contentsOf: exported.span, name: "exported")
        let verdict = try FileVerdict(of: path, by: keys, at: Signers.now + 3_600)
        #expect(verdict.outcome == .good)
        #expect(verdict.signatures.map(\.algorithm) == ["EdDSA with \(digest.lowercased())"])
    }

    /// Signatures over text, made by GnuPG, also where the file is too large to be claimed whole: line ends may become
    /// others, and content not. A file with a lone carriage return is no text.
    @Test(arguments: ["SHA256", "SHA512"], [40, 30_000])
    func gpgSignsText(_ digest: String, _ lines: Int) throws {
        let folder = try TemporaryFolder()
        let text = (0..<lines).map { "line \($0) of a text with white space at its end \t\n" }.joined()
        let path = try folder.write("text", text)
        #expect((text.utf8.count > Claim.genericContentLimit) == (lines > 1000))
        let gpg = ["gpg", "--homedir", folder.path, "--batch", "--quiet", "--passphrase", ""]
        defer { _ = try? Command.run(["gpgconf", "--homedir", folder.path, "--kill", "all"]) }
        try Command.check(gpg + ["--quick-generate-key", "Q <q@x>", "ed25519", "sign,cert", "never"])
        try Command.check(
            gpg + ["--digest-algo", digest, "--textmode", "--armor", "--output", path + ".asc"]
                + ["--detach-sign", path])
        let exported = try Command.check(gpg + ["--export"]).stdout
        var keys = TrustedKeys()
        try keys.add(contentsOf: exported.span, name: "exported")
        func refusals() throws -> [SignatureVerdict.Refusal?] {
            try FileVerdict(of: path, as: .generic, by: keys, at: Signers.now + 3_600).signatures.map(
                \.refusal)
        }
        #expect(try refusals() == [nil])
        try folder.write("text", text.replacing("\n", with: "\r\n"))
        #expect(try refusals() == [nil])
        try folder.write("text", text + "one more")
        #expect(try refusals() == [.mismatch])
        try folder.write("text", text + "\r")
        #expect(try refusals() == [.unsupported])
        try folder.write("text", text.replacing("7", with: "8"))
        #expect(try refusals() == [.mismatch])
    }
}
