// SPDX-License-Identifier: Apache-2.0

import Cryptography
import Testing

@testable import Signatures

@Suite struct SigningKindTests {
    /// Grants and records hold these words: none may change.
    @Test func namesStay() {
        let kinds = ["rpm", "rpm-v3", "generic", "cleartext", "module", "efi", "cms"]
        #expect(SigningKind.allCases.map(\.rawValue) == kinds)
        let schemes = ["openpgp", "module", "authenticode", "cms", "timestamp", "ca"]
        #expect(SigningScheme.allCases.map(\.rawValue) == schemes)
    }

    @Test(arguments: [
        (SigningKind.rpm, SigningScheme.openpgp), (.rpmLegacy, .openpgp), (.generic, .openpgp),
        (.cleartext, .openpgp), (.module, .module), (.efi, .authenticode), (.cms, .cms),
    ])
    func eachKindHasOneScheme(_ kind: SigningKind, _ scheme: SigningScheme) {
        #expect(kind.scheme == scheme)
    }

    @Test(arguments: [
        (SigningScheme.openpgp, KeyAlgorithm.ed25519, true), (.openpgp, .p384, true),
        (.module, .ed25519, false), (.module, .rsa4096, true), (.module, .p256, true),
        (.authenticode, .p256, false), (.ca, .ed25519, true), (.timestamp, .ed25519, false),
    ])
    func schemesTakeTheKeysThatVerifiersKnow(
        _ scheme: SigningScheme, _ algorithm: KeyAlgorithm, _ isTaken: Bool
    ) {
        #expect(scheme.takes(algorithm) == isTaken)
    }

    @Test func digestsAreStrongEnough() {
        #expect(SigningScheme.openpgp.takes(.sha256, with: .p256))
        #expect(!SigningScheme.openpgp.takes(.sha256, with: .p384))
        #expect(SigningScheme.module.takes(.sha256, with: .p384))
        for scheme in SigningScheme.allCases {
            #expect(!scheme.takes(.sha224, with: .rsa2048) && !scheme.takes(.weakSHA1, with: .rsa2048))
        }
    }
}
