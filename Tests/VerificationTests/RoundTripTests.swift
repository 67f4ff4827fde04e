// SPDX-License-Identifier: Apache-2.0

import Artifacts
import Bytes
import Cryptography
import Foundation
import SampleFiles
import Signatures
import TestSupport
import Testing

@testable import Verification

/// For each kind of file: signing at one time twice makes the same bytes, one changed byte is found out, and what is
/// stripped is what was there before.
@Suite struct RoundTripTests {
    struct Sample: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var name: String
        /// Nil for as it is recognised.
        var kind: SigningKind?
        var form = SignatureForm.usual
        /// What stands beside the file when it is signed.
        var suffix = ""
        /// Bytes that nothing covers, from the start.
        var loose = 0
        var bytes: @Sendable () -> [UInt8]
    }

    static let samples: [Sample] = [
        Sample(testDescription: "package", name: "a.rpm", loose: 8 << 10) {
            var sample = SampleRPM()
            sample.payload = .noise(count: 30_000, seed: 4)
            return sample.bytes
        },
        Sample(testDescription: "source package", name: "a.src.rpm", loose: 8 << 10) {
            var sample = SampleRPM()
            sample.isSource = true
            sample.payload = .noise(count: 30_000, seed: 4)
            return sample.bytes
        },
        Sample(testDescription: "package without room", name: "a.rpm", loose: 4 << 10) {
            var sample = SampleRPM()
            sample.reservedSpace = nil
            sample.payload = .noise(count: 30_000, seed: 4)
            return sample.bytes
        },
        Sample(testDescription: "old package", name: "a.rpm", loose: 8 << 10) {
            var sample = SampleRPM()
            sample.hasPayloadDigest = false
            sample.payload = .noise(count: 30_000, seed: 4)
            return sample.bytes
        },
        Sample(testDescription: "module", name: "a.ko") { SampleModule.bytes(payload: 5_000) },
        Sample(testDescription: "narrow module", name: "a.ko") { SampleModule.bytes(wide: false, .big) },
        Sample(testDescription: "module, beside", name: "a.ko", form: .detached, suffix: ".p7s") {
            SampleModule.bytes(payload: 5_000)
        },
        Sample(testDescription: "image", name: "a.efi") { EFI.whole(SampleImage()) },
        Sample(testDescription: "narrow image with a tail", name: "a.efi") {
            var image = SampleImage()
            image.isWide = false
            image.trailing = [UInt8](repeating: 9, count: 4_096)
            return EFI.whole(image)
        },
        Sample(testDescription: "text", name: "InRelease") { Array("- one\ntwo \t\n\nthree\n".utf8) },
        Sample(testDescription: "small file", name: "SHA256SUMS", suffix: ".asc") { Array("sums\n".utf8) },
        Sample(testDescription: "small file, binary", name: "a.iso", form: .binary, suffix: ".sig") {
            Array("sums\n".utf8)
        },
        Sample(testDescription: "empty file", name: "empty", suffix: ".asc") { [] },
        Sample(testDescription: "large file", name: "a.iso", suffix: ".asc") {
            (0..<Claim.genericContentLimit + 77).map { UInt8(truncatingIfNeeded: $0 &* 13 >> 4) }
        },
        Sample(testDescription: "file in CMS", name: "a.bin", kind: .cms, suffix: ".p7s") {
            Array("content".utf8)
        },
    ]

    /// An image whose checksum is right, so that nothing of it changes for good.
    enum EFI {
        static func whole(_ image: SampleImage) -> [UInt8] {
            var bytes = image.bytes
            for place in 0..<4 { bytes[SampleImage.checksumPlace + place] = 0 }
            var sum: UInt64 = 0
            for place in stride(from: 0, to: bytes.count, by: 2) {
                sum += UInt64(bytes[place])
                if place + 1 < bytes.count { sum += UInt64(bytes[place + 1]) << 8 }
            }
            while sum >> 16 != 0 { sum = (sum & 0xffff) + sum >> 16 }
            let value = UInt32(sum) + UInt32(bytes.count)
            for place in 0..<4 {
                bytes[SampleImage.checksumPlace + place] = UInt8(truncatingIfNeeded: value >> (8 * place))
            }
            return bytes
        }
    }

    @Test(arguments: samples) func comesBack(_ sample: Sample) throws {
        let signers = try Signers.made.get()
        let keys = TrustedKeys(
            openPGP: [signers.owner], certificates: [signers.certificate], authorities: [signers.authority])
        let before = sample.bytes()
        var made: [[UInt8]] = []
        var paths: [(folder: TemporaryFolder, path: String)] = []
        for _ in 0..<2 {
            let folder = try TemporaryFolder()
            let path = try folder.write(sample.name, before)
            #expect(try Artifact.patch(stripping: path, as: sample.kind, form: sample.form) == nil)
            let artifact = try Artifact(reading: path, as: sample.kind, form: sample.form)
            try artifact.patch(embedding: signers.sign(artifact.claim)).apply()
            made.append(try folder.read(sample.name + sample.suffix))
            paths.append((folder, path))
        }
        #expect(made[0] == made[1])
        let (folder, path) = paths[0]
        #expect(sample.suffix.isEmpty == (try folder.read(sample.name) != before))
        func verdict() throws -> FileVerdict {
            try FileVerdict(
                of: path, as: sample.kind, by: keys, at: Signers.now,
                detached: sample.form == .detached ? try folder.read(sample.name + sample.suffix) : nil)
        }
        #expect(try verdict().outcome == .good)

        // A byte of what is signed, wherever it is.
        let signed = try folder.read(sample.name)
        var random = Trials.generator("round trip \(sample.testDescription)")
        for _ in 0..<(before.count > sample.loose ? Trials.count(4, full: 100) : 0) {
            var changed = signed
            let lengths = sample.suffix.isEmpty ? min(before.count, signed.count) : signed.count
            let place = Int.random(in: min(sample.loose, lengths - 1)..<lengths, using: &random)
            let isChecksum = SampleImage.checksumPlace..<SampleImage.checksumPlace + 4 ~= place
            if sample.name.hasSuffix(".efi"), isChecksum { continue }
            // White space at an end of a line is no part of a text.
            changed[place] = changed[place] == 0x61 ? 0x62 : 0x61
            if changed[place] == signed[place] { continue }
            try folder.write(sample.name, changed)
            #expect((try? verdict().outcome) != .good, "byte \(place)")
        }
        try folder.write(sample.name, signed)

        try #require(try Artifact.patch(stripping: path, as: sample.kind, form: sample.form)).apply()
        #expect(try folder.read(sample.name) == before)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [sample.name])
        #expect(try FileVerdict(of: path, as: sample.kind, by: keys, at: Signers.now).outcome == .unsigned)
    }
}
