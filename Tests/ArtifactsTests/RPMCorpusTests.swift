// SPDX-License-Identifier: Apache-2.0

import Cryptography
import Diagnostics
import Foundation
import SampleFiles
import Signatures
import TestSupport
import Testing

@testable import Artifacts

/// Packages as nobody should make them.
@Suite(.needs(.program("rpmkeys"))) struct RPMCorpusTests {
    /// An OpenPGP key of this process, which rpm trusts.
    struct Signer {
        let folder: TemporaryFolder
        private let key: PrivateKey
        private let certificate: OpenPGPCertificate
        private let now = WallTime.now().seconds

        init() throws {
            folder = try TemporaryFolder()
            key = try PrivateKey.generate(.ed25519)
            certificate = try OpenPGPCertificateDraft(userID: "Corpus", key: key.publicKey, created: now - 10)
                .signed(by: SigningHandle(key, .ed25519))
            let path = try folder.write("key.asc", certificate.armored)
            try Command.check(["rpmkeys", "--dbpath", folder.path + "/db", "--import", path])
        }

        func sign(_ claim: Claim) throws -> [UInt8] {
            let signer = try certificate.signer(for: key.publicKey, at: now)
            let draft =
                switch claim.content {
                case .bytes(let bytes):
                    try OpenPGPSignatureDraft(
                        content: bytes.span, digest: .sha256, signer: signer, created: now)
                case .midstate(let midstate):
                    try OpenPGPSignatureDraft(resuming: midstate, signer: signer, created: now)
                default: throw CancellationError()
                }
            return try draft.signed(by: SigningHandle(key, .ed25519))
        }

        /// What rpm does not take of these files.
        func refused(_ paths: [String]) throws -> [String] {
            var refused: [String] = []
            for start in stride(from: 0, to: paths.count, by: 200) {
                let some = Array(paths[start..<min(start + 200, paths.count)])
                let output = try Command.run(
                    [
                        "rpmkeys", "--dbpath", folder.path + "/db", "--define", "_pkgverify_level all", "-K",
                    ] + some)
                let good = Set(
                    output.text.split(separator: "\n").filter { $0.hasSuffix(": digests signatures OK") }
                        .map { String($0.split(separator: ":")[0]) })
                refused += some.filter { !good.contains($0) }
            }
            return refused
        }
    }

    /// Each is refused without a trace, quickly, or signed so that rpm takes it, and stripped to what it was.
    @Test func signsNothingThatRPMRefuses() throws {
        try Effort.within(64 << 20) { try signsOddPackages() }
    }

    private func signsOddPackages() throws {
        let signer = try Signer()
        let folder = try TemporaryFolder()
        let mutator = RPMMutator()
        var generator = Trials.generator("rpm-corpus")
        var taken: [String: String] = [:]
        let writer = PatchWriter(inPlace: true)
        for number in 0..<Trials.count(400, full: 10_000) {
            let (bytes, words) = mutator.package(using: &generator)
            let path = try folder.write("\(number).rpm", bytes)
            let artifact = Effort.soon(words) { try? Artifact(reading: path) }
            guard let artifact, artifact.kind == .rpm || artifact.kind == .rpmLegacy,
                let patch = try? artifact.patch(embedding: signer.sign(artifact.claim))
            else {
                #expect(try folder.read("\(number).rpm") == bytes, "\(words)")
                try FileManager.default.removeItem(atPath: path)
                continue
            }
            try writer.apply(patch)
            let signed = try folder.read("\(number).rpm")
            taken[path] = words
            // Where there was no room at all, the space that was too small for a signature has gone.
            guard signed.count == bytes.count else { continue }
            let copy = try folder.write("copy.rpm", signed)
            try writer.apply(#require(try Artifact.patch(stripping: copy)))
            #expect(try folder.read("copy.rpm") == bytes, "\(words)")
        }
        for path in try signer.refused(taken.keys.sorted()) {
            let output = try Command.run(["rpmkeys", "--dbpath", signer.folder.path + "/db", "-Kv", path])
            Issue.record(
                "signed, and refused by rpm: \(taken[path] ?? ""): \(output.text)\(output.errorText)")
        }
        print("odd packages signed: \(taken.count)")
        #expect(!taken.isEmpty)
    }
}
