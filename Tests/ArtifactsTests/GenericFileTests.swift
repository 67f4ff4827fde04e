// SPDX-License-Identifier: Apache-2.0

import Cryptography
import Diagnostics
import Foundation
import SampleFiles
import Signatures
import TestSupport
import Testing

@testable import Artifacts

@Suite struct GenericFileTests {
    @Test(arguments: [GPGKeys.Key.rsa, .ed25519])
    func writesASignatureBesideTheFile(_ key: GPGKeys.Key) throws {
        let keys = try GPGKeys.shared()
        let folder = try TemporaryFolder()
        let text = Array("one\ntwo  \r\n".utf8)
        let path = try folder.write("SHA256SUMS", text, mode: 0o644)
        let artifact = try Artifact(reading: path)
        #expect(artifact.kind == .generic)
        #expect(artifact.claim.content == .bytes(text))
        let packet = try keys.sign(text, key)
        let patch = try artifact.patch(embedding: packet)
        #expect(patch.target == path + ".asc")
        try patch.apply()
        #expect(try keys.verifies(path + ".asc", path))
        #expect(try Command.check(["stat", "-c", "%a", path + ".asc"]).text == "644\n")
        #expect(try Artifact(reading: path).signatures == [packet])
        #expect(try folder.read("SHA256SUMS") == text)

        try folder.write("SHA256SUMS", text + [0x20])
        #expect(try !keys.verifies(path + ".asc", path))
        try #require(try Artifact.patch(stripping: path)).apply()
        #expect(!FileManager.default.fileExists(atPath: path + ".asc"))
        #expect(try Artifact.patch(stripping: path) == nil)
    }

