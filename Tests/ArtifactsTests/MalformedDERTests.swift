// SPDX-License-Identifier: Apache-2.0

import ASN1
import Bytes
import Cryptography
import Diagnostics
import SampleFiles
import Signatures
import TestSupport
import Testing

@testable import Artifacts

/// DER with spoiled elements: signatures of each form, and certificates. What holds here holds for other programs too.
@Suite struct MalformedDERTests {
    static let count = Trials.count(600, full: 10_000)

    /// Spoils `good` again and again. Of what `isGood` takes, and is not what it was, `othersAgree` decides; reading may
    /// take a second. Returns how many could be read.
    private static func spoil(
        _ good: [UInt8], _ name: String, isGood: ([UInt8]) throws -> Bool?,
        othersAgree: ([UInt8]) throws -> Bool
    ) throws -> Int {
        var mutator = Mutator(Trials.generator("malformed \(name)"))
        var read = 0
        #expect(try isGood(good) == true)
        #expect(try othersAgree(good))
        try Effort.within(64 << 20) {
            for number in 0..<count {
                let bad = mutator.spoil(der: good)
                let found = try Effort.soon("\(name) \(number)") { try isGood(bad) }
                guard let found else { continue }
                read += 1
                guard found, bad != good else { continue }
                #expect(try othersAgree(bad), "\(name): \(Hex.encode(bad))")
            }
        }
        return read
    }

    private static func opensslAccepts(
        _ signature: [UInt8], over content: [UInt8], _ options: [String]
    ) throws -> Bool {
        let folder = try TemporaryFolder()
        return try Command.run(
            [
                "openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", folder.write("s", signature),
                "-content", folder.write("c", content), "-out", "/dev/null",
            ] + options
        ).status == 0
    }

    @Test func contents() throws {
        let signer = try ImageSigner.content.get()
        let content = Array("content".utf8)
        let digest = Digest(hashing: content.span, with: .sha256)
        let good = try signer.sign(Claim(.cms, .digest(digest)), at: ImageSigner.now - 5)
        let trust = SignerTrust(authorities: [signer.root])
        let read = try Self.spoil(
            good, "contents",
            isGood: { bad in
                guard let signature = try? CMSSignature(bad.span) else { return nil }
                return try signature.verdict(on: digest, by: trust, at: ImageSigner.now).isValid
            },
            othersAgree: { try Self.opensslAccepts($0, over: content, ["-CAfile", signer.rootFile]) })
        #expect(read > 0)
    }

    @Test(.needs(.program("sbverify"))) func images() throws {
        let signer = try ImageSigner.made.get()
        let folder = try TemporaryFolder()
        let bare = SampleImage().bytes
        let path = try folder.write("a.efi", bare)
        let artifact = try Artifact(reading: path)
        guard case .image(let claim) = artifact.claim.content else { throw CancellationError() }
        let good = try signer.sign(artifact.claim)
        let trust = SignerTrust(authorities: [signer.root])
        let read = try Self.spoil(
            good, "images",
            isGood: { bad in
                guard let signature = try? AuthenticodeSignature(bad.span) else { return nil }
                return try signature.verdict(on: claim.digest, by: trust, at: ImageSigner.now).isValid
            },
            othersAgree: { bad in
                try folder.write("a.efi", bare)
                try Artifact(reading: path).patch(embedding: bad, replacing: true).apply()
                return try EFIImageTests.sbverify(path, signer.rootFile)
            })
        #expect(read > 0)
    }

    @Test func modules() throws {
        let signer = try KernelModuleTests.Signer.made.get()
        let content = SampleModule.bytes()
        let good = try signer.sign(content)
        let pem = try signer.folder.read("cert.pem")
        let certificates = try Certificate.pem(String(decoding: pem, as: UTF8.self), limit: 1)
        let read = try Self.spoil(
            good, "modules",
            isGood: { bad in
                guard let signature = try? ModuleSignature(bad.span) else { return nil }
                return try signature.verdict(content: content.span, signers: certificates).isValid
            },
            othersAgree: {
                try Self.opensslAccepts(
                    $0, over: content, ["-certfile", signer.certificate, "-nointern", "-noverify"])
            })
        #expect(read > 0)
    }

    /// A signer's certificate and that of the authority above it, one of them spoiled.
    @Test func certificates() throws {
        let signer = try ImageSigner.made.get()
        let time = try #require(ASN1Time(secondsSince1970: ImageSigner.now))
        let policy = ChainPolicy(roots: [signer.root], purpose: .codeSigning, time: time)
        let chain = signer.chain.map(\.der)
        for place in chain.indices {
            let read = try Self.spoil(
                chain[place], "certificates \(place)",
                isGood: { bad in
                    guard let spoilt = try? Certificate(der: bad.span) else { return nil }
                    var all = signer.chain
                    all[place] = spoilt
                    return (try? UnverifiedChain(all[0], intermediates: [all[1]]).validated(by: policy))
                        != nil
                },
                othersAgree: { bad in
                    var all = chain
                    all[place] = bad
                    let folder = try TemporaryFolder()
                    for (index, der) in all.enumerated() {
                        let path = try folder.write("\(index).der", der)
                        try Command.check([
                            "openssl", "x509", "-inform", "DER", "-in", path, "-out",
                            folder.path + "/\(index).pem",
                        ])
                    }
                    return try Command.run([
                        "openssl", "verify", "-CAfile", signer.rootFile, "-untrusted", folder.path + "/1.pem",
                        folder.path + "/0.pem",
                    ]).status == 0
                })
            #expect(read > 0)
        }
    }
}
