// SPDX-License-Identifier: Apache-2.0

import Cryptography
import Keyring
import MemoryScan
import Secrets
import Signatures
import TestSupport
import Testing

/// Where the private number of a key stands in this process's memory while it is sealed, opened, used and let go of.
@Suite(.needs(.noSanitizer)) struct MemoryTests {
    /// As encodings have it, and as the library does.
    private func count(_ number: SecretNumber) throws -> [Int] {
        let memory = try ProcessMemory()
        return [memory.count(number.encoded), memory.count(number.limbs)]
    }

    @Test func aSealedKeyLeavesNothingBehind() async throws {
        let cluster = try await ClusterKey.make(.data, wrappedBy: StubKMS(), at: Samples.now).key
        let (stored, canary) = try made(under: cluster)
        #expect(try count(canary) == [0, 0])
        try used(stored, under: cluster, canary)
        #expect(try count(canary) == [0, 0])
    }

    @inline(never) private func made(under cluster: ClusterKey) throws -> (StoredKey, SecretNumber) {
        let key = try PrivateKey.generate(.p256)
        let canary = try #require(SecretNumber.all(of: key).first)
        // That the scan finds what is there.
        #expect(try count(canary)[1] > 0)
        return (try cluster.seal(key, for: Samples.key(pair: key)), canary)
    }

    @inline(never) private func used(_ stored: StoredKey, under cluster: ClusterKey, _ canary: SecretNumber)
        throws
    {
        let key = try SigningKey(cluster.unseal(stored))
        // Opened it stands where the library keeps it, and its encoding is gone already.
        let found = try count(canary)
        #expect(found[0] == 0 && found[1] > 0, "\(found)")
        #expect(key.record == stored.record)
    }
}
