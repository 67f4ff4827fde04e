// SPDX-License-Identifier: Apache-2.0

import Bytes
import Diagnostics
import Foundation
import SampleFiles
import Signatures
import TestSupport
import Testing

@testable import Artifacts

@Suite struct KernelModuleTests {
    static let signFile = Repository.path(".build/tools/usr/lib/linux-kbuild-6.1/scripts/sign-file")

    /// A key and certificate as a kernel's builder makes them.
    final class Signer: Sendable {
        let folder: TemporaryFolder
        var key: String { folder.path + "/key.pem" }
        var certificate: String { folder.path + "/cert.pem" }

        static let made = Result { try Signer() }

        private init() throws {
            folder = try TemporaryFolder()
            try Command.check([
                "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout",
                folder.path + "/key.pem",
                "-out", folder.path + "/cert.pem", "-subj", "/CN=Module signer", "-days", "10", "-sha256",
            ])
        }

        /// The bare signature, as a server sends it.
        func sign(_ content: [UInt8]) throws -> [UInt8] {
            let scratch = try TemporaryFolder()
            let path = try scratch.write("content", content)
            return try Command.check([
                "openssl", "cms", "-sign", "-binary", "-noattr", "-nocerts", "-nosmimecap", "-md", "sha256",
                "-inkey",
                key, "-signer", certificate, "-in", path, "-outform", "DER",
            ]).stdout
        }

        func verifies(_ content: [UInt8], _ signature: [UInt8]) throws -> Bool {
            let scratch = try TemporaryFolder()
            return try Command.run([
                "openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in",
                scratch.write("s", signature),
                "-content", scratch.write("c", content), "-certfile", certificate, "-noverify", "-out",
                "/dev/null",
            ]).status == 0
        }
    }

