// SPDX-License-Identifier: Apache-2.0

import Artifacts
import Cryptography
import SampleFiles
import Signatures
import TestSupport
import Testing

@testable import Verification

/// rpm's own judgement of packages that are signed here, by each sort of key that it knows.
@Suite struct RPMAcceptanceTests {
    static let cases: [(KeyAlgorithm, KeyAlgorithm?, DigestAlgorithm)] = [
        (.rsa2048, nil, .sha256), (.rsa3072, nil, .sha384), (.ed25519, nil, .sha256),
        (.ed25519, nil, .sha512),
        (.rsa2048, .rsa3072, .sha256), (.rsa2048, .ed25519, .sha512),
    ]

    @Test(arguments: cases)
    func rpmAccepts(_ algorithm: KeyAlgorithm, _ subkey: KeyAlgorithm?, _ digest: DigestAlgorithm) throws {
        let key = try PrivateKey.generate(algorithm)
        let second = try subkey.map { try PrivateKey.generate($0) }
        func handle(_ key: PrivateKey, _ digest: DigestAlgorithm) throws -> SigningHandle {
            try SigningHandle(key, key.algorithm == .ed25519 ? .ed25519 : .rsaPKCS1(digest))
        }
        let created = Signers.now - 100
        let owner = try OpenPGPCertificateDraft(
            userID: "Farm <farm@example.com>", key: key.publicKey, created: created,
            expires: created + 86_400, signingSubkey: second?.publicKey
        ).signed(by: handle(key, .sha512), subkey: second.map { try handle($0, .sha512) })

        let folder = try TemporaryFolder()
        let path = folder.path + "/sample.rpm"
        try SampleRPM().write(to: path)
        let artifact = try Artifact(reading: path)
        guard case .bytes(let header) = artifact.claim.content else { throw CancellationError() }
        let signing = second ?? key
        let draft = try OpenPGPSignatureDraft(
            content: header.span, digest: digest,
            signer: owner.signer(for: signing.publicKey, at: Signers.now),
            created: Signers.now)
        try artifact.patch(embedding: draft.signed(by: handle(signing, digest))).apply()

        let rpm = ["rpmkeys", "--dbpath", folder.path + "/db"]
        try Command.check(rpm + ["--import", try folder.write("key.asc", owner.armored)])
        let checked = try Command.run(rpm + ["--define", "_pkgverify_level all", "-Kv", path])
        #expect(checked.status == 0, "\(checked.text)\(checked.errorText)")
        let name = algorithm == .ed25519 && subkey == nil || subkey == .ed25519 ? "EdDSA" : "RSA"
        #expect(checked.text.contains("V4 \(name)/\(digest.rawValue.uppercased()) Signature, key ID"))
        let verdict = try FileVerdict(of: path, by: TrustedKeys(openPGP: [owner]), at: Signers.now)
        #expect(verdict.outcome == .good)
    }
}
