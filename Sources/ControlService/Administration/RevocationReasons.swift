// SPDX-License-Identifier: Apache-2.0

internal import Cryptography

/// The names of the reasons for which a certificate is revoked.
enum RevocationReasons {
    private static let all: [(name: String, reason: CertificateRevocationList.Reason)] = [
        ("unspecified", .unspecified), ("key_compromise", .keyCompromise),
        ("affiliation_changed", .affiliationChanged), ("superseded", .superseded),
        ("cessation_of_operation", .cessationOfOperation), ("privilege_withdrawn", .privilegeWithdrawn),
    ]

    static let names = all.map(\.name)

    static func reason(_ name: String) -> CertificateRevocationList.Reason {
        all.first { $0.name == name }?.reason ?? .unspecified
    }
}
