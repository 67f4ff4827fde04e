// SPDX-License-Identifier: Apache-2.0

import Artifacts
import Cryptography
import Foundation
import SampleFiles
import Signatures
import TestSupport
import Testing

@testable import Verification

/// Modules and images as Debian ships them, signed here, judged by other programs, and stripped again.
@Suite struct RealFileTests {
    private static func keys(_ signers: Signers) -> TrustedKeys {
        TrustedKeys(certificates: [signers.certificate], authorities: [signers.authority])
    }

    /// All modules of a kernel: what Debian signed comes off, ours goes on and off again.
    @Test(.needs(.program("modinfo"))) func modules() throws {
        let signers = try Signers.made.get()
        let folder = try TemporaryFolder()
        let certificate = try folder.write("signer.pem", signers.certificate.pem)
        let path = folder.path + "/a.ko"
        let all = try DebianFiles.modules(Trials.count(6, full: .max))
        for module in all {
            try Command.check(["cp", module, path])
            try #require(try Artifact.patch(stripping: path)).apply()
            let bare = try folder.read("a.ko")
            try Effort.soon(module) { try signers.sign(path) }
            let signed = try folder.read("a.ko")
            #expect(signed.starts(with: bare))
            let told = try Command.check(["modinfo", path]).text
            #expect(
                told.contains("sig_id:         PKCS#7") && told.contains("signer:         Root"), "\(told)")
            let signature = try folder.write("s", Array(signed[bare.count..<signed.count - 40]))
            let judge = [
                "openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", signature, "-certfile",
                certificate, "-nointern", "-noverify", "-out", "/dev/null", "-content",
            ]
            #expect(try Command.run(judge + [folder.write("c", bare)]).status == 0, "\(module)")
            let verdict = try Effort.soon(module) {
                try FileVerdict(of: path, by: Self.keys(signers), at: Signers.now)
            }
            #expect(verdict.outcome == .good, "\(module)")
            // One byte is another.
            var changed = bare
            changed[bare.count / 2] ^= 1
            #expect(try Command.run(judge + [folder.write("c", changed)]).status != 0)
            try folder.write("b.ko", changed + signed[bare.count...])
            let refused = try? FileVerdict(
                of: folder.path + "/b.ko", as: .module, by: Self.keys(signers), at: Signers.now)
            #expect(refused?.outcome != .good)
            // Again at the same place, the same bytes; and off.
            try Artifact.patch(stripping: path)?.apply()
            #expect(try folder.read("a.ko") == bare)
            try signers.sign(path)
            #expect(try folder.read("a.ko") == signed)
        }
        print("modules of a kernel: \(all.count)")
    }

    /// All images, among them those of a vendor, whose signatures stay or give way.
    @Test(.needs(.program("sbverify"))) func images() throws {
        let signers = try Signers.made.get()
        for file in try DebianFiles.images() {
            let folder = try TemporaryFolder()
            let path = folder.path + "/a.efi"
            try Command.check(["cp", file, path])
            let original = try folder.read("a.efi")
            let vendors = try Inspection(of: path)
            try check(path, in: folder, signers, file)
            // The vendor's is still there, and about the same image.
            let both = try Inspection(of: path)
            #expect(both.signatures.count == vendors.signatures.count + 1)
            #expect(both.digests.allSatisfy { $0.state != .bad }, "\(file)")

            try #require(try Artifact.patch(stripping: path)).apply()
            let bare = try folder.read("a.efi")
            // Where nothing was signed before, all that changes is the checksum and the padding.
            if vendors.signatures.isEmpty {
                let padded = original + [UInt8](repeating: 0, count: (8 - original.count % 8) % 8)
                let differing = zip(bare, padded).count { $0 != $1 }
                #expect(bare.count == padded.count && differing <= 4, "\(file)")
            }
            try check(path, in: folder, signers, file)
            let signed = try folder.read("a.efi")
            let isTaken =
                try Command.run([
                    "osslsigncode", "verify", "-in", path, "-CAfile", folder.path + "/root.pem",
                ]).status == 0
            #expect(isTaken, "\(file)")
            try #require(try Artifact.patch(stripping: path)).apply()
            #expect(try folder.read("a.efi") == bare, "\(file)")
            try signers.sign(path)
            #expect(try folder.read("a.efi") == signed, "\(file)")
        }
    }

    /// Signs an image, and sees that others take it, and none with one changed byte.
    private func check(
        _ path: String, in folder: TemporaryFolder, _ signers: Signers, _ name: String
    ) throws {
        try signers.sign(path)
        let root = try folder.write("root.pem", signers.authority.pem)
        func isGood() throws -> (ours: Bool, theirs: Bool) {
            let verdict = try? FileVerdict(of: path, by: Self.keys(signers), at: Signers.now)
            return (
                verdict?.outcome == .good,
                try Command.run(["sbverify", "--cert", root, path]).status == 0
            )
        }
        #expect(try isGood() == (true, true), "\(name)")
        let signed = try folder.read("a.efi")
        var changed = signed
        changed[signed.count / 3] ^= 1
        try folder.write("a.efi", changed)
        #expect(try isGood() == (false, false), "\(name)")
        try folder.write("a.efi", signed)
    }

    /// A kernel and a file system of noise in one image, made as distributions make them, of 100 MB.
    @Test(.needs(.program("objcopy")), .needs(.program("sbverify"))) func unifiedKernelImage() throws {
        let signers = try Signers.made.get()
        let images = try DebianFiles.images()
        let stub = try #require(images.first { $0.hasSuffix("linuxx64.efi.stub") })
        let kernel = try #require(images.first { $0.contains("vmlinuz") })
        let folder = try TemporaryFolder()
        let size = Trials.count(4, full: 90)
        try Command.check([
            "sh", "-c", "head -c \(size)M /dev/urandom > \"$0\"", folder.path + "/initrd",
        ])
        try folder.write("cmdline", "quiet\n")
        let path = folder.path + "/uki.efi"
        var words = ["objcopy"]
        for (name, file, place) in [
            (".cmdline", folder.path + "/cmdline", "0x30000"), (".linux", kernel, "0x2000000"),
            (".initrd", folder.path + "/initrd", "0x4000000"),
        ] {
            words += ["--add-section", "\(name)=\(file)", "--change-section-vma", "\(name)=\(place)"]
        }
        try Command.check(words + [stub, path])
        let before = try Command.check(["sha256sum", path]).text
        try Effort.within(16 << 20) {
            try signers.sign(path)
            let verdict = try FileVerdict(of: path, by: Self.keys(signers), at: Signers.now)
            #expect(verdict.outcome == .good)
            let inspection = try Inspection(of: path)
            #expect(inspection.facts.contains { $0.value.hasPrefix(".initrd, \(size << 20) bytes") })
        }
        let root = try folder.write("root.pem", signers.authority.pem)
        try Command.check(["sbverify", "--cert", root, path])
        let signed = try Command.check(["sha256sum", path]).text
        #expect(signed != before)
        try #require(try Artifact.patch(stripping: path)).apply()
        try signers.sign(path)
        #expect(try Command.check(["sha256sum", path]).text == signed)
    }
}
