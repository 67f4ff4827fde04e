// SPDX-License-Identifier: Apache-2.0

import Artifacts
import Cryptography
import Foundation
import SampleFiles
import Signatures
import TestSupport
import Testing

@testable import Verification

/// What is told of files that are no packages, beside what other programs say of the same.
@Suite struct KindInspectionTests {
    private static func digest(_ inspection: Inspection, of subject: String, _ algorithm: String = "sha256")
        throws
        -> Inspection.FileDigest
    {
        try #require(inspection.digests.first { $0.subject == subject && $0.algorithm == algorithm })
    }

    /// Every file has its own digest, as others compute it.
    private static func checkWhole(_ inspection: Inspection) throws {
        let theirs = try Command.check(["sha256sum", inspection.path]).text.prefix(64)
        let whole = try digest(inspection, of: "file")
        #expect(whole.value == theirs && whole.state == .computed)
    }

    private static func objections(_ inspection: Inspection, _ name: String) throws -> [String] {
        try #require(inspection.targets.first { $0.name.contains(name) }).objections
    }

    // MARK: Modules

    @Test(.needs(.program("modinfo"))) func modules() throws {
        let signers = try Signers.made.get()
        let folder = try TemporaryFolder()
        let bare = SampleModule.bytes()
        let path = try folder.write("a.ko", bare)
        let unsigned = try Inspection(of: path)
        #expect(unsigned.signatures.isEmpty && unsigned.targets.isEmpty)
        #expect(unsigned.claim == "the module of \(bare.count) bytes without what stands behind it")
        try signers.sign(path)
        let inspection = try Inspection(of: path)
        #expect(inspection.kind == .module && inspection.name != nil && inspection.version != nil)
        #expect(inspection.signatures.map(\.algorithm) == ["RSA with sha256"])
        #expect(inspection.signatures.allSatisfy { !$0.isValid } && inspection.problems.isEmpty)
        #expect(inspection.claim == unsigned.claim)
        #expect(
            try Self.digest(inspection, of: "module").value
                == Digest(hashing: bare.span, with: .sha256).description)
        #expect(inspection.targets.count == 3 && inspection.targets.allSatisfy(\.accepts))
        try Self.checkWhole(inspection)
    }

    /// A signature with attributes, as some services make it: told of, and that kernels do not take it.
    @Test func modulesWithAttributes() throws {
        let signers = try Signers.made.get()
        let folder = try TemporaryFolder()
        let bare = SampleModule.bytes()
        let path = try folder.write("a.ko", bare)
        let key = try folder.write("key.pem", signers.pem(for: .module))
        let certificate = try folder.write("cert.pem", signers.certificate.pem)
        func sign(_ options: [String]) throws -> [UInt8] {
            try Command.check(
                ["openssl", "cms", "-sign", "-binary", "-nocerts", "-inkey", key, "-signer", certificate]
                    + options + ["-in", path, "-outform", "DER"]
            ).stdout
        }
        for (options, isTaken, isRead) in [
            (["-noattr", "-nosmimecap", "-md", "sha256"], true, true), (["-md", "sha256"], false, false),
            (["-noattr", "-md", "sha1"], true, false),
        ] {
            let inspection = try Inspection(of: path, as: .module, detached: sign(options))
            #expect(inspection.targets.count == 3, "\(options)")
            #expect(inspection.targets.allSatisfy { $0.accepts == isTaken }, "\(options)")
            #expect(inspection.problems.isEmpty == isRead, "\(inspection.problems)")
        }
    }

    /// What is said of Debian's kernel stands in its configuration, and its own modules are taken.
    @Test func debiansKernel() throws {
        let ecdsa = try Signers(ecdsa: true)
        let folder = try TemporaryFolder()
        let path = try folder.write("a.ko", SampleModule.bytes())
        try ecdsa.sign(path)
        let inspection = try Inspection(of: path)
        #expect(inspection.signatures.map(\.algorithm) == ["ECDSA with sha256"])
        #expect(try Self.objections(inspection, "Debian 12") == ["a signature by ECDSA"])
        #expect(try Self.objections(inspection, "from 5.13") == [])
        let module = try #require(try DebianFiles.modules().first)
        let theirs = try Inspection(of: module)
        #expect(theirs.signatures.count == 1 && theirs.targets.allSatisfy(\.accepts))
        let boot = DebianFiles.folder + "/modules/tree/boot"
        let name = try #require(
            try FileManager.default.contentsOfDirectory(atPath: boot).first { $0.hasPrefix("config-6.1.") })
        let configuration = try String(contentsOfFile: boot + "/" + name, encoding: .utf8)
        #expect(configuration.contains("# CONFIG_CRYPTO_ECDSA is not set"))
        #expect(
            configuration.contains("CONFIG_CRYPTO_SHA256=y") && configuration.contains("CONFIG_CRYPTO_RSA=y"))
    }

    // MARK: Images

    @Test(.needs(.program("sbverify"))) func images() throws {
        let signers = try Signers.made.get()
        let folder = try TemporaryFolder()
        let path = try folder.write("a.efi", SampleImage().bytes)
        let bare = try Inspection(of: path)
        #expect(bare.signatures.isEmpty && bare.targets.allSatisfy(\.accepts) && bare.problems.isEmpty)
        #expect(bare.facts.contains { $0.name == "sbat" && $0.value == "sample 3" })
        #expect(bare.facts.contains { $0.name == "section" && $0.value == ".text, 1024 bytes" })
        #expect(bare.facts.contains { $0.name == "checksum" && $0.value == "none" })
        let value = try Self.digest(bare, of: "image as firmware hashes it").value
        #expect(bare.claim == "attributes with the digest of the image, sha256 \(value)")
        // Another program comes to the same digest.
        let verified = try Command.run(["osslsigncode", "verify", "-in", path])
        #expect(
            !verified.text.contains("Calculated message digest") || verified.text.contains(value.uppercased())
        )

        try signers.sign(path)
        let signed = try Inspection(of: path)
        #expect(signed.signatures.count == 1 && signed.targets.allSatisfy(\.accepts))
        let named = try Self.digest(signed, of: "image, in a signature")
        #expect(named.value == value && named.state == .good)
        #expect(signed.facts.contains { $0.name == "checksum" && $0.value == "right" })
        #expect(signed.facts.contains { $0.name == "certificate" && $0.value.contains("Images") })
        let text = try Command.run(["osslsigncode", "verify", "-in", path]).text
        #expect(text.contains(value.uppercased()), "\(text)")
        try Self.checkWhole(signed)

        var bytes = try folder.read("a.efi")
        bytes[1024] ^= 1
        let changed = try Inspection(of: folder.write("b.efi", bytes))
        #expect(try Self.digest(changed, of: "image, in a signature").state == .bad)
        #expect(changed.facts.contains { $0.name == "checksum" && $0.value == "wrong" })
    }

    /// Who does not take an image, and that osslsigncode, as it is here, does not.
    @Test(.needs(.program("osslsigncode"))) func imageTargets() throws {
        let (signers, others) = (try Signers.made.get(), try Signers.others.get())
        let folder = try TemporaryFolder()
        let root = try folder.write("root.pem", signers.authority.pem)
        let path = folder.path + "/a.efi"
        func takes() throws -> Bool {
            try Command.run(["osslsigncode", "verify", "-in", path, "-CAfile", root]).status == 0
        }
        var gap = SampleImage()
        gap.sections[1].gap = 512
        var bare = SampleImage()
        bare.sbat = nil
        var trailing = SampleImage()
        trailing.trailing = [1, 2, 3]
        var reversed = SampleImage()
        reversed.isReversed = true
        for (image, objections) in [
            (SampleImage(), []), (gap, ["gaps between its sections"]), (trailing, []), (reversed, []),
        ] as [(SampleImage, [String])] {
            try folder.write("a.efi", image.bytes)
            try signers.sign(path)
            let inspection = try Inspection(of: path)
            #expect(try Self.objections(inspection, "osslsigncode") == objections)
            #expect(try takes() == objections.isEmpty)
        }
        try folder.write("a.efi", bare.bytes)
        #expect(try Self.objections(Inspection(of: path), "shim") == ["no .sbat section"])
        try signers.sign(path)
        try others.sign(path)
        let inspection = try Inspection(of: path)
        #expect(inspection.signatures.count == 2)
        #expect(try Self.objections(inspection, "osslsigncode") == ["more than one signature"] && !takes())
        #expect(try Self.objections(inspection, "firmware") == [])
    }

    /// By a longer key and digest, which not all firmware knows.
    @Test(.needs(.program("sbsign"))) func imagesOfLongKeys() throws {
        let folder = try TemporaryFolder()
        let (key, certificate) = (folder.path + "/key.pem", folder.path + "/cert.pem")
        try Command.check([
            "openssl", "req", "-x509", "-newkey", "rsa:3072", "-nodes", "-keyout", key, "-out", certificate,
            "-subj", "/CN=Long", "-days", "10", "-sha256",
        ])
        let bare = try folder.write("bare.efi", SampleImage().bytes)
        let path = folder.path + "/a.efi"
        try Command.check(["sbsign", "--key", key, "--cert", certificate, "--output", path, bare])
        let inspection = try Inspection(of: path)
        #expect(inspection.signatures.map(\.algorithm) == ["RSA with sha256"])
        #expect(try Self.objections(inspection, "firmware").count == 1)
    }

    // MARK: Files and texts

    @Test func documents() throws {
        let signers = try Signers.made.get()
        let folder = try TemporaryFolder()
        let path = try folder.write("a.txt", "a text\n")
        try signers.sign(path)
        let inspection = try Inspection(of: path)
        #expect(inspection.kind == .generic && inspection.signatures.map(\.created) == [Signers.now])
        #expect(inspection.claim == "the 7 bytes of the file as they are")
        #expect(inspection.targets.count == 2 && inspection.targets.allSatisfy(\.accepts))
        try Self.checkWhole(inspection)
        let large = try folder.write("large", [UInt8](repeating: 7, count: Claim.genericContentLimit + 1))
        #expect(try Inspection(of: large).claim?.hasSuffix(", by their hash") == true)
    }

    @Test func texts() throws {
        let signers = try Signers.made.get()
        let folder = try TemporaryFolder()
        let path = try folder.write("InRelease", "one  \ntwo\n")
        try signers.sign(path)
        let inspection = try Inspection(of: path)
        #expect(inspection.kind == .cleartext && inspection.signatures.count == 1)
        #expect(inspection.claim?.hasPrefix("the text of ") == true)
        let hashed = Array("one\r\ntwo".utf8)
        #expect(
            try Self.digest(inspection, of: "text as it is signed").value
                == Digest(hashing: hashed.span, with: .sha256).description)
        #expect(inspection.targets.count == 3 && inspection.targets.allSatisfy(\.accepts))
        try Self.checkWhole(inspection)
    }

    /// GnuPG's signatures over SHA-1 and SHA-256: what is said of gpgv and sqv is what they do.
    @Test(arguments: ["SHA1", "RIPEMD160", "SHA224", "SHA256"]) func weakDigests(_ digest: String) throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("file", "text\n")
        let gpg = ["gpg", "--homedir", folder.path, "--batch", "--quiet", "--passphrase", ""]
        defer { _ = try? Command.run(["gpgconf", "--homedir", folder.path, "--kill", "all"]) }
        try Command.check(gpg + ["--quick-generate-key", "Q <q@x>", "rsa2048", "sign,cert", "never"])
        let ring = try folder.write("ring.gpg", try Command.check(gpg + ["--export"]).stdout)
        let signature = folder.path + "/elsewhere"
        try Command.check(gpg + ["--digest-algo", digest, "--output", signature, "--detach-sign", path])
        let inspection = try Inspection(of: path, detached: folder.read("elsewhere"))
        #expect(inspection.kind == .generic && inspection.signatures.count == 1)
        for (name, program) in [("gpgv", "gpgv"), ("sqv", "sqv")] {
            let takes = try Command.run([program, "--keyring", ring, signature, path]).status == 0
            #expect(try Self.objections(inspection, name).isEmpty == takes, "\(name), \(digest)")
        }
    }

    // MARK: CMS

    @Test func contents() throws {
        let signers = try Signers.made.get()
        let folder = try TemporaryFolder()
        let path = try folder.write("a.bin", "content")
        try signers.sign(path, as: .cms)
        // Nobody has to say what it is.
        let inspection = try Inspection(of: path)
        #expect(inspection.kind == .cms && inspection.signatures.map(\.created) == [Signers.now])
        let value = try Self.digest(inspection, of: "file").value
        #expect(inspection.claim == "attributes with the digest of the file, sha256 \(value)")
        let named = try Self.digest(inspection, of: "file, in its signature")
        #expect(named.value == value && named.state == .good)
        #expect(inspection.targets.map(\.accepts) == [true])
        try Self.checkWhole(inspection)
        let root = try folder.write("root.pem", signers.authority.pem)
        try Command.check([
            "openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", path + ".p7s", "-content", path,
            "-CAfile", root, "-out", "/dev/null",
        ])
        // The signature of another file beside it.
        let signature = try folder.read("a.bin.p7s")
        let other = try Inspection(of: folder.write("b.bin", "other"), detached: signature)
        #expect(other.kind == .cms)
        #expect(try Self.digest(other, of: "file, in its signature").state == .bad)
    }
}
