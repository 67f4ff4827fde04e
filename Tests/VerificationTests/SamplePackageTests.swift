// SPDX-License-Identifier: Apache-2.0

import Artifacts
import Foundation
import SampleFiles
import Signatures
import TestSupport
import Testing

@testable import Verification

/// The packages that `make samples` writes: of sizes as a distribution has them, and taken by rpm.
@Suite struct SamplePackageTests {
    @Test func sizes() {
        let samples = (0..<300).map { SampleRPM.ofDistribution($0) }
        #expect(samples.filter(\.isSource).count == 37)
        #expect(Set(samples.map(\.fileName)).count == 300)
        let sizes = samples.map(\.payload.count).sorted()
        // Shares of the packages of Debian 12, in thousands of bytes, give or take a half.
        for (share, thousands) in [
            (10, 7.8), (25, 18), (50, 60), (75, 302), (90, 1500), (95, 4100), (99, 26_000),
        ] as [(Int, Double)] {
            let ratio = Double(sizes[300 * share / 100]) / (1000 * thousands)
            #expect((0.5...2).contains(ratio), "\(share) of a hundred: \(sizes[300 * share / 100]) bytes")
        }
    }

    @Test func rpmTakesThem() throws {
        let folder = try TemporaryFolder()
        let paths = try stride(from: 0, to: 300, by: Trials.count(20, full: 1)).map { number in
            let sample = SampleRPM.ofDistribution(number)
            try sample.write(to: folder.path + "/" + sample.fileName)
            return folder.path + "/" + sample.fileName
        }
        let output = try Command.run(["rpmkeys", "--dbpath", folder.path + "/db", "-K"] + paths)
        #expect(output.status == 0 && output.text.split(separator: "\n").count == paths.count)
        for path in paths { #expect(try Inspection(of: path).problems.isEmpty) }
    }

    /// Packages of all sizes, signed in place: rpm takes each, a second one is the same, and stripped they are as before.
    @Test func signedAndStripped() throws {
        let signers = try Signers.made.get()
        let keys = FileVerdictTests.keys(signers)
        let folder = try TemporaryFolder()
        let rpm = ["rpmkeys", "--dbpath", folder.path + "/db"]
        try Command.check(rpm + ["--import", try folder.write("key.asc", signers.owner.armored)])
        let writer = PatchWriter(inPlace: true)
        for number in stride(from: 0, to: 300, by: Trials.count(30, full: 1)) {
            let sample = SampleRPM.ofDistribution(number)
            let names = ["1.rpm", "2.rpm"]
            for name in names {
                try sample.write(to: folder.path + "/" + name)
                let artifact = try Artifact(reading: folder.path + "/" + name)
                try writer.apply(artifact.patch(embedding: signers.sign(artifact.claim)))
            }
            let path = folder.path + "/1.rpm"
            #expect(try Command.run(["cmp", path, folder.path + "/2.rpm"]).status == 0)
            #expect(try FileVerdict(of: path, by: keys, at: Signers.now).outcome == .good)
            #expect(try Command.run(rpm + ["--define", "_pkgverify_level all", "-K", path]).status == 0)
            try writer.apply(#require(try Artifact.patch(stripping: path)))
            try sample.write(to: folder.path + "/2.rpm")
            #expect(try Command.run(["cmp", path, folder.path + "/2.rpm"]).status == 0)
        }
    }

    /// A header as large as they become, and a file of more than 32 bits' worth of bytes: signed here, taken by rpm.
    @Test(arguments: ["many files", "large"])
    func rarities(_ name: String) throws {
        let signers = try Signers.made.get()
        var sample = name == "large" ? SampleRPM.ofGreatSize : SampleRPM.ofManyFiles
        if !Trials.areFull {
            // The same in small.
            if name == "large" { sample.payload = .zeros(count: 1 << 20) } else { sample.files = 2_000 }
            sample.payload = .zeros(count: 1 << 20)
        }
        let folder = try TemporaryFolder()
        let path = folder.path + "/" + sample.fileName
        try sample.write(to: path)
        let keys = FileVerdictTests.keys(signers)
        let writer = PatchWriter(inPlace: true)
        // Nothing of the payload is held, and of a header not much more than itself a few times.
        try Effort.within(name == "large" ? 32 << 20 : 256 << 20) {
            let artifact = try Artifact(reading: path)
            try writer.apply(artifact.patch(embedding: signers.sign(artifact.claim)))
            #expect(try FileVerdict(of: path, by: keys, at: Signers.now).outcome == .good)
        }
        let rpm = ["rpmkeys", "--dbpath", folder.path + "/db"]
        try Command.check(rpm + ["--import", try folder.write("key.asc", signers.owner.armored)])
        #expect(try Command.run(rpm + ["--define", "_pkgverify_level all", "-K", path]).status == 0)
        let inspection = try Inspection(of: path)
        #expect(inspection.problems.isEmpty && inspection.signatures.count == 1)
        try writer.apply(#require(try Artifact.patch(stripping: path)))
        let again = folder.path + "/again.rpm"
        try sample.write(to: again)
        #expect(try Command.run(["cmp", path, again]).status == 0)
    }
}
