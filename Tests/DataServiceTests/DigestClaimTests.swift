// SPDX-License-Identifier: Apache-2.0

import Artifacts
import Bytes
import Cryptography
import Diagnostics
import Keyring
import SampleFiles
import Signatures
import TestPeers
import TestSupport
import Testing

@testable import DataService

/// EFI images and CMS: the client sends a digest, the server builds all that is signed around it.
@Suite(.needs(.program("sbverify"))) struct DigestClaimTests {
    struct Desk {
        let stand: Stand
        let client: PythonClient
        let images: KeyRecord
        let contents: KeyRecord

        init() async throws {
            stand = try await Stand.make()
            images = try Stand.addSigner("images", .authenticode, to: stand.farm)
            contents = try Stand.addSigner("contents", .cms, to: stand.farm)
            for (key, kind) in [(images, SigningKind.efi), (contents, .cms)] {
                try stand.farm.grant([key], kinds: [kind], to: "spiffe://test/client", of: stand.authority)
            }
            client = try stand.client()
        }
    }

    @Test func signsImages() async throws {
        let desk = try await Desk()
        let folder = try TemporaryFolder()
        let path = try folder.write("a.efi", SampleImage().bytes)
        let artifact = try await apart { try Artifact(reading: path) }
        guard case .image(let claim) = artifact.claim.content, let sbat = claim.sbat else {
            throw CancellationError()
        }
        let answer = desk.client.ask("image images sha256 \(claim.digest) \(Hex.encode(sbat))")
        try #require(answer.count == 5 && answer[1] == "ok", "\(answer)")
        let signature = try Hex.decode(answer[2])
        let root = try Certificate.chain(der: desk.images.certificate.span)[1]
        let rootFile = try folder.write("root.pem", root.pem)
        try await apart { try artifact.patch(embedding: signature).apply() }
        try Command.check(["sbverify", "--cert", rootFile, path])
        try Command.check(["osslsigncode", "verify", "-in", path, "-CAfile", rootFile])

        let record = try #require(desk.stand.farm.records.first).draft
        #expect(record.isBlind && record.content == claim.digest && record.scheme == .authenticode)
        #expect(record.facts == [try Fact("efi-sbat", "sbat,1 sample,3")])
        await desk.stand.stop()
    }

    @Test func signsDigests() async throws {
        let desk = try await Desk()
        let folder = try TemporaryFolder()
        let content = Array("some content".utf8)
        let root = try Certificate.chain(der: desk.contents.certificate.span)[1]
        for algorithm in [DigestAlgorithm.sha256, .sha384, .sha512] {
            let digest = Digest(hashing: content.span, with: algorithm)
            let answer = desk.client.ask("digest contents \(algorithm.rawValue) \(digest)")
            try #require(answer.count == 5 && answer[1] == "ok", "\(answer)")
            try Command.check([
                "openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in",
                folder.write("s", Hex.decode(answer[2])), "-content", folder.write("c", content), "-CAfile",
                folder.write("root.pem", root.pem), "-out", "/dev/null",
            ])
        }
        let records = desk.stand.farm.records.map(\.draft)
        #expect(records.count == 3 && records.allSatisfy { $0.isBlind && $0.facts.isEmpty })
        await desk.stand.stop()
    }

    @Test func refusesWithAReason() async throws {
        let desk = try await Desk()
        let digest = String(repeating: "ab", count: 32)
        let cases: [(String, String)] = [
            ("image images - \(digest)", "bad-claim"), ("image images sha512 \(digest)", "bad-claim"),
            ("image images sha1 \(digest)", "bad-claim"), ("image images sha256 abcd", "bad-claim"),
            ("digest contents sha384 \(digest)", "bad-claim"), ("digest contents - \(digest)", "bad-claim"),
            // Of the wrong form for the kind.
            ("sign images efi \(digest)", "bad-claim"), ("sign contents cms \(digest)", "bad-claim"),
            ("midstate contents cms \(digest)", "bad-claim"),
            // A key of one scheme serves no other.
            ("image contents sha256 \(digest)", "kind-not-granted"),
            ("digest images sha256 \(digest)", "kind-not-granted"),
            ("image modules sha256 \(digest)", "kind-not-granted"),
            // A section that shim does not read.
            ("image images sha256 \(digest) 616263", "artifact-malformed"),
            ("image images sha256 \(digest) \(String(repeating: "00", count: 16_384))", "artifact-malformed"),
        ]
        for (line, code) in cases {
            let answer = desk.client.ask(line)
            #expect(answer.count > 1 && answer[1] == code, "\(line.prefix(40)): \(answer)")
        }
        #expect(desk.stand.farm.records.isEmpty)
        await desk.stand.stop()
    }
}
