// SPDX-License-Identifier: Apache-2.0

import Cryptography
import TestSupport
import Testing

/// Where the secret numbers of a key stand in the memory of a process of its own: in all of it, and on the ordinary
/// heap. After release they stand nowhere.
@Suite(.needs(.noSanitizer)) struct GeneratedKeyMemoryTests {
    private func lines(_ algorithm: KeyAlgorithm, _ mode: String) throws -> [String] {
        let output = try Command.check([
            Products.path("secrets-probe"), "generated-key", algorithm.rawValue, mode,
        ])
        return output.text.split(separator: "\n").map(String.init)
    }

    @Test(arguments: [KeyAlgorithm.rsa2048, .rsa4096])
    func anRSAKeyInTheSecureHeap(_ algorithm: KeyAlgorithm) throws {
        #expect(
            try lines(algorithm, "hardened") == [
                "generated d 1 0", "generated p 1 0", "generated q 1 0",
                // Signing makes Montgomery contexts, which OpenSSL 3.0 keeps on the heap while the key lives.
                "signed d 1 0", "signed p 2 1", "signed q 2 1",
                "exported d.der 1 0", "exported p.der 1 0", "exported q.der 1 0",
                "released d 0 0", "released p 0 0", "released q 0 0",
                "released d.der 0 0", "released p.der 0 0", "released q.der 0 0",
            ])
    }

    @Test(arguments: [KeyAlgorithm.p256, .p384])
    func aKeyOnACurveInTheSecureHeap(_ algorithm: KeyAlgorithm) throws {
        #expect(
            try lines(algorithm, "hardened") == [
                "generated d 1 0", "signed d 1 0", "exported d.der 1 0", "released d 0 0",
                "released d.der 0 0",
            ])
    }

    @Test func anEd25519KeyInTheSecureHeap() throws {
        #expect(
            try lines(.ed25519, "hardened") == [
                "generated seed.der 1 0", "signed seed.der 1 0", "released seed.der 0 0",
            ])
    }

    /// Without the secure heap keys live on the ordinary one, and still nothing stays behind.
    @Test(arguments: [KeyAlgorithm.rsa2048, .p256, .p384, .ed25519])
    func nothingStaysWithoutTheSecureHeap(_ algorithm: KeyAlgorithm) throws {
        let lines = try lines(algorithm, "plain")
        // That the scan finds what is there.
        let generated = lines.filter { $0.hasPrefix("generated ") }
        #expect(!generated.isEmpty && generated.allSatisfy { $0.hasSuffix(" 1 1") }, "\(generated)")
        let released = lines.filter { $0.hasPrefix("released ") }
        #expect(!released.isEmpty && released.allSatisfy { $0.hasSuffix(" 0 0") }, "\(released)")
    }
}
