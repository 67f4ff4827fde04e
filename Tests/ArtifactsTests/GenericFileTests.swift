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

        // The same key's signature gives way, another's only when asked.
        try Artifact(reading: path).patch(embedding: keys.sign(text, key)).apply()
        let other = try keys.sign(text, .otherRSA)
        let error = #expect(throws: ArtifactError.self) {
            try Artifact(reading: path).patch(embedding: other)
        }
        #expect(error?.code.id == "artifact-signed")
        try Artifact(reading: path).patch(embedding: other, replacing: true).apply()
        #expect(try keys.verifies(path + ".asc", path))

        try folder.write("SHA256SUMS", text + [0x20])
        #expect(try !keys.verifies(path + ".asc", path))
        try #require(try Artifact.patch(stripping: path)).apply()
        #expect(!FileManager.default.fileExists(atPath: path + ".asc"))
        #expect(try Artifact.patch(stripping: path) == nil)
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
        #expect(try folder.read("file.asc") == Array("notes".utf8))
    }
}

extension GPGKeys {
    func verifies(_ signature: String, _ file: String) throws -> Bool {
        (try? gpg(["--verify", signature, file])) != nil
    }
}
