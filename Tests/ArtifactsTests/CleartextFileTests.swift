// SPDX-License-Identifier: Apache-2.0

import Cryptography
import Diagnostics
import Foundation
import SampleFiles
import Signatures
import TestSupport
import Testing

@testable import Artifacts

@Suite struct CleartextFileTests {
    static let texts: [(String, String)] = [
        ("lines", "Format: 3.0\nSource: x\n"), ("CR LF", "a\r\nb\r\n"), ("white space", "a \t\n \n\nb\n"),
        ("dashes", "-----BEGIN\n- x\nFrom y\n"), ("one line", "\n"),
    ]

    /// A signature over a text, as GnuPG puts it into a message.
    static func signature(_ text: [UInt8], _ key: GPGKeys.Key) throws -> [UInt8] {
        let keys = try GPGKeys.shared()
        let scratch = try TemporaryFolder()
        let path = try scratch.write("text", text)
        let message = try keys.gpg([
            "--digest-algo", "SHA256", "-u", key.rawValue, "-o", "-", "--clearsign", path,
        ]).stdout
        return try #require(try CleartextMessage(message.span).signatures.first).encoded
    }

    @Test(arguments: texts)
    func signsAndStrips(_ name: String, _ text: String) throws {
        let keys = try GPGKeys.shared()
        let folder = try TemporaryFolder()
        let bytes = Array(text.utf8)
        let path = try folder.write("x.dsc", bytes, mode: 0o640)
        let artifact = try Artifact(reading: path)
        #expect(artifact.kind == .cleartext)
        #expect(artifact.claim.content == .bytes(bytes))
        #expect(artifact.signatures.isEmpty)
        #expect(try artifact.claim.facts().size == UInt64(bytes.count))
        #expect(try Artifact.patch(stripping: path) == nil)
        let packet = try Self.signature(bytes, .rsa)
        let patch = try artifact.patch(embedding: packet)
        #expect(patch.target == path)
        try patch.apply()
        #expect((try? keys.gpg(["--verify", path])) != nil)
        #expect(try Command.check(["stat", "-c", "%a", path]).text == "640\n")
        let signed = try Artifact(reading: path)
        #expect(signed.claim == artifact.claim && signed.signatures == [packet])
        // Recognised by its content, whatever its name.
        let copy = try folder.write("copy", folder.read("x.dsc"))
        #expect(try Artifact(reading: copy).kind == .cleartext)
        try #require(try Artifact.patch(stripping: path)).apply()
        #expect(try folder.read("x.dsc") == bytes)
    }

    /// Each key signs once, and others stay beside it, also when it signs anew.
    @Test func severalSigners() throws {
        let keys = try GPGKeys.shared()
        let folder = try TemporaryFolder()
        let text = Array("Suite: stable\n".utf8)
        let path = try folder.write("InRelease", text)
        let (one, two) = (try Self.signature(text, .rsa), try Self.signature(text, .ed25519))
        try Artifact(reading: path).patch(embedding: one).apply()
        try Artifact(reading: path).patch(embedding: two).apply()
        #expect(try Artifact(reading: path).signatures == [one, two])
        #expect((try? keys.gpg(["--verify", path])) != nil)
        let again = try Self.signature(text, .rsa)
        try Artifact(reading: path).patch(embedding: again).apply()
        #expect(try Artifact(reading: path).signatures == [two, again])
        try Artifact(reading: path).patch(embedding: one, replacing: true).apply()
        #expect(try Artifact(reading: path).signatures == [two, one])
        #expect((try? keys.gpg(["--verify", path])) != nil)
        try #require(try Artifact.patch(stripping: path)).apply()
        #expect(try folder.read("InRelease") == text)
    }

    @Test func textsWithoutAnEnd() throws {
        let folder = try TemporaryFolder()
        for text in ["", "one", "one\ntwo"] {
            let path = try folder.write("x.dsc", text)
            let packet = try Self.signature(Array(text.utf8), .ed25519)
            try Artifact(reading: path).patch(embedding: packet).apply()
            #expect((try? GPGKeys.shared().gpg(["--verify", path])) != nil)
            try #require(try Artifact.patch(stripping: path)).apply()
            #expect(try folder.read("x.dsc") == Array((text + "\n").utf8))
        }
    }

    @Test(arguments: [
        ("a zero", "x.dsc", "a\0"), ("a lone return", "x.dsc", "a\rb\n"),
        ("a message that is cut off", "y", "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nx\n"),
        ("words behind", "y", "-----BEGIN PGP SIGNED MESSAGE-----\n\nx\n-----BEGIN PGP SIGNATURE-----\nx\n"),
    ])
    func refusals(_ name: String, _ file: String, _ text: String) throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(file, text)
        let error = #expect(throws: ArtifactError.self) { try Artifact(reading: path) }
        #expect(error?.code == .artifactMalformed)
        #expect(throws: ArtifactError.self) { try Artifact.patch(stripping: path, as: .cleartext) }
        #expect(try folder.read(file) == Array(text.utf8))
    }

    /// A package is no text, and a midstate is none either.
    @Test func claimsThatAreNoText() throws {
        let folder = try TemporaryFolder()
        try SampleRPM().write(to: folder.path + "/a.rpm")
        #expect(throws: ArtifactError.self) {
            try Artifact(reading: folder.path + "/a.rpm", as: .cleartext)
        }
        var running = RunningDigest(.sha256)
        let block = [UInt8](repeating: 0x41, count: 64)
        running.update(block.span)
        let midstate = try running.midstate()
        #expect(throws: ArtifactError.self) { try Claim(.cleartext, .midstate(midstate)).facts() }
        let facts = try Claim(.cleartext, .bytes(block)).facts()
        #expect(facts.size == 64 && !facts.isBlind && facts.package == nil)
    }
}
