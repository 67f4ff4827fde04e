// SPDX-License-Identifier: Apache-2.0

import Cryptography
import Secrets
import TestSupport
import Testing

@Suite struct KeyTests {
    @Test(arguments: KeyAlgorithm.allCases)
    func generates(_ algorithm: KeyAlgorithm) throws {
        let key = try TestKeys.key(algorithm)
        #expect(key.algorithm == algorithm)
        #expect(key.publicKey.algorithm == algorithm)
    }

    @Test func eachGeneratedKeyIsNew() throws {
        let one = try PrivateKey.generate(.ed25519).pkcs8()
        let other = try PrivateKey.generate(.ed25519).pkcs8()
        let isEqual = one.isEqualInConstantTime(to: other)
        #expect(!isEqual)
    }

    /// The openssl command reads our PKCS#8, finds the key sound, and writes the same bytes.
    @Test(arguments: KeyAlgorithm.allCases)
    func exportsAsOpenSSLDoes(_ algorithm: KeyAlgorithm) throws {
        let folder = try TemporaryFolder()
        let ours = try TestKeys.pkcs8(algorithm)
        try folder.write("ours", ours)
        let check = ["openssl", "pkey", "-inform", "DER", "-in", "ours", "-noout"]
        // OpenSSL 3.0 cannot check an Ed25519 key.
        try Command.check(check + (algorithm == .ed25519 ? [] : ["-check"]), folder: folder.path)
        let convert = ["openssl", "pkcs8", "-topk8", "-nocrypt", "-inform", "DER", "-in", "ours"]
        try Command.check(convert + ["-outform", "DER", "-out", "theirs"], folder: folder.path)
        #expect(try folder.read("theirs") == ours)
    }
}
