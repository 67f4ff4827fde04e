// SPDX-License-Identifier: Apache-2.0

import Artifacts
import Cryptography
import SampleFiles
import Signatures
import TestSupport
import Testing

@testable import Verification

/// What others sign with X.509 keys holds here, and not with one changed byte; rpmsign, GnuPG and debsign stand elsewhere.
@Suite struct ForeignSignerTests {
    static let signFile = Repository.path(".build/tools/usr/lib/linux-kbuild-6.1/scripts/sign-file")

    /// The signing program, by name, with the file, the key, the certificate and what it writes.
    static let programs: [(String, SigningKind, @Sendable (String, String, String) -> [String])] = [
        ("sign-file", .module, { [signFile, "sha256", $1, $2, $0] }),
        ("sign-file with key identifiers", .module, { [signFile, "-k", "sha512", $1, $2, $0] }),
        ("sbsign", .efi, { ["sbsign", "--key", $1, "--cert", $2, "--output", $0, $0] }),
        (
            "osslsigncode", .efi,
            {
                [
                    "sh", "-c",
                    "osslsigncode sign -h sha256 -key \"$1\" -certs \"$2\" -in \"$0\" -out \"$0.new\" && mv \"$0.new\" \"$0\"",
                    $0, $1, $2,
                ]
            }
        ),
        (
            "openssl", .cms,
            {
                [
                    "openssl", "cms", "-sign", "-binary", "-md", "sha256", "-inkey", $1, "-signer", $2, "-in",
                    $0,
                    "-outform", "DER", "-out", $0 + ".p7s",
                ]
            }
        ),
        (
            "openssl with SHA-512 and a key identifier", .cms,
            {
                [
                    "openssl", "cms", "-sign", "-binary", "-keyid", "-md", "sha512", "-inkey", $1, "-signer",
                    $2, "-in", $0, "-outform", "DER", "-out", $0 + ".p7s",
                ]
            }
        ),
    ]

    @Test(.needs(.program("sbsign")), .needs(.program("osslsigncode")), arguments: programs.indices)
    func holds(_ index: Int) throws {
        let (name, kind, command) = Self.programs[index]
        let (signers, others) = (try Signers.made.get(), try Signers.others.get())
        let folder = try TemporaryFolder()
        let bare =
            switch kind {
            case .module: SampleModule.bytes()
            case .efi: SampleImage().bytes
            default: Array("content of a file".utf8)
            }
        let path = try folder.write("file", bare)
        let key = try folder.write("key.pem", signers.pem(for: kind))
        let certificate = kind == .module ? signers.certificate : try signers.certificate(for: kind)
        let file = try folder.write("cert.pem", certificate.pem)
        try Command.check(command(path, key, file))
        func outcome(_ keys: TrustedKeys) throws -> FileVerdict.Outcome {
            try FileVerdict(of: path, by: keys, at: Signers.later).outcome
        }
        let own = TrustedKeys(certificates: [certificate])
        #expect(try outcome(own) == .good, "\(name)")
        if kind != .module { #expect(try outcome(TrustedKeys(authorities: [signers.authority])) == .good) }
        #expect(try outcome(TrustedKeys(authorities: [others.authority])) == .unknown)
        var changed = try folder.read("file")
        changed[bare.count / 2] ^= 1
        try folder.write("file", changed)
        #expect((try? outcome(own)) == .refused)
    }
}
