// SPDX-License-Identifier: Apache-2.0

import Bytes
import Cryptography
import Diagnostics
import SampleFiles
import Signatures
import TestSupport
import Testing

@testable import Artifacts

@Suite struct EFIImageRefusalTests {
    struct Bad: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var code = "artifact-malformed"
        var message = ""
        var change: @Sendable (inout [UInt8]) -> Void
    }

    /// Where the optional header of a sample begins.
    private static let optional = 0x80 + 24
    private static let directory = optional + 112 + 32
    private static let sections = optional + 112 + 128

    private static func put(_ value: UInt32, _ place: Int, _ file: inout [UInt8], width: Int = 4) {
        for index in 0..<width {
            file[place + index] = UInt8(truncatingIfNeeded: value >> (8 * UInt32(index)))
        }
    }

    static let bad: [Bad] = [
        Bad(testDescription: "empty") { $0 = [] },
        Bad(testDescription: "the two letters alone") { $0 = Array("MZ".utf8) },
        Bad(testDescription: "cut off in its headers") { $0 = Array($0.prefix(300)) },
        Bad(testDescription: "cut off in a section") { $0.removeLast(10) },
        Bad(testDescription: "a DOS program") { $0[0x80] = 0 },
        Bad(testDescription: "headers at an odd place") { $0[60] = 0x81 },
        Bad(testDescription: "headers far away") { put(0x7fff_fff0, 60, &$0) },
        Bad(testDescription: "headers in the DOS header") { put(2, 60, &$0) },
        Bad(testDescription: "an unknown form") { put(0x107, optional, &$0, width: 2) },
        Bad(testDescription: "a Windows program", code: "artifact-unsupported", message: "subsystem is 3") {
            put(3, optional + 68, &$0, width: 2)
        },
        Bad(testDescription: "an unknown processor") { put(0x1234, 0x80 + 4, &$0, width: 2) },
        Bad(testDescription: "a processor of the other width") { put(0x14c, 0x80 + 4, &$0, width: 2) },
        Bad(testDescription: "no sections") { put(0, 0x80 + 6, &$0, width: 2) },
        Bad(testDescription: "more sections than headers") { put(60_000, 0x80 + 6, &$0, width: 2) },
        Bad(testDescription: "four directories") {
            put(4, optional + 108, &$0)
            put(112 + 32, 0x80 + 20, &$0, width: 2)
        },
        Bad(testDescription: "seventeen directories") {
            put(17, optional + 108, &$0)
            put(112 + 136, 0x80 + 20, &$0, width: 2)
        },
        Bad(testDescription: "directories that do not fit their header") { put(15, optional + 108, &$0) },
        Bad(testDescription: "headers behind the end") { put(0xffff_fff0, optional + 60, &$0) },
        Bad(testDescription: "headers that end in the sections' table") { put(0x150, optional + 60, &$0) },
        Bad(testDescription: "headers that cover a section", message: "overlaps") {
            put(1024, optional + 60, &$0)
        },
        Bad(testDescription: "sections over one another", message: "overlaps") {
            put(600, sections + 40 + 20, &$0)
        },
        Bad(testDescription: "a section behind the end", message: "behind the end") {
            put(0x1000_0000, sections + 20, &$0)
        },
        Bad(testDescription: "a section over all that follows", message: "overlaps") {
            put(0xffff_fff0, sections + 16, &$0)
        },
        Bad(testDescription: "a table without a length", message: "certificate table") {
            put(512, directory, &$0)
        },
        Bad(testDescription: "a table without a place", message: "certificate table") {
            put(8, directory + 4, &$0)
        },
        Bad(testDescription: "a table that is not aligned", message: "certificate table") {
            put(UInt32($0.count) - 4, directory, &$0)
            put(4, directory + 4, &$0)
        },
        Bad(testDescription: "a table before the end", message: "does not end with the file") {
            put(UInt32($0.count) - 24, directory, &$0)
            put(16, directory + 4, &$0)
        },
        Bad(testDescription: "a table behind the end", message: "does not end with the file") {
            put(UInt32($0.count) + 8, directory, &$0)
            put(16, directory + 4, &$0)
        },
        Bad(testDescription: "a table over a section", message: "behind the end") {
            put(UInt32($0.count) - 16, directory, &$0)
            put(16, directory + 4, &$0)
        },
        Bad(testDescription: "a huge table", message: "certificate table") {
            put(8, directory, &$0)
            put(0xffff_fff8, directory + 4, &$0)
        },
    ]

    @Test(arguments: bad)
    func refuses(_ bad: Bad) throws {
        let folder = try TemporaryFolder()
        var bytes = SampleImage().bytes
        bad.change(&bytes)
        let path = try folder.write("a.efi", bytes)
        let error = #expect(throws: ArtifactError.self) { try Artifact(reading: path, as: .efi) }
        #expect(
            error?.code.id == bad.code && error?.message.contains(bad.message) == true,
            "\(error?.message ?? "")")
        #expect(throws: ArtifactError.self) { try Artifact.patch(stripping: path, as: .efi) }
        #expect(try folder.read("a.efi") == bytes)
    }

    /// Behind an image that is all right.
    @Test(
        arguments: [
            ("an entry of no length", [0, 0, 0, 0, 0, 2, 2, 0]),
            ("an entry of itself", [8, 0, 0, 0, 0, 2, 2, 0]),
            ("another revision", [12, 0, 0, 0, 0, 1, 2, 0, 0x30, 2, 5, 0, 0, 0, 0, 0]),
            ("another type", [12, 0, 0, 0, 0, 2, 1, 0, 0x30, 2, 5, 0, 0, 0, 0, 0]),
            ("an entry of more than the table", [40, 0, 0, 0, 0, 2, 2, 0, 0x30, 2, 5, 0, 0, 0, 0, 0]),
            (
                "an entry of nearly all memory",
                [0xff, 0xff, 0xff, 0xff, 0, 2, 2, 0, 0x30, 2, 5, 0, 0, 0, 0, 0]
            ),
            ("no DER inside", [16, 0, 0, 0, 0, 2, 2, 0, 0x31, 2, 5, 0, 0, 0, 0, 0]),
            ("DER of more than the entry", [16, 0, 0, 0, 0, 2, 2, 0, 0x30, 20, 5, 0, 0, 0, 0, 0]),
            ("something behind the DER", [16, 0, 0, 0, 0, 2, 2, 0, 0x30, 2, 5, 0, 1, 0, 0, 0]),
            (
                "many zeros behind the DER",
                [24, 0, 0, 0, 0, 2, 2, 0, 0x30, 2, 5, 0] + [UInt8](repeating: 0, count: 12)
            ),
        ] as [(String, [UInt8])])
    func refusesTables(_ what: String, _ table: [UInt8]) throws {
        let folder = try TemporaryFolder()
        let image = SampleImage()
        var bytes = image.bytes
        Self.put(UInt32(bytes.count), image.directoryPlace, &bytes)
        Self.put(UInt32(table.count), image.directoryPlace + 4, &bytes)
        let path = try folder.write("a.efi", bytes + table)
        let error = #expect(throws: ArtifactError.self) { try Artifact(reading: path) }
        #expect(error?.message.contains("certificate table") == true, "\(what): \(error?.message ?? "")")
    }

    /// Such as an image that somebody patched after it was signed.
    @Test func refusesToAppendToAnotherImagesSignature() throws {
        let (one, two) = (try ImageSigner.made.get(), try ImageSigner.other.get())
        let folder = try TemporaryFolder()
        let path = try folder.write("a.efi", SampleImage().bytes)
        try one.sign(path)
        var bytes = try folder.read("a.efi")
        bytes[700] ^= 1
        try folder.write("a.efi", bytes)
        let error = #expect(throws: ArtifactError.self) { try two.sign(path) }
        #expect(error?.code.id == "artifact-signed")
        #expect(try folder.read("a.efi") == bytes)
        try two.sign(path, replacing: true)
        #expect(try EFIImageTests.verdict(path, SignerTrust(authorities: [two.root])) == [nil])
    }

    @Test(arguments: [
        ("sbat,1\n", false), ("", false), ("\0", false), ("sbat,1,a,b,c,d", true),
        ("sbat,1,a,b,c,d\nx,2,,,,\n", true),
        ("sbat,0,a,b,c,d\n", false), ("sbat,-1,a,b,c,d\n", false), ("sbat,x,a,b,c,d\n", false),
        (",1,a,b,c,d\n", false), ("sb at,1,a,b,c,d\n", false), ("sbat,99999999999999999999,a,b,c,d\n", false),
        ("sbat,1,a,b,c,d,e,f\r\n", true), ("sbat,1,a,b,c,d\n\0\0trash", true), ("\u{e4},1,a,b,c,d\n", false),
    ])
    func generations(_ text: String, _ isGood: Bool) throws {
        let bytes = Array(text.utf8)
        #expect(((try? ImageGenerations(bytes.span)) != nil) == isGood)
        var image = SampleImage()
        image.sbat = text
        let folder = try TemporaryFolder()
        let path = try folder.write("a.efi", image.bytes)
        // An empty section is none.
        #expect(((try? Artifact(reading: path)) != nil) == (isGood || text.isEmpty))
    }

    @Test func severalSectionsOfGenerationsAreRefused() throws {
        var image = SampleImage()
        image.sections.append(SampleImage.Section(".sbat", Array("sbat,1,a,b,c,d\n".utf8) + [0]))
        let folder = try TemporaryFolder()
        let path = try folder.write("a.efi", image.bytes)
        #expect(throws: ArtifactError.self) { try Artifact(reading: path) }
    }

    @Test func recognisesByContentThenByName() throws {
        let folder = try TemporaryFolder()
        var windows = SampleImage()
        windows.subsystem = 3
        let cases: [(String, [UInt8], SigningKind)] = [
            ("vmlinuz", SampleImage().bytes, .efi), ("boot.efi", Array("text".utf8), .efi),
            ("setup.exe", windows.bytes, .generic), ("MZ", Array("MZ".utf8), .generic),
        ]
        for (name, bytes, kind) in cases { #expect(try Artifact.kind(of: folder.write(name, bytes)) == kind) }
    }

    /// What a client claims is looked at again.
    @Test func refusesClaims() throws {
        for content in [Claim.Content.bytes([1]), .digest(.init(zerosOf: .sha256))] {
            #expect(throws: ArtifactError.self) { try Claim(.efi, content).facts() }
        }
        let image = ImageClaim(digest: .init(zerosOf: .sha256), sbat: [1, 2])
        #expect(throws: ArtifactError.self) { try Claim(.efi, .image(image)).facts() }
        for kind in [SigningKind.generic, .module, .rpm, .cms] {
            #expect(throws: ArtifactError.self) { try Claim(kind, .image(image)).facts() }
        }
        #expect(throws: ArtifactError.self) { try Claim(.cms, .bytes([1])).facts() }
        #expect(try Claim(.cms, .digest(.init(zerosOf: .sha512))).facts().isBlind)
    }
}
