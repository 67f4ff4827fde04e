// SPDX-License-Identifier: Apache-2.0

import Cryptography
import Diagnostics
import Foundation
import SampleFiles
import Signatures
import TestSupport
import Testing

@testable import Artifacts

@Suite(.needs(.program("rpmsign"))) struct RPMFileTests {
    typealias Change = @Sendable (inout SampleRPM) -> Void

    struct Good: Sendable, CustomTestStringConvertible {
        var testDescription: String
        /// Whether the signature fits into the reserved space.
        var fits = true
        var change: Change = { _ in }
    }

    static let good: [Good] = [
        Good(testDescription: "plain"),
        Good(testDescription: "source package") { $0.isSource = true },
        Good(testDescription: "many files") {
            $0.files = 500; $0.payload = .noise(count: 700_000, seed: 3)
        },
        Good(testDescription: "empty payload") {
            $0.files = 0; $0.payload = .bytes([])
        },
        Good(testDescription: "file signatures and verity") { sample in
            sample.changeSignature = { header in
                header.values.insert(
                    contentsOf: [
                        HeaderBuilder.Value(tag: 274, type: 8, count: 1, data: Array("0302".utf8) + [0]),
                        HeaderBuilder.Value(tag: 275, type: 4, count: 1, data: [0, 0, 0, 2]),
                        HeaderBuilder.Value(tag: 276, type: 8, count: 1, data: Array("aaaa".utf8) + [0]),
                        HeaderBuilder.Value(tag: 277, type: 4, count: 1, data: [0, 0, 0, 1]),
                    ], at: 2)
            }
        },
        Good(testDescription: "just enough room") { $0.reservedSpace = 400 },
        Good(testDescription: "no reserved space", fits: false) { $0.reservedSpace = nil },
        Good(testDescription: "too little room", fits: false) { $0.reservedSpace = 64 },
    ]

    /// Signed with each sort of key: rpm finds signature and digests good, nothing else of the file differs, one
    /// changed byte is found out, and without the signatures the file is the first one again.
    @Test(arguments: good, [GPGKeys.Key.rsa, .ed25519])
    func signsAndStrips(_ good: Good, _ key: GPGKeys.Key) throws {
        let keys = try GPGKeys.shared()
        let folder = try TemporaryFolder()
        var sample = SampleRPM()
        good.change(&sample)
        let path = folder.path + "/a.rpm"
        try sample.write(to: path)
        let before = try folder.read("a.rpm")

        let artifact = try Artifact(reading: path)
        #expect(artifact.kind == .rpm)
        #expect(artifact.claim.content == .bytes(sample.mainHeader))
        #expect(try artifact.claim.facts().package == RPMHeader(sample.mainHeader, .main).package)
        #expect(artifact.signatures.isEmpty)
        let packet = try keys.sign(sample.mainHeader, key)
        let patch = try artifact.patch(embedding: packet)
        let inode = try Command.check(["stat", "-c", "%i %y", path]).text
        let writer = PatchWriter(inPlace: key == .rsa)
        try writer.apply(patch)
        #expect(try keys.accepts(path))
        #expect(
            try (Command.check(["stat", "-c", "%i %y", path]).text == inode) == (good.fits && key == .rsa))
        let after = try folder.read("a.rpm")
        #expect((after.count == before.count) == good.fits)
        #expect(Array(after.suffix(sample.payload.count + sample.mainHeader.count)) == sample.tail)
        #expect(try Artifact(reading: path).signatures == [packet])
        #expect(patch.newCount < 16 << 10)

        // The same signature again changes nothing.
        try writer.apply(Artifact(reading: path).patch(embedding: packet))
        #expect(try folder.read("a.rpm") == after)

        if sample.payload.count > 0 {
            var damaged = after
            damaged[damaged.count - 1] ^= 1
            #expect(try !keys.accepts(folder.write("damaged.rpm", damaged)))
        }

        try writer.apply(#require(try Artifact.patch(stripping: path)))
        if good.testDescription != "too little room" { #expect(try folder.read("a.rpm") == before) }
        #expect(try Artifact.patch(stripping: path) == nil)
        #expect(try Command.run(["rpmkeys", "-Kv", path]).status == 0)
    }

    /// Packages of rpmbuild: signed here, stripped here; signed by rpmsign, read and stripped here.
    @Test func worksBothWaysWithRPMSign() throws {
        let keys = try GPGKeys.shared()
        for path in try BuiltRPMs.shared().paths {
            let folder = try TemporaryFolder()
            try Command.check(["cp", path, folder.path + "/a.rpm"])
            let copy = folder.path + "/a.rpm"
            let before = try folder.read("a.rpm")
            let main = try BuiltRPMs.shared().mainHeader(of: path)
            try Artifact(reading: copy).patch(embedding: keys.sign(main, .rsa)).apply()
            #expect(try keys.accepts(copy))
            // rpm's own program takes the signature out again.
            try Command.check(["rpmsign", "--delsign", copy])
            #expect(try keys.signatures(of: copy).isEmpty)

            try folder.write("a.rpm", before)
            try keys.rpmsign(copy, .rsa)
            #expect(try keys.accepts(copy))
            #expect(try Artifact(reading: copy).signatures.count == 1)
            try #require(try Artifact.patch(stripping: copy)).apply()
            #expect(try folder.read("a.rpm") == before)
        }
    }

    @Test func keepsTheOtherAlgorithmsSignature() throws {
        let keys = try GPGKeys.shared()
        let folder = try TemporaryFolder()
        let sample = SampleRPM()
        let path = try folder.write("a.rpm", sample.bytes)
        for key in [GPGKeys.Key.rsa, .ed25519] {
            try Artifact(reading: path).patch(embedding: keys.sign(sample.mainHeader, key)).apply()
        }
        #expect(try keys.accepts(path))
        #expect(try keys.signatures(of: path).count == 2)
        #expect(try Artifact(reading: path).signatures.count == 2)
    }

    @Test func replacesOnlyWhenAsked() throws {
        let keys = try GPGKeys.shared()
        let folder = try TemporaryFolder()
        let sample = SampleRPM()
        let path = try folder.write("a.rpm", sample.bytes)
        try Artifact(reading: path).patch(embedding: keys.sign(sample.mainHeader, .rsa)).apply()
        let first = try folder.read("a.rpm")
        let packet = try keys.sign(sample.mainHeader, .otherRSA)
        let error = #expect(throws: ArtifactError.self) {
            try Artifact(reading: path).patch(embedding: packet)
        }
        #expect(error?.code.id == "artifact-signed")
        #expect(try folder.read("a.rpm") == first)
        try Artifact(reading: path).patch(embedding: packet, replacing: true).apply()
        #expect(try Artifact(reading: path).signatures == [packet])
        #expect(try keys.accepts(path))
    }

    struct Bad: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var code = "artifact-corrupt"
        var message: String
        var change: Change = { _ in }
        var damage: @Sendable (inout [UInt8]) -> Void = { _ in }
    }

    static let bad: [Bad] = [
        Bad(
            testDescription: "a payload byte", message: "payload's digest", damage: { $0[$0.count - 1] ^= 1 }),
        Bad(
            testDescription: "a byte more", message: "bytes, but it says", change: { $0.files = 0 },
            damage: { $0.append(0) }),
        Bad(testDescription: "a byte less", message: "bytes, but it says", damage: { $0.removeLast() }),
        Bad(testDescription: "no payload at all", code: "artifact-malformed", message: "cut off") { _ in
        } damage: {
            $0.removeLast(2100)
        },
        Bad(
            testDescription: "only the lead", code: "artifact-malformed", message: "cut off",
            damage: {
                $0 = Array($0.prefix(100))
            }),
        Bad(
            testDescription: "a byte of the header", message: "sha1 digest",
            damage: { bytes in
                // The vendor's name.
                if let place = bytes.firstRange(of: Array("Signet".utf8))?.lowerBound { bytes[place] = 0x73 }
            }),
        Bad(
            testDescription: "format 6", code: "artifact-unsupported", message: "format 6",
            damage: { $0[4] = 4 }),
        Bad(
            testDescription: "format 2", code: "artifact-malformed", message: "format 2",
            damage: { $0[4] = 2 }),
        Bad(testDescription: "old, a payload byte", message: "MD5 digest of header and payload") {
            $0.hasPayloadDigest = false
        } damage: {
            $0[$0.count - 1] ^= 1
        },
        Bad(testDescription: "wrong MD5 beside a good digest", message: "MD5 digest of header and payload") {
            $0.changeSignature = { header in
                RPMHeaderTests.change(1004, in: &header) { $0.data[0] ^= 1 }
            }
        },
        Bad(testDescription: "old, without MD5", message: "no digest of its payload") {
            $0.hasPayloadDigest = false
            $0.changeSignature = { $0.remove(1004) }
        },
        Bad(testDescription: "no digest of the header", message: "no digest of its header") { sample in
            sample.changeSignature = { header in [269, 273, 1004].forEach { header.remove($0) } }
        },
        Bad(testDescription: "wrong SHA-256", message: "sha256 digest") { sample in
            sample.changeSignature = { header in
                RPMHeaderTests.set(273, to: String(repeating: "0", count: 64), in: &header)
            }
        },
        Bad(
            testDescription: "size of another type", code: "artifact-malformed",
            message: "tag 1000 has the wrong"
        ) {
            $0.changeSignature = {
                RPMHeaderTests.change(1000, in: &$0) {
                    $0.type = 7; $0.count = 4
                }
            }
        },
    ]

    @Test(arguments: bad)
    func refuses(_ bad: Bad) throws {
        let folder = try TemporaryFolder()
        var sample = SampleRPM()
        bad.change(&sample)
        var bytes = sample.bytes
        bad.damage(&bytes)
        let path = try folder.write("a.rpm", bytes)
        let error = #expect(throws: ArtifactError.self) { try Artifact(reading: path) }
        #expect(error?.code.id == bad.code)
        #expect(error?.message.contains(bad.message) == true, "\(error?.message ?? "")")
        #expect(error?.message.hasPrefix(path) == true)
        // rpm finds the same, but for what it lets pass.
        let passes = [
            "old, without MD5", "no digest of the header", "format 6", "format 2", "size of another type",
        ]
        if !passes.contains(bad.testDescription) {
            #expect(try Command.run(["rpmkeys", "-K", path]).status != 0)
        }
    }

    /// Whatever a changed signature header makes of a package: what is taken here, rpm finds whole as well.
    @Test func takesNoPackageThatRPMRefuses() throws {
        var generator = Trials.generator("rpm-package")
        let folder = try TemporaryFolder()
        let good = SampleRPM().bytes
        let path = folder.path + "/changed.rpm"
        var taken = 0
        for _ in 0..<Trials.count(60, full: 10_000) {
            var bytes = good
            for _ in 0..<Int.random(in: 1...2, using: &generator) {
                // The lead, or tag, type, offset and count of an entry of the signature header, or its values.
                let entry = 112 + 16 * Int.random(in: 0..<7, using: &generator)
                switch Int.random(in: 0..<6, using: &generator) {
                case 0:
                    bytes[Int.random(in: 0..<96, using: &generator)] = .random(in: 0...255, using: &generator)
                case 1: bytes[entry + 3] &+= .random(in: 1...9, using: &generator)
                case 2: bytes[entry + 7] = .random(in: 0...10, using: &generator)
                case 3: bytes[entry + 11] &+= .random(in: 1...9, using: &generator)
                case 4: bytes[entry + 15] &+= .random(in: 1...9, using: &generator)
                default: bytes[Int.random(in: 224..<400, using: &generator)] ^= 1
                }
            }
            try folder.write("changed.rpm", bytes)
            guard (try? Artifact(reading: path)) != nil else { continue }
            taken += 1
            let output = try Command.run(["rpmkeys", "-Kv", path])
            let complaints = output.text.split(separator: "\n").filter {
                !$0.contains(": OK") && !$0.hasSuffix("changed.rpm:")
            }
            #expect(complaints.isEmpty, "\(output.text)\(output.errorText)")
        }
        print("changed packages taken: \(taken)")
    }

    /// However much room there is, and so wherever numbers behind the signature come to stand: no byte is lost or gained.
    @Test func everyAlignment() throws {
        let keys = try GPGKeys.shared()
        let folder = try TemporaryFolder()
        for key in [GPGKeys.Key.rsa, .ed25519] {
            var packet: [UInt8]?
            for room in 4120..<4132 {
                var sample = SampleRPM()
                sample.reservedSpace = room
                let path = try folder.write("a.rpm", sample.bytes)
                let made = try packet ?? keys.sign(sample.mainHeader, key)
                packet = made
                try Artifact(reading: path).patch(embedding: made).apply()
                #expect(try folder.read("a.rpm").count == sample.bytes.count, "\(room)")
                #expect(try keys.accepts(path), "\(room)")
                try #require(try Artifact.patch(stripping: path)).apply()
                #expect(try folder.read("a.rpm") == sample.bytes, "\(room)")
            }
        }
    }

    /// A header of more than 16 MiB, as packages with very many files have it.
    @Test func takesLargeHeaders() throws {
        let keys = try GPGKeys.shared()
        let folder = try TemporaryFolder()
        var sample = SampleRPM()
        sample.changeMain = { header in
            header.remove(1005)
            header.text(1005, String(repeating: "a long story ", count: 1_300_000))
            header.values.sort { $0.tag < $1.tag }
        }
        let path = folder.path + "/a.rpm"
        try sample.write(to: path)
        let before = try folder.read("a.rpm")
        let header = sample.mainHeader
        #expect(header.count > 16 << 20)
        let artifact = try Effort.soon("a large header") { try Artifact(reading: path) }
        #expect(artifact.claim.content == .bytes(header))
        try PatchWriter(inPlace: true).apply(artifact.patch(embedding: keys.sign(header, .rsa)))
        #expect(try keys.accepts(path))
        try #require(try Artifact.patch(stripping: path)).apply()
        #expect(try folder.read("a.rpm") == before)
    }

    /// A file of more than 4 GiB, its payload a hole: sizes of 64 bits, and the memory of a small one.
    @Test func readsLargePackagesInLittleMemory() throws {
        let keys = try GPGKeys.shared()
        let folder = try TemporaryFolder()
        var sample = SampleRPM()
        sample.payload = .zeros(count: Trials.count(200 << 20, full: 5 << 30))
        let path = folder.path + "/large.rpm"
        try sample.write(to: path)
        let before = Effort.peakMemory
        let patch = try Artifact(reading: path).patch(embedding: keys.sign(sample.mainHeader, .rsa))
        try PatchWriter(inPlace: true).apply(patch)
        #expect(Effort.peakMemory - before < 32 << 20)
        #expect(try keys.accepts(path))
    }

    /// What a server makes of claims.
    @Test func judgesClaims() throws {
        let header = SampleRPM().mainHeader
        #expect(try Claim(.rpm, .bytes(header)).facts().package?.name == "sample")
        // The same bytes as a plain file are judged as a package all the same.
        #expect(try Claim(.generic, .bytes(header)).facts().package?.name == "sample")
        var broken = header
        broken[15] ^= 1
        #expect(throws: ArtifactError.self) { try Claim(.generic, .bytes(broken)).facts() }
        #expect(throws: ArtifactError.self) { try Claim(.rpm, .bytes([])).facts() }
        var running = RunningDigest(.sha256)
        running.update(header.span)
        let midstate = try running.midstate()
        #expect(throws: ArtifactError.self) { try Claim(.rpm, .midstate(midstate)).facts() }
        #expect(throws: ArtifactError.self) { try Claim(.rpmLegacy, .bytes(header)).facts() }
        let blind = try Claim(.rpmLegacy, .midstate(midstate)).facts()
        #expect(blind.isBlind && blind.package == nil && blind.size == UInt64(header.count))
        #expect(throws: ArtifactError.self) { try Claim(.efi, .bytes(header)).facts() }
        var old = SampleRPM()
        old.hasPayloadDigest = false
        let claim = Claim(.rpm, .bytes(old.mainHeader))
        #expect(throws: ArtifactError.self) { try claim.facts() }
    }
}
