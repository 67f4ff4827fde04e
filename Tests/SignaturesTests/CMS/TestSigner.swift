// SPDX-License-Identifier: Apache-2.0

import ASN1
import Cryptography
import TestSupport

@testable import Signatures

/// A signer below an intermediate authority below a root, and his files for other programs.
struct TestSigner {
    let key: PrivateKey
    let root: TestAuthority
    let issuing: Certificate
    let certificate: Certificate
    let folder: TemporaryFolder

    init(_ algorithm: KeyAlgorithm, _ profile: CertificateProfile, key: PrivateKey? = nil) throws {
        self.key = try key ?? TestKeys.key(algorithm)
        root = try TestAuthority(.rsa3072)
        // The issuing authority has a key of its own.
        let middle = try TestKeys.other.get()
        issuing = try root.issue("Issuing", middle.publicKey, .authority(pathLength: 0), days: 100)
        certificate = try TestAuthority.draft(
            DistinguishedName(commonName: "Signer"), self.key.publicKey, profile
        ).signed(by: TestKeys.handle(middle), issuer: issuing)
        folder = try TemporaryFolder()
        try folder.write("root.pem", root.certificate.pem)
        try folder.write("issuing.pem", issuing.pem)
        try folder.write("leaf.pem", certificate.pem)
        try folder.write("key.pem", TestKeys.pem(self.key))
    }

    var chain: [Certificate] { [certificate, issuing] }
    var trust: SignerTrust { SignerTrust(authorities: [root.certificate]) }
    func file(_ name: String) -> String { folder.path + "/" + name }

    func sign(content digest: Digest, at time: Int64 = TestKeys.now) throws -> [UInt8] {
        let draft = try CMSSignatureDraft(contentDigest: digest, signer: chain, created: time)
        return try draft.signed(by: SigningHandle(key, draft.algorithm))
    }

    func sign(image digest: Digest, at time: Int64 = TestKeys.now) throws -> [UInt8] {
        let draft = try AuthenticodeDraft(imageDigest: digest, signer: chain, created: time)
        return try draft.signed(by: SigningHandle(key, draft.algorithm))
    }
}
