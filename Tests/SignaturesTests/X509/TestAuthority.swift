// SPDX-License-Identifier: Apache-2.0

import ASN1
import Cryptography

@testable import Signatures

/// An authority of the tests with one key of an algorithm.
struct TestAuthority {
    var certificate: Certificate
    var handle: SigningHandle

    init(_ algorithm: KeyAlgorithm, _ digest: DigestAlgorithm = .sha256, pathLength: Int? = 1) throws {
        handle = try TestKeys.handle(algorithm, digest)
        let name = try DistinguishedName([
            (DistinguishedName.country, "DE"), (DistinguishedName.organization, "Büro & Söhne"),
            (DistinguishedName.commonName, "Root of \(algorithm.rawValue)"),
        ])
        certificate = try Self.draft(
            name, handle.publicKey, .authority(pathLength: pathLength), days: 3650
        ).selfSigned(by: handle)
    }

    static func draft(
        _ name: DistinguishedName, _ key: PublicKey, _ profile: CertificateProfile, days: Int64 = 30
    ) throws -> CertificateDraft {
        CertificateDraft(
            subject: name, key: key, serial: try .random(), notBefore: try TestKeys.time(days: 0),
            notAfter: try TestKeys.time(days: days), profile: profile)
    }

    func issue(
        _ name: String, _ key: PublicKey, _ profile: CertificateProfile, days: Int64 = 30
    ) throws -> Certificate {
        try Self.draft(DistinguishedName(commonName: name), key, profile, days: days)
            .signed(by: handle, issuer: certificate)
    }
}
