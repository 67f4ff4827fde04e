// SPDX-License-Identifier: Apache-2.0

import Bytes
import Cryptography
import Secrets
import TestSupport
import Testing

@Suite struct KeyFormTests {
    /// OpenSSL writes the same text, and reads ours.
    @Test(arguments: KeyAlgorithm.allCases)
    func pemIsTheCustomaryText(_ algorithm: KeyAlgorithm) throws {
        let secret = try TestKeys.key(algorithm).pem()
        let ours = Array(copying: secret.bytes)
        #expect(try Command.check(["openssl", "pkey"], input: ours).stdout == ours)
    }

    @Test func keysAreEqualWhereverTheyComeFrom() throws {
        for algorithm in KeyAlgorithm.allCases {
            let key = try TestKeys.key(algorithm).publicKey
            let encoded = try key.spki()
            #expect(try PublicKey(spki: encoded.span) == key)
        }
        #expect(try TestKeys.key(.rsa2048).publicKey != TestKeys.key(.rsa3072).publicKey)
        #expect(try PrivateKey.generate(.p256).publicKey != TestKeys.key(.p256).publicKey)
        #expect(try PrivateKey.generate(.ed25519).publicKey != TestKeys.key(.ed25519).publicKey)
    }
}
