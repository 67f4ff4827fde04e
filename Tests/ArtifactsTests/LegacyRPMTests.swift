// SPDX-License-Identifier: Apache-2.0

import Cryptography
import Diagnostics
import Foundation
import SampleFiles
import Signatures
import TestSupport
import Testing

@testable import Artifacts

/// Signatures over header and payload.
@Suite(.needs(.program("rpmsign"))) struct LegacyRPMTests {
    private static func old(isSource: Bool = false) -> SampleRPM {
        var sample = SampleRPM()
        sample.hasPayloadDigest = false
        sample.isSource = isSource
        return sample
    }

    /// The midstate of a claim, finished, and what it stands for.
    private static func check(_ claim: Claim, is content: [UInt8]) throws {
        guard case .midstate(let midstate) = claim.content else {
            Issue.record("no midstate")
            return
        }
        let digest = RunningDigest(resuming: midstate).finish()
        #expect(digest == Digest(hashing: content.span, with: midstate.algorithm))
        #expect(midstate.count == UInt64(content.count))
    }

    /// A package from before rpm 4.14 gets no other signature, since one of its header would vouch for any payload.
    @Test(arguments: [GPGKeys.Key.rsa, .ed25519], [true, false])
    func signsOldPackages(_ key: GPGKeys.Key, _ isSource: Bool) throws {
        let keys = try GPGKeys.shared()
        let folder = try TemporaryFolder()
        let sample = Self.old(isSource: isSource)
        let path = try folder.write("a.rpm", sample.bytes)
        let artifact = try Artifact(reading: path, digest: .sha512)
        #expect(artifact.kind == .rpmLegacy)
        try Self.check(artifact.claim, is: sample.tail)
        let packet = try keys.sign(sample.tail, key)
        try PatchWriter(inPlace: true).apply(artifact.patch(embedding: packet))
        #expect(try keys.accepts(path))
        let lines = try keys.signatures(of: path)
        #expect(lines.count == 1 && !lines[0].contains("Header V"), "\(lines)")
        #expect(try Artifact(reading: path).signatures == [packet])
        let signed = try folder.read("a.rpm")
        var damaged = signed
        damaged[damaged.count - 1] ^= 1
        #expect(try !keys.accepts(folder.write("damaged.rpm", damaged)))
        try #require(try Artifact.patch(stripping: path)).apply()
        #expect(try folder.read("a.rpm") == sample.bytes)
    }

    /// Asked for, it stands beside the signature of the header, and each is looked for where it is.
    @Test func addsOneToANewPackage() throws {
        let keys = try GPGKeys.shared()
        let folder = try TemporaryFolder()
        let sample = SampleRPM()
        let path = try folder.write("a.rpm", sample.bytes)
        let header = try keys.sign(sample.mainHeader, .rsa)
        let whole = try keys.sign(sample.tail, .rsa)
        try Artifact(reading: path).patch(embedding: header).apply()
        let artifact = try Artifact(reading: path, as: .rpmLegacy)
        #expect(artifact.signatures.isEmpty)
        try Self.check(artifact.claim, is: sample.tail)
        try artifact.patch(embedding: whole).apply()
        #expect(try keys.accepts(path))
        #expect(try keys.signatures(of: path).count == 2)
        #expect(try Artifact(reading: path).signatures == [header])
        #expect(try Artifact(reading: path, as: .rpmLegacy).signatures == [whole])
        // Another key's needs to be asked for.
        let other = try keys.sign(sample.tail, .otherRSA)
        let error = #expect(throws: ArtifactError.self) {
            try Artifact(reading: path, as: .rpmLegacy).patch(embedding: other)
        }
        #expect(error?.code.id == "artifact-signed")
        try Artifact(reading: path, as: .rpmLegacy).patch(embedding: other, replacing: true).apply()
        #expect(try Artifact(reading: path).signatures.isEmpty)
        #expect(try keys.accepts(path))
        try #require(try Artifact.patch(stripping: path)).apply()
        #expect(try folder.read("a.rpm") == sample.bytes)
    }

    /// What rpm's own program puts in on demand is read and stripped here.
    @Test func readsWhatRPMSignWrites() throws {
        let keys = try GPGKeys.shared()
        let folder = try TemporaryFolder()
        for sample in [SampleRPM(), Self.old()] {
            let path = try folder.write("a.rpm", sample.bytes)
            try keys.rpmsign(path, .rsa, ["--rpmv3"])
            #expect(try keys.accepts(path))
            let artifact = try Artifact(reading: path, as: .rpmLegacy)
            #expect(artifact.signatures.count == 1)
            #expect(try artifact.signatures.first.map { try keys.verifies($0, sample.tail) } == true)
            try #require(try Artifact.patch(stripping: path)).apply()
            #expect(try folder.read("a.rpm") == sample.bytes)
        }
    }

    @Test func refusesADamagedPackageThatIsAskedFor() throws {
        let folder = try TemporaryFolder()
        var bytes = SampleRPM().bytes
        bytes[bytes.count - 1] ^= 1
        let path = try folder.write("a.rpm", bytes)
        let error = #expect(throws: ArtifactError.self) { try Artifact(reading: path, as: .rpmLegacy) }
        #expect(error?.code.id == "artifact-corrupt")
    }
}
