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

@Suite struct EFIImageTests {
    struct Sample: Sendable, CustomTestStringConvertible {
        var testDescription: String
        /// osslsigncode hashes the file from end to end, which is another digest than firmware's where bytes belong to
        /// nothing.
        var hasGap = false
        var change: @Sendable (inout SampleImage) -> Void
        var image: SampleImage {
            var image = SampleImage()
            change(&image)
            return image
        }
    }

    static let samples: [Sample] = [
        Sample(testDescription: "PE32+") { _ in },
        Sample(testDescription: "PE32") { $0.isWide = false },
        Sample(testDescription: "unaligned length") { $0.trailing = Array("trail".utf8) },
        Sample(testDescription: "odd length, PE32") {
            $0.isWide = false
            $0.trailing = [7]
        },
        Sample(testDescription: "trailing data") { $0.trailing = [UInt8](repeating: 9, count: 16_384) },
        Sample(testDescription: "a table in another order") { $0.isReversed = true },
        Sample(testDescription: "a section without bytes") { $0.hasEmptySection = true },
        Sample(testDescription: "no .sbat") { $0.sbat = nil },
        Sample(testDescription: "five directories") { $0.directories = 5 },
        Sample(testDescription: "a right checksum") { $0.checksum = EFIImageTests.checksum(of: $0) },
        Sample(testDescription: "a gap behind the headers", hasGap: true) { $0.sections[0].gap = 512 },
        Sample(testDescription: "a gap between sections", hasGap: true) { $0.sections[1].gap = 1024 },
        Sample(testDescription: "gaps and trailing data", hasGap: true) {
            $0.sections[0].gap = 64
            $0.sections[1].gap = 8
            $0.trailing = [UInt8](repeating: 3, count: 77)
        },
    ]

    static func checksum(of image: SampleImage) -> UInt32 {
        let bytes = image.bytes
        var checksum = ImageChecksum()
        checksum.add(bytes.span)
        return checksum.value
    }

    /// Whether the checksum in the file is its own.
    static func hasRightChecksum(_ file: [UInt8]) throws -> Bool {
        let image = try EFIImage(file.span, size: file.count)
        var bytes = file
        var reader = ByteReader(file.span)
        try reader.seek(to: image.checksum)
        let found = try reader.readUInt32(.little)
        for place in 0..<4 { bytes[image.checksum + place] = 0 }
        var checksum = ImageChecksum()
        // In odd parts, as pieces of a file may be.
        checksum.add(bytes.span.extracting(0..<33))
        checksum.add(bytes.span.extracting(33..<34))
        checksum.add(bytes.span.extracting(34..<bytes.count))
        return checksum.value == found
    }

    // MARK: Foreign eyes

    /// Of 0.9.4, with whom a signature that brings an intermediate authority along is good whatever certificate is named:
    /// it says that digest and signature are right. Who signed is osslsigncode's to say.
    static func sbverify(_ path: String, _ certificate: String) throws -> Bool {
        try Command.run(["sbverify", "--cert", certificate, path]).status == 0
    }

    /// 2.5 of Debian 12 and newer ones.
    static func osslsigncode(_ path: String, _ root: String) throws -> Bool {
        try Command.run(["osslsigncode", "verify", "-in", path, "-CAfile", root]).status == 0
    }

    @Test(.needs(.program("sbverify")), arguments: samples)
    func foreignVerifiersTakeIt(_ sample: Sample) throws {
        let signer = try ImageSigner.made.get()
        let folder = try TemporaryFolder()
        let bare = sample.image.bytes
        let path = try folder.write("a.efi", bare)
        try signer.sign(path)
        let signed = try folder.read("a.efi")
        #expect(try Self.hasRightChecksum(signed))
        for certificate in [signer.rootFile, signer.issuingFile, signer.leafFile] {
            #expect(try Self.sbverify(path, certificate))
        }
        #expect(try Self.osslsigncode(path, signer.rootFile) == !sample.hasGap)
        #expect(try !Self.osslsigncode(path, ImageSigner.other.get().rootFile))

        // sbsign comes to the same digest, and its file is read and verified here.
        let theirs = folder.path + "/theirs.efi"
        let bareFile = try folder.write("bare.efi", bare)
        try Command.check([
            "sbsign", "--key", signer.keyFile, "--cert", signer.leafFile, "--output", theirs, bareFile,
        ])
        let (ours, other) = (try Artifact(reading: path), try Artifact(reading: theirs))
        let bytes = try #require(other.signatures.first)
        let signature = try AuthenticodeSignature(bytes.span)
        guard case .image(let claim) = ours.claim.content else { throw CancellationError() }
        #expect(signature.imageDigest == claim.digest)
        #expect(other.claim == ours.claim)
        #expect(try Self.verdict(theirs, SignerTrust(signers: [signer.chain[0]])) == [nil])
        #expect(try Self.hasRightChecksum(folder.read("theirs.efi")))
    }