    /// Each key signs once, and the others' signatures stay as they are, also when it signs anew.
    @Test(arguments: [SignatureForm.usual, .binary])
    func severalSigners(_ form: SignatureForm) throws {
        let keys = try GPGKeys.shared()
        let folder = try TemporaryFolder()
        let text = Array("one\ntwo\n".utf8)
        let path = try folder.write("image", text)
        let target = path + (form == .usual ? ".asc" : ".sig")
        func add(_ packet: [UInt8], replacing: Bool = false) throws {
            let patch = try Artifact(reading: path, form: form).patch(embedding: packet, replacing: replacing)
            #expect(patch.target == target)
            try patch.apply()
        }
        var packets = try [GPGKeys.Key.rsa, .otherRSA, .ed25519].map { try keys.sign(text, $0) }
        for (number, packet) in packets.enumerated() {
            try add(packet)
            #expect(
                try Artifact(reading: path, form: form).signatures == Array(packets[...number]),
                "\(number)")
            #expect(try keys.goodSignatures(target, path) == number + 1)
        }
        #expect(try folder.read("image" + target.suffix(4)).starts(with: packets[0]) == (form == .binary))
        // Made anew, the first one is the last.
        var first = packets[0]
        for replacing in [false, true] {
            let again = try keys.sign(text, .rsa)
            try add(again, replacing: replacing)
            packets = packets.filter { $0 != first } + [again]
            first = again
            #expect(try Artifact(reading: path, form: form).signatures == packets, "\(replacing)")
            #expect(try keys.goodSignatures(target, path) == 3)
        }
        try folder.write("image", text + [0x20])
        #expect(try keys.goodSignatures(target, path) == 0)
        try #require(try Artifact.patch(stripping: path, form: form)).apply()
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["image"])
        #expect(try Artifact.patch(stripping: path, form: form) == nil)
    }

    /// What gpg signed before stays byte for byte beside a second signature.
    @Test(arguments: [SignatureForm.usual, .binary])
    func keepsAForeignSignature(_ form: SignatureForm) throws {
        let keys = try GPGKeys.shared()
        let folder = try TemporaryFolder()
        let path = try folder.write("file", "content")
        try keys.gpg((form == .usual ? ["--armor"] : []) + ["-u", "rsa", "--detach-sign", path])
        let name = form == .usual ? "file.asc" : "file.sig"
        let theirs = try #require(try Artifact(reading: path, form: form).signatures.first)
        if form == .binary { #expect(try folder.read(name) == theirs) }
        let ours = try keys.sign(Array("content".utf8), .ed25519)
        try Artifact(reading: path, form: form).patch(embedding: ours).apply()
        #expect(try Artifact(reading: path, form: form).signatures == [theirs, ours])
        #expect(try keys.goodSignatures(folder.path + "/" + name, path) == 2)
    }

    /// One form says nothing about the other, and other kinds know no such form.
    @Test func binaryFormIsForPlainFiles() throws {
        let keys = try GPGKeys.shared()
        let folder = try TemporaryFolder()
        let path = try folder.write("file", "content")
        let packet = try keys.sign(Array("content".utf8), .rsa)
        try Artifact(reading: path, form: .binary).patch(embedding: packet).apply()
        #expect(try Artifact(reading: path).signatures.isEmpty)
        #expect(try Artifact.signatures(of: path, as: .generic, form: .binary) == [packet])
        #expect(try Artifact.patch(stripping: path) == nil)
        // The signature itself is none that is signed; what is only called so is.
        let error = #expect(throws: ArtifactError.self) { try Artifact(reading: path + ".sig") }
        #expect(error?.code.id == "artifact-unrecognised")
        let notes = try folder.write("notes.sig", "notes")
        #expect(try Artifact(reading: notes, form: .binary).kind == .generic)
        try SampleRPM().write(to: folder.path + "/a.rpm")
        let module = try folder.write("a.ko", SampleModule.bytes())
        for path in [folder.path + "/a.rpm", module] {
            let error = #expect(throws: ArtifactError.self) { try Artifact(reading: path, form: .binary) }
            #expect(error?.code.id == "artifact-unsupported")
        }
        #expect(throws: ArtifactError.self) { try Artifact(reading: path, as: .cms, form: .binary) }
    }

    @Test func readsWhatGPGWrites() throws {
        let keys = try GPGKeys.shared()
        let folder = try TemporaryFolder()
        let path = try folder.write("file", Array("content".utf8))
        try keys.gpg(["--armor", "-u", "rsa", "--detach-sign", path])
        let packet = try #require(try Artifact(reading: path).signatures.first)
        let text = OpenPGPArmor.signature.encode(packet)
        #expect(try Array(text.utf8) == folder.read("file.asc"))
    }

    /// Up to a MiB the content is claimed, beyond that where its digest stands.
    @Test func claimsLargeFilesByAMidstate() throws {
        let folder = try TemporaryFolder()
        let small = [UInt8](repeating: 7, count: 1 << 20)
        #expect(try Artifact(reading: folder.write("small", small)).claim.content == .bytes(small))
        let large = small + [7]
        let path = try folder.write("large", large)
        for algorithm in [DigestAlgorithm.sha256, .sha512] {
            guard case .midstate(let midstate) = try Artifact(reading: path, digest: algorithm).claim.content
            else {
                Issue.record("no midstate")
                return
            }
            #expect(
                RunningDigest(resuming: midstate).finish() == Digest(hashing: large.span, with: algorithm))
            let facts = try Claim(.generic, .midstate(midstate)).facts()
            #expect(facts.isBlind)
            #expect(facts.size == UInt64(large.count))
        }
        #expect(throws: ArtifactError.self) { try Claim(.generic, .bytes(large)).facts() }
        var short = RunningDigest(.sha256)
        short.update(small.span.extracting(first: 63))
        let midstate = try short.midstate()
        #expect(throws: ArtifactError.self) { try Claim(.generic, .midstate(midstate)).facts() }
    }

    @Test func leavesSignaturesAlone() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("x.asc", "-----BEGIN PGP SIGNATURE-----\n\nAAAA\n")
        let error = #expect(throws: ArtifactError.self) { try Artifact(reading: path) }
        #expect(error?.code.id == "artifact-unrecognised")
    }

    @Test func refusesToOverwriteWhatIsNoSignature() throws {
        let keys = try GPGKeys.shared()
        let folder = try TemporaryFolder()
        let path = try folder.write("file", [1])
        try folder.write("file.asc", "notes")
        let packet = try keys.sign([1], .rsa)
        let error = #expect(throws: ArtifactError.self) {
            try Artifact(reading: path).patch(embedding: packet)
        }
        #expect(error?.code.id == "artifact-signed")
        // Not even when signatures are to be replaced, or taken away.
        #expect(throws: ArtifactError.self) {
            try Artifact(reading: path).patch(embedding: packet, replacing: true)
        }
        #expect(throws: ArtifactError.self) { try Artifact.patch(stripping: path) }
        #expect(try folder.read("file.asc") == Array("notes".utf8))
        try FileManager.default.removeItem(atPath: path + ".asc")
        for other in ["folder", "link"] {
            if other == "folder" {
                try FileManager.default.createDirectory(
                    atPath: path + ".asc", withIntermediateDirectories: false)
            } else {
                try FileManager.default.removeItem(atPath: path + ".asc")
                try FileManager.default.createSymbolicLink(
                    atPath: path + ".asc", withDestinationPath: "file")
            }
            let error = #expect(throws: ArtifactError.self) {
                try Artifact(reading: path).patch(embedding: packet, replacing: true)
            }
            #expect(error?.code.id == "artifact-unwritable", "\(other)")
        }
        #expect(try folder.read("file") == [1])
    }

    // MARK: Other folders and links

    /// What lies in the other folder counts, and not what lies beside the file.
    @Test func writesIntoAnotherFolder() throws {
        let keys = try GPGKeys.shared()
        let folder = try TemporaryFolder()
        let out = try TemporaryFolder()
        let path = try folder.write("file", "text")
        try folder.write("file.asc", "notes")
        let text = Array("text".utf8)
        let first = try keys.sign(text, .rsa)
        let patch = try Artifact(reading: path, signaturesIn: out.path).patch(embedding: first)
        #expect(patch.target == out.path + "/file.asc")
        try patch.apply()
        #expect(try keys.verifies(patch.target, path))
        #expect(try folder.read("file.asc") == Array("notes".utf8))
        #expect(try Artifact(reading: path, signaturesIn: out.path).signatures == [first])
        #expect(try Artifact.signatures(of: path, as: .generic, in: out.path) == [first])
        #expect(try Artifact.signatures(of: path, as: .generic).isEmpty)
        let other = try keys.sign(text, .otherRSA)
        try Artifact(reading: path, signaturesIn: out.path).patch(embedding: other).apply()
        #expect(try Artifact(reading: path, signaturesIn: out.path).signatures == [first, other])
        try #require(try Artifact.patch(stripping: path, signaturesIn: out.path)).apply()
        #expect(try FileManager.default.contentsOfDirectory(atPath: out.path).isEmpty)
        let missing = try Artifact(reading: path, signaturesIn: out.path + "/none").patch(embedding: first)
        #expect(throws: ArtifactError.self) { try missing.apply() }
    }

    static let moments: [String] = ["appeared", "changed", "replaced", "gone"]

    /// What comes to lie in the signature's place after the patch was made is left alone, whatever writes here.
    @Test(arguments: moments, PatchTests.abilities)
    func neverOverwritesWhatCameMeanwhile(_ change: String, _ abilities: FileAbilities) throws {
        let keys = try GPGKeys.shared()
        let folder = try TemporaryFolder()
        let path = try folder.write("file", "text")
        let packet = try keys.sign(Array("text".utf8), .rsa)
        if change != "appeared" { try Artifact(reading: path).patch(embedding: packet).apply() }
        let patch = try Artifact(reading: path).patch(embedding: packet)
        switch change {
        case "changed": try Command.check(["sh", "-c", "printf x >> \"$0\"", path + ".asc"])
        case "gone": try FileManager.default.removeItem(atPath: path + ".asc")
        default:
            try folder.write("new", "another's")
            try Command.check(["mv", folder.path + "/new", path + ".asc"])
        }
        let before = try? folder.read("file.asc")
        let error = #expect(throws: ArtifactError.self) { try PatchWriter(abilities).apply(patch) }
        #expect(error?.code.id == "artifact-changed")
        #expect((try? folder.read("file.asc")) == before)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.path).count == (before == nil ? 1 : 2))
    }

    @Test func waitsForTheLockOfTheSignature() throws {
        let keys = try GPGKeys.shared()
        let folder = try TemporaryFolder()
        let path = try folder.write("file", "text")
        let packet = try keys.sign(Array("text".utf8), .rsa)
        try Artifact(reading: path).patch(embedding: packet).apply()
        let before = try folder.read("file.asc")
        let patch = try Artifact(reading: path).patch(embedding: packet)
        let held = unsafe open(path + ".asc", O_RDONLY | O_CLOEXEC)
        #expect(flock(held, LOCK_EX) == 0)
        let error = #expect(throws: ArtifactError.self) { try patch.apply(patience: .milliseconds(20)) }
        #expect(error?.code.id == "artifact-busy")
        #expect(try folder.read("file.asc") == before)
        close(held)
        try patch.apply()
    }

    /// The signature of a link belongs to the file that it names, and is told to lie there.
    @Test func signsBesideWhatALinkNames() throws {
        let keys = try GPGKeys.shared()
        let folder = try TemporaryFolder()
        let out = try TemporaryFolder()
        try FileManager.default.createDirectory(
            atPath: folder.path + "/pool", withIntermediateDirectories: false)
        let real = try folder.write("pool/image-1.0.iso", "text")
        let link = folder.path + "/latest.iso"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "pool/image-1.0.iso")
        let packet = try keys.sign(Array("text".utf8), .rsa)
        let patch = try Artifact(reading: link).patch(embedding: packet)
        let resolved = try Command.check(["realpath", real]).text.filter { $0 != "\n" }
        #expect(patch.target == resolved + ".asc")
        try patch.apply()
        #expect(try keys.verifies(patch.target, link))
        let elsewhere = try Artifact(reading: link, signaturesIn: out.path).patch(embedding: packet)
        #expect(elsewhere.target == out.path + "/image-1.0.iso.asc")
        try elsewhere.apply()
        #expect(try keys.verifies(elsewhere.target, link))
    }
}

extension GPGKeys {
    func verifies(_ signature: [UInt8], _ content: [UInt8]) throws -> Bool {
        let folder = try TemporaryFolder()
        return try verifies(folder.write("signature", signature), folder.write("content", content))
    }

    /// How many good signatures gpgv finds, which are as many as sqv counts; none when one is bad.
    func goodSignatures(_ signature: String, _ file: String) throws -> Int {
        let ring = folder.path + "/ring.gpg"
        let output = try Command.run(["gpgv", "--status-fd", "1", "--keyring", ring, signature, file])
        let count =
            output.status == 0 ? output.text.split(separator: "\n").count { $0.contains("GOODSIG") } : 0
        for number in count...count + 1 where number > 0 {
            let verdict = try Command.run([
                "sqv", "--keyring", ring, "--signatures", "\(number)", signature, file,
            ])
            #expect((verdict.status == 0) == (number == count), "\(verdict.errorText)")
        }
        return count
    }

    func verifies(_ signature: String, _ file: String) throws -> Bool {
        (try? gpg(["--verify", signature, file])) != nil
    }
}