    @Test(arguments: [true, false], [ByteOrder.little, .big])
    func tellsWhatAModuleIs(_ wide: Bool, _ order: ByteOrder) throws {
        let facts = try #require(
            try Claim(.module, .bytes(SampleModule.bytes(wide: wide, order))).facts().module)
        #expect(facts.name == "sample")
        #expect(facts.kernel == "6.1.0 SMP")
        #expect(facts.machine == (wide ? 62 : 40))
    }

    /// Every module of a Debian kernel: recognised, taken, and of the name that modinfo finds.
    @Test(.needs(.program("modinfo"))) func signsModulesOfADebianKernel() throws {
        let signer = try Signer.made.get()
        let modules = try DebianFiles.modules(Trials.count(5, full: 2000))
        #expect(!modules.isEmpty)
        for module in modules {
            let folder = try TemporaryFolder()
            let path = folder.path + "/m.ko"
            try Command.check(["cp", module, path])
            if let patch = try Artifact.patch(stripping: path) { try patch.apply() }
            let bare = try folder.read("m.ko")
            let artifact = try Artifact(reading: path)
            #expect(artifact.kind == .module)
            #expect(artifact.claim.content == .bytes(bare))
            let modinfo = try Command.check(["modinfo", "-F", "name", path]).text
            #expect(try artifact.claim.facts().module?.name.map { $0 + "\n" } == modinfo)

            try artifact.patch(embedding: signer.sign(bare)).apply()
            #expect(try Command.check(["modinfo", "-F", "signer", path]).text == "Module signer\n")
            #expect(try Command.check(["modinfo", "-F", "sig_id", path]).text == "PKCS#7\n")
            let signed = try folder.read("m.ko")
            try compareWithSignFile(signed, bare)
            let again = try Artifact(reading: path)
            #expect(again.claim == artifact.claim)
            #expect(try signer.verifies(bare, #require(again.signatures.first)))
            try #require(try Artifact.patch(stripping: path)).apply()
            #expect(try folder.read("m.ko") == bare)
        }
    }

    /// The kernel's own program writes the same file, but for the form of the digest's name in the signature.
    private func compareWithSignFile(_ signed: [UInt8], _ bare: [UInt8]) throws {
        let signer = try Signer.made.get()
        let folder = try TemporaryFolder()
        let path = try folder.write("s.ko", bare)
        try Command.check([Self.signFile, "sha256", signer.key, signer.certificate, path])
        let theirs = try folder.read("s.ko")
        #expect(theirs.suffix(28) == signed.suffix(28))
        #expect(theirs.suffix(40).prefix(8) == signed.suffix(40).prefix(8))
        // What sign-file wrote is read, stripped and put back here.
        let artifact = try Artifact(reading: path)
        let signature = try #require(artifact.signatures.first)
        #expect(try signer.verifies(bare, signature))
        try #require(try Artifact.patch(stripping: path)).apply()
        #expect(try folder.read("s.ko") == bare)
        try Artifact(reading: path).patch(embedding: signature).apply()
        #expect(try folder.read("s.ko") == theirs)
    }

    @Test func replacesOnlyWhenAsked() throws {
        let folder = try TemporaryFolder()
        let module = SampleModule.bytes()
        let path = try folder.write("a.ko", module + ModuleTrailer.append([0x30, 1, 1]))
        let artifact = try Artifact(reading: path)
        #expect(artifact.signatures == [[0x30, 1, 1]])
        let error = #expect(throws: ArtifactError.self) { try artifact.patch(embedding: [2]) }
        #expect(error?.code.id == "artifact-signed")
        try artifact.patch(embedding: [0x30, 1, 2], replacing: true).apply()
        #expect(try folder.read("a.ko") == module + ModuleTrailer.append([0x30, 1, 2]))
    }

    @Test func takesAllOfSeveralSignaturesAway() throws {
        let folder = try TemporaryFolder()
        let module = SampleModule.bytes()
        let signed = module + ModuleTrailer.append([0x30, 1, 1]) + ModuleTrailer.append([0x30, 1, 2])
        let path = try folder.write("a.ko", signed)
        let artifact = try Artifact(reading: path)
        #expect(artifact.claim.content == .bytes(module))
        // A kernel looks at the last one, over all that is before it.
        #expect(artifact.signatures == [[0x30, 1, 2]])
        let last = try #require(try Artifact.outermostSignature(ofModule: path))
        #expect(
            last.signature == [0x30, 1, 2] && last.content == module + ModuleTrailer.append([0x30, 1, 1]))
        try #require(try Artifact.patch(stripping: path)).apply()
        #expect(try folder.read("a.ko") == module)
        #expect(try Artifact.outermostSignature(ofModule: path) == nil)
    }

    /// The same bytes as sign-file puts beside a module, where modules are signed later.
    @Test func signsBesideTheModule() throws {
        let signer = try Signer.made.get()
        let folder = try TemporaryFolder()
        let module = SampleModule.bytes()
        let path = try folder.write("a.ko", module)
        try Command.check([Self.signFile, "-dp", "sha256", signer.key, signer.certificate, path])
        let theirs = try folder.read("a.ko.p7s")
        let artifact = try Artifact(reading: path, form: .detached)
        #expect(artifact.kind == .module && artifact.signatures == [theirs])
        try #require(try Artifact.patch(stripping: path, form: .detached)).apply()
        #expect(try Artifact.patch(stripping: path, form: .detached) == nil)
        let patch = try Artifact(reading: path, form: .detached).patch(embedding: theirs)
        #expect(patch.target == path + ".p7s")
        try patch.apply()
        #expect(try folder.read("a.ko") == module && folder.read("a.ko.p7s") == theirs)
        #expect(try signer.verifies(module, folder.read("a.ko.p7s")))
        #expect(try Artifact.signatures(of: path, as: .module, form: .detached) == [theirs])
        #expect(try Artifact.signatures(of: path, as: .module).isEmpty)
        // Not over what is no signature, and not beside a module that has one inside.
        try folder.write("a.ko.p7s", "text")
        #expect(throws: ArtifactError.self) {
            try Artifact(reading: path, form: .detached).patch(embedding: theirs)
        }
        #expect(throws: ArtifactError.self) { try Artifact.patch(stripping: path, form: .detached) }
        try Artifact(reading: path).patch(embedding: theirs).apply()
        let error = #expect(throws: ArtifactError.self) { try Artifact(reading: path, form: .detached) }
        #expect(error?.code.id == "artifact-signed")
        let image = try folder.write("a.efi", SampleImage().bytes)
        #expect(throws: ArtifactError.self) { try Artifact(reading: image, form: .detached) }
    }

    /// A part of one byte at a time says the same as the whole.
    @Test func judgesAModuleByItsEnds() throws {
        let module = SampleModule.bytes()
        let cases: [([UInt8], Bool)] = [
            (module, true), (module + ModuleTrailer.append([1]), false), (Array(module.dropFirst()), false),
            (Array(module.prefix(51)), false), (Array(module.prefix(52)), true), ([], false),
        ]
        for (content, isGood) in cases {
            for step in [1, 7, 40, 5000] {
                var ends = ModuleEnds()
                var rest = content[...]
                while !rest.isEmpty {
                    ends.take(Array(rest.prefix(step)))
                    rest = rest.dropFirst(step)
                }
                #expect(ends.held <= 80)
                #expect(((try? ends.check()) != nil) == isGood)
            }
        }
    }

    struct Bad: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var name = "a.ko"
        var code = "artifact-malformed"
        var message: String
        var change: @Sendable (inout [UInt8]) -> Void
    }

    static let bad: [Bad] = [
        Bad(testDescription: "text", message: "no relocatable ELF") { $0 = Array("hello".utf8) },
        Bad(testDescription: "empty", message: "no relocatable ELF") { $0 = [] },
        Bad(testDescription: "an executable", message: "no relocatable ELF") { $0[16] = 2 },
        Bad(testDescription: "an unknown class", message: "no relocatable ELF") { $0[4] = 3 },
        Bad(testDescription: "an unknown order", message: "no relocatable ELF") { $0[5] = 3 },
        Bad(testDescription: "cut off", message: "truncated") { $0.removeLast(100) },
        Bad(testDescription: "only the start", message: "no relocatable ELF") { $0 = Array($0.prefix(30)) },
        Bad(testDescription: "no sections", message: "ELF header") { $0[60] = 0 },
        Bad(testDescription: "names outside of the sections", message: "ELF header") { $0[62] = 9 },
        Bad(testDescription: "a table far away", message: "ELF header") { $0[47] = 0x80 },
        Bad(testDescription: "a section outside", message: "truncated") { $0[$0.count - 64 + 24 + 3] = 1 },
        Bad(testDescription: "a trailer of another form", message: "trailer") {
            $0 += ModuleTrailer.append([0x30, 0])
            $0[$0.count - 38] = 1
        },
        Bad(testDescription: "a trailer with more than the file", message: "trailer") {
            $0 += ModuleTrailer.append([0x30, 0])
            $0[$0.count - 32] = 1
        },
        Bad(testDescription: "signatures without end", message: "more than 16 signatures") {
            for _ in 0...16 { $0 += ModuleTrailer.append([0x30, 0]) }
        },
        Bad(testDescription: "gzip", name: "a.ko.gz", code: "artifact-unsupported", message: "gzip -d") {
            $0 = [0x1f, 0x8b, 8, 0]
        },
        Bad(testDescription: "xz", name: "a.ko.xz", code: "artifact-unsupported", message: "xz -d") {
            $0 = [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]
        },
        Bad(testDescription: "zstd under a plain name", code: "artifact-unsupported", message: "zstd -d") {
            $0 = [0x28, 0xb5, 0x2f, 0xfd]
        },
    ]

    @Test(arguments: bad)
    func refuses(_ bad: Bad) throws {
        let folder = try TemporaryFolder()
        var bytes = SampleModule.bytes()
        bad.change(&bytes)
        let path = try folder.write(bad.name, bytes)
        let error = #expect(throws: ArtifactError.self) { try Artifact(reading: path) }
        #expect(error?.code.id == bad.code)
        #expect(error?.message.contains(bad.message) == true, "\(error?.message ?? "")")
    }

    /// A server takes no module that has a signature still, since it would sign that too.
    @Test func refusesAClaimWithASignature() {
        let claim = Claim(.module, .bytes(SampleModule.bytes() + ModuleTrailer.append([1, 2, 3])))
        #expect(throws: ArtifactError.self) { try claim.facts() }
    }

    @Test func recognisesByContentThenByName() throws {
        let folder = try TemporaryFolder()
        let module = SampleModule.bytes()
        #expect(try Artifact.kind(of: folder.write("driver", module)) == .module)
        #expect(try Artifact.kind(of: folder.write("package", SampleRPM().bytes)) == .rpm)
        #expect(try Artifact.kind(of: folder.write("a.rpm", [1, 2, 3])) == .rpm)
        #expect(try Artifact.kind(of: folder.write("SHA256SUMS", Array("text".utf8))) == .generic)
        #expect(try Artifact.kind(of: folder.write("empty", [])) == .generic)
        // An object file that is no module.
        let object = SampleModule.bytes().replacing(Array(".modinfo".utf8), with: Array(".comment".utf8))
        #expect(try Artifact.kind(of: folder.write("a.o", object)) == .generic)
    }

    /// Whether an object file is a module shows in its tables; no more of it is read, whatever it is called.
    @Test(arguments: [true, false]) func recognisesLargeObjectsInLittleMemory(_ isModule: Bool) throws {
        let folder = try TemporaryFolder()
        var bytes = SampleModule.bytes()
        if !isModule, let name = bytes.ranges(of: Array(".modinfo".utf8)).last {
            bytes[name.lowerBound] = 0x2c
        }
        // A hole between the sections and their table.
        let table = bytes[40..<48].reversed().reduce(0) { $0 << 8 | Int($1) }
        let moved = table + (40 << 20)
        for index in 0..<8 { bytes[40 + index] = UInt8(truncatingIfNeeded: moved >> (8 * index)) }
        let path = try folder.write("large.o", Array(bytes[..<table]))
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try file.seek(toOffset: UInt64(moved))
        try file.write(contentsOf: Data(bytes[table...]))
        try file.close()
        let before = Effort.peakMemory
        let survey = try Artifact.survey(of: path)
        #expect(survey.kind == (isModule ? .module : .generic))
        #expect((isModule ? 40 << 20...41 << 20 : 1 << 20...1 << 20).contains(survey.memory))
        #expect(Effort.peakMemory - before < 8 << 20)
    }
}
