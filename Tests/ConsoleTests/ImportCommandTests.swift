// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Foundation
import TestSupport
import Testing

@testable import Console

@Suite struct ImportCommandTests {
    private let folder: TemporaryFolder
    private static let key = #"{"id":"7","name":"release","key_type":"pgp","key_state":"disabled"}"#

    init() throws { folder = try TemporaryFolder() }

    private func bench() -> Bench {
        Bench(
            desk: PaperDesk([
                "POST /api/v1/keys/import": (201, Self.key), "GET /api/v1/keys/release": (200, Self.key),
                "POST /api/v1/keys/7/actions/renew": (200, Self.key),
                "POST /api/v1/keys/7/certificates": (201, Self.key),
                "GET /api/v1/keys/7/certificate": (200, "PEM\n"),
            ]))
    }

    private func body(_ bench: Bench) throws -> [String: Any] {
        let text = try #require(bench.desk.asked.withLock { $0.last { $0.target.hasPrefix("POST") } }).body
        return try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    @Test func bringsATextWithItsPassphrase() async throws {
        let text = "-----BEGIN PGP PRIVATE KEY BLOCK-----\r\n\nxyz=\n-----END PGP PRIVATE KEY BLOCK-----\n"
        let file = try folder.write("key.asc", text, mode: 0o600)
        let word = try folder.write("word", "a \"word\" \\ ü\n", mode: 0o600)
        let bench = bench()
        let status = await bench.run(
            "key", "import", "release", file, "--type", "openpgp", "--passphrase-file", word, "--description",
            "of old")
        #expect(status == 0, "\(bench.paper.notes)")
        let sent = try body(bench)
        #expect(sent["private_key"] as? String == text)
        #expect(sent["passphrase"] as? String == "a \"word\" \\ ü")
        #expect(sent["name"] as? String == "release" && sent["key_type"] as? String == "pgp")
        #expect(sent["description"] as? String == "of old" && sent["visibility"] as? String == "public")
        #expect(!bench.paper.out.contains("xyz") && !bench.paper.notes.contains("xyz"))
    }

    @Test func bringsBytesWithACertificate() async throws {
        let bytes: [UInt8] = [0x30, 0, 0xff, 0x22, 0x5c] + Array(0...200)
        let file = try folder.write("key.der", bytes, mode: 0o600)
        let certificate = try folder.write("cert.pem", "a certificate")
        let bench = bench()
        #expect(
            await bench.run(
                "key", "import", "images", file, "--type", "efi", "--certificate", certificate, "--private")
                == 0)
        let sent = try body(bench)
        #expect(sent["private_key"] as? String == Data(bytes).base64EncodedString())
        #expect(sent["passphrase"] == nil && sent["visibility"] as? String == "private")
        #expect(sent["key_type"] as? String == "x509ee" && sent["certificate"] as? String == "a certificate")
        #expect(sent["attributes"] as? [String: String] == ["x509_ee_usage": "efi"])
    }

    @Test func refusesFilesThatOthersRead() async throws {
        let file = try folder.write("key", "-----BEGIN X-----\n", mode: 0o644)
        let bench = bench()
        #expect(await bench.run("key", "import", "release", file, "--type", "ca") != 0)
        #expect(await bench.run("key", "import", "release", folder.path + "/none", "--type", "ca") != 0)
        let odd = try folder.write("odd", "-----BEGIN X-----\n\u{1}\n", mode: 0o600)
        #expect(await bench.run("key", "import", "release", odd, "--type", "ca") != 0)
        #expect(bench.desk.asked.withLock { $0.isEmpty })
    }

    @Test func issuesAndRenews() async throws {
        let request = try folder.write("csr", "a request")
        let bench = bench()
        #expect(
            await bench.run(
                "key", "issue", "vendor", request, "--ca", "release", "--type", "module", "--expires", "10d")
                == 0)
        let sent = try body(bench)
        #expect(sent["usage"] as? String == "ko" && sent["request"] as? String == "a request")
        #expect(bench.paper.out == "PEM\n")
        #expect(await bench.run("key", "renew", "release", "--expires", "10d") == 0)
        #expect(try body(bench)["expire_at"] as? String == "2023-11-24T22:13:20Z")
    }
}
