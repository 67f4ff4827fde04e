// SPDX-License-Identifier: Apache-2.0

import Cryptography
import Foundation
import SampleFiles
import Signatures
import TestSupport
import Testing

@testable import Verification

/// Files and modules with changed bits: the verdict beside those of gpgv and sqv, and of openssl.
@Suite struct AgreementTests {
    /// GnuPG's signature over a file. Each of the three is asked about the file and the signature with one changed bit.
    @Test(arguments: ["rsa2048", "ed25519"])
    func documents(_ algorithm: String) throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("a.txt", String(repeating: "a text\n", count: 40))
        let gpg = ["gpg", "--homedir", folder.path, "--batch", "--quiet", "--passphrase", ""]
        defer { _ = try? Command.run(["gpgconf", "--homedir", folder.path, "--kill", "all"]) }
        try Command.check(gpg + ["--quick-generate-key", "Q <q@x>", algorithm, "sign,cert", "never"])
        try Command.check(gpg + ["--output", path + ".sig", "--detach-sign", path])
        let ring = try folder.write("ring.gpg", try Command.check(gpg + ["--export"]).stdout)
        let exported = try folder.read("ring.gpg")
        var keys = TrustedKeys()
        try keys.add(contentsOf: exported.span, name: "ring")
        func judge(_ signature: [UInt8]) throws -> (ours: Bool, gpgv: Bool, sqv: Bool) {
            let file = try folder.write("changed.sig", signature)
            let verdict = try? FileVerdict(
                of: path, as: .generic, by: keys, at: Signers.later, detached: signature)
            return (
                verdict?.outcome == .good,
                try Command.run(["gpgv", "--keyring", ring, file, path]).status == 0,
                try Command.run(["sqv", "--keyring", ring, file, path]).status == 0
            )
        }
        let (text, signature) = (try folder.read("a.txt"), try folder.read("a.txt.sig"))
        #expect(try judge(signature) == (true, true, true))
        var random = Trials.generator("changed documents")
        // Behind the part that is signed come the hint at the issuer and the two bytes of the digest.
        let hashed =
            9 + Int(signature[signature[0] & 1 == 0 ? 6 : 7]) << 8
            + Int(signature[signature[0] & 1 == 0 ? 7 : 8])
        for _ in 0..<Trials.count(12, full: 500) {
            var changed = signature
            let place = Int.random(in: signature.indices, using: &random)
            changed[place] ^= 1 << UInt8.random(in: 0...7, using: &random)
            let verdicts = try judge(changed)
            // The hint is unsigned: some look for the key by it.
            if place >= hashed, place < hashed + 16 { continue }
            #expect(!verdicts.ours || verdicts.gpgv && verdicts.sqv, "byte \(place): \(verdicts)")
        }
        for _ in 0..<Trials.count(4, full: 50) {
            var changed = text
            changed[Int.random(in: text.indices, using: &random)] ^=
                1 << UInt8.random(in: 0...7, using: &random)
            try folder.write("a.txt", changed)
            #expect(try judge(signature) == (false, false, false))
        }
    }

    /// A signed module: what modinfo finds in it, and what openssl says of the signature that is cut off.
    @Test func modules() throws {
        let signers = try Signers.made.get()
        let folder = try TemporaryFolder()
        let path = try folder.write("a.ko", SampleModule.bytes())
        try signers.sign(path)
        let signed = try folder.read("a.ko")
        let size = SampleModule.bytes().count
        let certificate = try folder.write("signer.pem", signers.certificate.pem)
        #expect(try Command.run(["/sbin/modinfo", "-F", "sig_id", path]).text.hasPrefix("PKCS#7"))
        func opensslAccepts(_ file: [UInt8]) throws -> Bool {
            let content = try folder.write("content", Array(file[..<size]))
            let signature = try folder.write("signature", Array(file[size..<file.count - 40]))
            return try Command.run([
                "openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", signature, "-content",
                content,
                "-certfile", certificate, "-nointern", "-noverify", "-out", "/dev/null",
            ]).status == 0
        }
        let keys = FileVerdictTests.keys(signers)
        func isGood(_ file: [UInt8]) throws -> Bool {
            try folder.write("b.ko", file)
            let verdict = try? FileVerdict(of: folder.path + "/b.ko", as: .module, by: keys, at: Signers.now)
            return verdict?.outcome == .good
        }
        #expect(try isGood(signed) && opensslAccepts(signed))
        var random = Trials.generator("changed modules")
        for number in 0..<Trials.count(30, full: 1_000) {
            var changed = signed
            // Every other change is in the signature.
            let range = number.isMultiple(of: 2) ? 0..<size : size..<signed.count - 40
            let place = Int.random(in: range, using: &random)
            changed[place] ^= 1 << UInt8.random(in: 0...7, using: &random)
            #expect(try !isGood(changed), "byte \(place)")
            // Nobody else may take for signed what was changed in the module itself.
            if place < size { #expect(try !opensslAccepts(changed)) }
        }
    }
}
