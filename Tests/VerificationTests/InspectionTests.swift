// SPDX-License-Identifier: Apache-2.0

import Artifacts
import SampleFiles
import Signatures
import TestSupport
import Testing

@testable import Verification

@Suite struct InspectionTests {
    @Test func packages() throws {
        let foreign = try RPMAgreementTests.Foreign.made.get()
        let inspection = try Inspection(of: foreign.folder.path + "/old.rpm")
        #expect(inspection.kind == .rpm && inspection.name == "plain-1.0-1.noarch")
        #expect(
            Set(inspection.digests.map(\.subject)) == ["header", "payload", "header and payload", "file"])
        #expect(inspection.digests.allSatisfy { $0.state == ($0.subject == "file" ? .computed : .good) })
        #expect(inspection.signatures.count == 2 && inspection.problems.isEmpty)
        #expect(inspection.claim?.hasPrefix("the header of ") == true)

        let text = foreign.folder.path
        // What rpm's own query says of the digests.
        let format = "%{SHA1HEADER} %{SHA256HEADER} %{PAYLOADDIGEST} %{SIGMD5}"
        let query = try Command.check(
            ["rpm", "--dbpath", text + "/db", "-qp", "--nosignature", "--qf", format, text + "/old.rpm"]).text
        let values = Set(
            inspection.digests.filter { $0.algorithm != "size" && $0.state == .good }.map(\.value))
        #expect(values == Set(query.split(separator: " ").map(String.init)))
    }

    /// Each target's objections, by what was changed in a sample.
    @Test(
        arguments: [
            ("plain", []),
            ("no payload digest", ["Fedora (rpm 6): the header names no digest of the payload"]),
            ("no SHA-256", ["Fedora (rpm 6): no digest of the header but SHA-1 or MD5"]),
            ("zstd", ["EL 7 (rpm 4.11): a payload compressed with zstd"]),
        ] as [(String, [String])])
    func targets(_ change: String, _ objections: [String]) throws {
        let folder = try TemporaryFolder()
        var sample = SampleRPM()
        switch change {
        case "no payload digest": sample.hasPayloadDigest = false
        case "no SHA-256": sample.changeSignature = { $0.remove(273) }
        case "zstd":
            sample.changeMain = { header in
                header.remove(1125)
                header.text(1125, "zstd")
                header.values.sort { $0.tag < $1.tag }
            }
        default: break
        }
        let path = folder.path + "/a.rpm"
        try sample.write(to: path)
        let inspection = try Inspection(of: path)
        #expect(
            inspection.targets.filter { !$0.accepts }.map {
                "\($0.name): \($0.objections.joined(separator: "; "))"
            }
                == objections)
        #expect(inspection.signatures.isEmpty)
    }

    /// rpm 4.18 as Debian 12 has it does not know ECDSA: what is said of it is what it does.
    @Test func debianRefusesECDSA() throws {
        let signers = try Signers(ecdsa: true)
        let folder = try TemporaryFolder()
        let path = folder.path + "/a.rpm"
        try SampleRPM().write(to: path)
        try signers.sign(path)
        let inspection = try Inspection(of: path)
        #expect(inspection.signatures.map(\.algorithm) == ["ECDSA with sha256"])
        #expect(inspection.signatures.map(\.signer) == [signers.fingerprint])
        let debian = try #require(inspection.targets.first { $0.name.hasPrefix("Debian 12") })
        #expect(debian.objections == ["a signature by ECDSA"])
        let rpm = ["rpmkeys", "--dbpath", folder.path + "/db"]
        let key = try folder.write("key.asc", signers.owner.armored)
        #expect(try Command.run(rpm + ["--import", key]).status != 0)
        #expect(try Command.run(rpm + ["--define", "_pkgverify_level all", "-K", path]).status != 0)
    }

    @Test func damage() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/a.rpm"
        try SampleRPM().write(to: path)
        var bytes = try folder.read("a.rpm")
        bytes[bytes.count - 1] ^= 1
        try folder.write("a.rpm", bytes)
        let inspection = try Inspection(of: path)
        #expect(inspection.name == "sample-1.0-1.noarch")
        #expect(Set(inspection.digests.filter { $0.state == .bad }.map(\.algorithm)) == ["sha256", "md5"])
        #expect(inspection.problems.count == 1)
    }

    @Test(arguments: ["missing", ".", "a.rpm", "a.ko"])
    func refuses(_ name: String) throws {
        let folder = try TemporaryFolder()
        try folder.write("a.rpm", "no package")
        try folder.write("a.ko", "no module")
        #expect(throws: (any Error).self) { try Inspection(of: folder.path + "/" + name) }
    }
}
