// SPDX-License-Identifier: Apache-2.0

import Cryptography
import Testing

@testable import Signatures

@Suite struct SigningKindTests {
    /// Grants and records hold these words: none may change.
    @Test func namesStay() {
        let kinds = ["rpm", "generic", "cleartext", "module", "efi", "cms"]
        #expect(SigningKind.allCases.map(\.rawValue) == kinds)
        let schemes = ["openpgp", "module", "authenticode", "cms", "timestamp", "ca"]
        #expect(SigningScheme.allCases.map(\.rawValue) == schemes)
    }

    @Test(arguments: [
        (SigningKind.rpm, SigningScheme.openpgp, true), (.generic, .openpgp, true),
        (.cleartext, .openpgp, true), (.module, .module, true), (.efi, .authenticode, true),
        (.cms, .cms, true),
    ])
    func eachKindHasOneScheme(_ kind: SigningKind, _ scheme: SigningScheme, _ isServed: Bool) {
        #expect(kind.scheme == scheme)
        #expect(kind.isServed == isServed)
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
