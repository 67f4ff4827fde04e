// SPDX-License-Identifier: Apache-2.0

import Bytes
import Cryptography
import Diagnostics
import Foundation
import SampleFiles
import Signatures
import TestSupport
import Testing

@testable import Artifacts

/// Files with spoiled fields and parts: refused, and left as they are, or signed so that other programs take them.
@Suite struct MalformedTests {
    static let count = Trials.count(200, full: 10_000)

    @Test(.needs(.program("sbverify"))) func images() throws {
        try Effort.within(64 << 20) { try spoiltImages() }
    }

    private func spoiltImages() throws {
        let (signer, other) = (try ImageSigner.made.get(), try ImageSigner.other.get())
        var mutator = Mutator(Trials.generator("malformed images"))
        let folder = try TemporaryFolder()
        var samples = [SampleImage(), SampleImage(), SampleImage()].map(\.bytes)
        var narrow = SampleImage()
        narrow.isWide = false
        narrow.trailing = Array("tail".utf8)
        samples.append(narrow.bytes)
        let signedPath = try folder.write("signed.efi", SampleImage().bytes)
        try other.sign(signedPath)
        samples.append(try folder.read("signed.efi"))
        var taken = 0
        for number in 0..<Self.count {
            let file = mutator.spoil(
                samples.randomElement(using: &mutator.random) ?? [], fields: Self.imageFields)
            let path = try folder.write("a.efi", file)
            let read = Effort.soon("\(number)") { try? Artifact(reading: path, as: .efi) }
            guard let artifact = read else {
                #expect(try folder.read("a.efi") == file)
                continue
            }
            taken += 1
            let signature = try signer.sign(artifact.claim)
            // A signature in it may be spoilt inside, where sbverify stops before it comes to the next one.
            if (try? artifact.patch(embedding: signature)) == nil {
                #expect(try folder.read("a.efi") == file)
            }
            try Effort.soon("\(number)") {
                try artifact.patch(embedding: signature, replacing: true).apply()
            }
            #expect(try Artifact(reading: path, as: .efi).claim == artifact.claim)
            let verified = try EFIImageTests.sbverify(path, signer.rootFile)
            #expect(verified, "refused by sbverify: \(Hex.encode(Array(file.prefix(600))))")
            try Artifact.patch(stripping: path, as: .efi)?.apply()
        }
        #expect(taken > Self.count / 50, "\(taken) of \(Self.count)")
    }

    /// From the start of the optional header to the end of the table of sections, and the two numbers before.
    private static let imageFields: [Range<Int>] = {
        let optional = 0x80 + 24
        var fields = [
            60..<64, 0x80..<0x84, 0x84..<0x86, 0x86..<0x88, 0x80 + 20..<0x80 + 22, optional..<optional + 2,
        ]
        for place in [32, 36, 56, 60, 64, 108, 92] { fields.append(optional + place..<optional + place + 4) }
        fields.append(optional + 68..<optional + 70)
        for table in [optional + 96, optional + 112] {
            fields += [table + 32..<table + 36, table + 36..<table + 40]
        }
        for table in [optional + 96 + 128, optional + 112 + 128] {
            for row in 0..<3 {
                for place in [0, 8, 12, 16, 20] {
                    fields.append(table + 40 * row + place..<table + 40 * row + place + 4)
                }
            }
        }
        return fields
    }()

    @Test func certificateTables() throws {
        let signer = try ImageSigner.made.get()
        var mutator = Mutator(Trials.generator("malformed tables"))
        let folder = try TemporaryFolder()
        let path = try folder.write("a.efi", SampleImage().bytes)
        try signer.sign(path)
        try ImageSigner.other.get().sign(path)
        let signed = try folder.read("a.efi")
        let layout = try EFIImage(signed.span, size: signed.count)
        let table = try #require(layout.table)
        var reader = ByteReader(signed.span)
        try reader.seek(to: table.lowerBound)
        let first = Int(try reader.readUInt32(.little))
        var fields: [Range<Int>] = []
        for place in [table.lowerBound, table.lowerBound + (first + 7) / 8 * 8] {
            fields += [
                place..<place + 4, place + 4..<place + 6, place + 6..<place + 8, place + 8..<place + 12,
            ]
        }
        let trust = SignerTrust(authorities: [signer.root])
        for _ in 0..<Self.count {
            let file = mutator.spoil(signed, fields: fields)
            try folder.write("a.efi", file)
            let verdict = try? EFIImageTests.verdict(path, trust)
            // Whatever is taken still is about the image that was signed.
            guard let verdict, verdict.contains(nil) else { continue }
            let image = try EFIImage(file.span, size: file.count)
            let hashed = image.regions.flatMap { Array(file[$0]) }
            #expect(hashed == layout.regions.flatMap { Array(signed[$0]) })
        }
    }

    @Test(.needs(.program("modinfo"))) func modules() throws {
        try Effort.within(64 << 20) { try spoiltModules() }
    }

    private func spoiltModules() throws {
        let signer = try KernelModuleTests.Signer.made.get()
        var mutator = Mutator(Trials.generator("malformed modules"))
        let folder = try TemporaryFolder()
        let bare = SampleModule.bytes(payload: 200)
        let signature = try signer.sign(bare)
        let signed = bare + ModuleTrailer.append(signature)
        let end = signed.count
        var fields = [16..<18, 18..<20, 40..<48, 52..<54, 58..<60, 60..<62, 62..<64]
        for row in 0..<4 {
            let start = bare.count - 64 * (4 - row)
            fields += [
                start..<start + 4, start + 4..<start + 8, start + 24..<start + 32, start + 32..<start + 40,
            ]
        }
        fields += [end - 32..<end - 28, end - 40..<end - 38, end - 38..<end - 36, end - 36..<end - 32]
        var taken = 0
        for number in 0..<Self.count {
            let file = mutator.spoil(Bool.random(using: &mutator.random) ? bare : signed, fields: fields)
            let path = try folder.write("a.ko", file)
            let read = Effort.soon("\(number)") { try? Artifact(reading: path, as: .module) }
            guard let artifact = read else {
                #expect(try folder.read("a.ko") == file)
                continue
            }
            let isRead = try Command.run(["modinfo", "-F", "license", path]).status == 0
            taken += 1
            try Effort.soon("\(number)") {
                try artifact.patch(embedding: signature, replacing: true).apply()
            }
            #expect(try Artifact(reading: path, as: .module).claim == artifact.claim)
            // The kernel's own tools see the signature if they see a module at all.
            guard isRead else { continue }
            #expect(
                try Command.run(["modinfo", "-F", "sig_id", path]).text == "PKCS#7\n", "\(Hex.encode(file))")
        }
        #expect(taken > Self.count / 50, "\(taken) of \(Self.count)")
    }
}
