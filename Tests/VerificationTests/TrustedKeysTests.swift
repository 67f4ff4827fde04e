// SPDX-License-Identifier: Apache-2.0

import Cryptography
import Diagnostics
import Signatures
import TestSupport
import Testing

@testable import Verification

@Suite struct TrustedKeysTests {
    @Test func takesEachForm() throws {
        let signers = try Signers.made.get()
        let forms: [[UInt8]] = [
            signers.owner.encoded, Array(signers.owner.armored.utf8), signers.certificate.der,
            Array(signers.certificate.pem.utf8), Array(("text before\n" + signers.owner.armored).utf8),
        ]
        for form in forms {
            var keys = TrustedKeys()
            try keys.add(contentsOf: form.span, name: "keys")
            #expect(keys.openPGP.count + keys.certificates.count == 1)
            // A second time it is there already.
            try keys.add(contentsOf: form.span, name: "keys")
            #expect(keys.openPGP.count + keys.certificates.count == 1)
        }
    }

    @Test(
        arguments: [
            ("empty", []), ("text", Array("hello".utf8)), ("a packet alone", [0x88, 1, 4]),
            ("a sequence alone", [0x30, 0]),
            ("a cut block", Array("-----BEGIN CERTIFICATE-----\nAAAA\n".utf8)),
            (
                "a signature",
                Array("-----BEGIN PGP SIGNATURE-----\n\nAAAA\n-----END PGP SIGNATURE-----\n".utf8)
            ),
        ] as [(String, [UInt8])])
    func refuses(_ name: String, _ file: [UInt8]) {
        var keys = TrustedKeys()
        do {
            try keys.add(contentsOf: file.span, name: "farm.asc")
            Issue.record("\(name) was taken")
        } catch {
            let error = error as? VerificationError
            #expect(error?.code.id == "trusted-keys-malformed")
            #expect(error?.message.hasPrefix("farm.asc: ") == true)
        }
        #expect(keys.isEmpty)
    }
}