    static func verdict(_ path: String, _ trust: SignerTrust) throws -> [SignatureVerdict.Refusal?] {
        let artifact = try Artifact(reading: path, as: .efi)
        guard case .image(let claim) = artifact.claim.content else { throw CancellationError() }
        return try artifact.signatures.map { bytes in
            try AuthenticodeSignature(bytes.span).verdict(on: claim.digest, by: trust, at: ImageSigner.now)
                .refusal
        }
    }

    // MARK: Signing and stripping

    @Test(arguments: samples)
    func signsAndStrips(_ sample: Sample) throws {
        let signer = try ImageSigner.made.get()
        let trust = SignerTrust(authorities: [signer.root])
        let folder = try TemporaryFolder()
        let image = sample.image
        let bare = image.bytes
        let path = try folder.write("a.efi", bare)
        #expect(try Artifact.patch(stripping: path) == nil)
        let artifact = try Artifact(reading: path)
        #expect(artifact.kind == .efi && artifact.signatures.isEmpty)
        #expect(try artifact.claim.facts().isBlind)
        let names = try artifact.claim.facts().generations?.components.map { "\($0.name) \($0.generation)" }
        #expect(names == (image.sbat == nil ? nil : ["sbat 1", "sample 3"]))

        try signer.sign(path)
        #expect(try Self.verdict(path, trust) == [nil])
        let once = try folder.read("a.efi")
        #expect(try Artifact(reading: path).claim == artifact.claim)
        // The same key in the same second: the same file.
        try signer.sign(path)
        #expect(try folder.read("a.efi") == once)

        try #require(try Artifact.patch(stripping: path)).apply()
        let stripped = try folder.read("a.efi")
        let padded = bare + [UInt8](repeating: 0, count: (8 - bare.count % 8) % 8)
        #expect(Self.withoutChecksum(stripped) == Self.withoutChecksum(padded))
        #expect(try Self.hasRightChecksum(stripped))
        if image.checksum != 0 { #expect(stripped == bare) }
        #expect(try Artifact.patch(stripping: path) == nil)
    }

    private static func withoutChecksum(_ file: [UInt8]) -> [UInt8] {
        var file = file
        for place in 0..<4 { file[SampleImage.checksumPlace + place] = 0 }
        return file
    }

    @Test(.needs(.program("sbverify"))) func severalSignatures() throws {
        let (one, two) = (try ImageSigner.made.get(), try ImageSigner.other.get())
        let folder = try TemporaryFolder()
        let path = try folder.write("a.efi", SampleImage().bytes)
        try one.sign(path)
        try two.sign(path)
        let both = SignerTrust(authorities: [one.root, two.root])
        #expect(try Self.verdict(path, both) == [nil, nil])
        #expect(try Self.verdict(path, SignerTrust(authorities: [two.root])) == [.signerUnknown, nil])
        for signer in [one, two] { #expect(try Self.sbverify(path, signer.rootFile)) }
        // Two entries in a table are more than this program knows.
        #expect(try !Self.osslsigncode(path, one.rootFile))
        // The same key again takes the place of its own one.
        try one.sign(path, at: ImageSigner.now - 5)
        #expect(try Self.verdict(path, both) == [nil, nil])
        try two.sign(path, replacing: true)
        #expect(try Self.verdict(path, both) == [nil])
        #expect(try Self.osslsigncode(path, two.rootFile))
        #expect(try !Self.osslsigncode(path, one.rootFile))
    }

    /// sbsign signs first: its signature stays where it is, and both hold.
    @Test(.needs(.program("sbverify"))) func appendsToAnothersSignature() throws {
        let (one, two) = (try ImageSigner.made.get(), try ImageSigner.other.get())
        let folder = try TemporaryFolder()
        let bare = try folder.write("bare.efi", SampleImage().bytes)
        let path = folder.path + "/a.efi"
        try Command.check(["sbsign", "--key", two.keyFile, "--cert", two.leafFile, "--output", path, bare])
        try one.sign(path)
        #expect(try Self.sbverify(path, one.rootFile) && Self.sbverify(path, two.leafFile))
        // What osslsigncode writes is read too; it counts the padding in.
        let theirs = folder.path + "/b.efi"
        try Command.check([
            "osslsigncode", "sign", "-h", "sha256", "-certs", two.leafFile, "-key", two.keyFile, "-in", bare,
            "-out", theirs,
        ])
        #expect(try Self.verdict(theirs, SignerTrust(signers: [two.chain[0]])) == [nil])
        try one.sign(theirs)
        #expect(try Self.sbverify(theirs, one.rootFile) && Self.sbverify(theirs, two.leafFile))
        #expect(try Command.check(["sbverify", "--list", theirs]).text.contains("signature 2"))
    }

    @Test(.needs(.program("sbverify"))) func oneChangedByteIsNeverGood() throws {
        var random = Trials.generator("image bytes")
        let signer = try ImageSigner.made.get()
        let trust = SignerTrust(authorities: [signer.root])
        let folder = try TemporaryFolder()
        var image = SampleImage()
        image.trailing = Array("more".utf8)
        let path = try folder.write("a.efi", image.bytes)
        try signer.sign(path)
        let signed = try folder.read("a.efi")
        let layout = try EFIImage(signed.span, size: signed.count)
        for _ in 0..<Trials.count(60, full: 2000) {
            let place = Int.random(in: 0..<layout.end, using: &random)
            if layout.checksum..<layout.checksum + 4 ~= place { continue }
            var bytes = signed
            bytes[place] ^= 1 << UInt8.random(in: 0...7, using: &random)
            try folder.write("a.efi", bytes)
            let refusals = try? Self.verdict(path, trust)
            #expect(refusals != [nil], "byte \(place)")
            #expect(try !Self.sbverify(path, signer.rootFile), "byte \(place)")
        }
    }

    // MARK: Real images

    @Test(.needs(.program("sbverify"))) func signsDebiansImages() throws {
        let signer = try ImageSigner.made.get()
        for file in try DebianFiles.images() {
            let folder = try TemporaryFolder()
            let path = folder.path + "/a.efi"
            try Command.check(["cp", file, path])
            let before = try Artifact(reading: path)
            #expect(before.kind == .efi, "\(file)")
            try signer.sign(path)
            let after = try Artifact(reading: path)
            #expect(after.claim == before.claim)
            #expect(Array(after.signatures.dropLast()) == before.signatures)
            #expect(try Self.sbverify(path, signer.rootFile), "\(file)")
            if before.signatures.isEmpty { #expect(try Self.osslsigncode(path, signer.rootFile), "\(file)") }
            #expect(try Self.hasRightChecksum(folder.read("a.efi")))
            // A vendor's own signature is about the same image still.
            for bytes in before.signatures {
                guard case .image(let claim) = after.claim.content else { throw CancellationError() }
                let signature = try AuthenticodeSignature(bytes.span)
                #expect(signature.imageDigest == claim.digest, "\(file)")
            }
        }
    }

    /// Debian's kernel and loader, judged by Debian's own authority, which comes with shim.
    @Test func vendorSignaturesAreRead() throws {
        let signed = try DebianFiles.images().filter { try !Artifact(reading: $0).signatures.isEmpty }
        #expect(signed.contains { $0.contains("vmlinuz") })
        for file in signed {
            let refusals = try Self.verdict(file, SignerTrust())
            #expect(refusals.allSatisfy { $0 == .signerUnknown })
            for bytes in try Artifact(reading: file).signatures {
                let signature = try AuthenticodeSignature(bytes.span)
                let own = SignerTrust(signers: signature.certificates.filter { signature.signer.names($0) })
                guard !own.signers.isEmpty else { continue }
                #expect(try Self.verdict(file, own).contains(nil), "\(file)")
            }
        }
    }

    /// As large as a kernel with its initial file system, of which nothing is kept in memory.
    @Test func aLargeImageTakesNoMemory() throws {
        let signer = try ImageSigner.made.get()
        let folder = try TemporaryFolder()
        let path = try folder.write("a.efi", SampleImage().bytes)
        try Command.check(["truncate", "-s", "\(Trials.count(16, full: 100) << 20)", path])
        let before = Effort.peakMemory
        try signer.sign(path)
        #expect(try Self.verdict(path, SignerTrust(authorities: [signer.root])) == [nil])
        #expect(Effort.peakMemory - before < 8 << 20)
        #expect(try Self.sbverify(path, signer.rootFile))
    }
}
