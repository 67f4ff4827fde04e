// SPDX-License-Identifier: Apache-2.0

import Cryptography
import Diagnostics
import Keyring
import Signatures
import TestSupport
import Testing
import Transport

@testable import DataService

/// What every backend has to do, tried with `memory` and with one whose keys stay in a module.
@Suite struct SignBackendTests {
    /// Keeps private halves as a hardware module does: it gives out signatures, and nothing else.
    private final class Module: SignBackend {
        let name = "module"
        private let keys: Lock<[KeyID: PrivateKey]>
        private let isFaulty: Bool

        init(_ keys: [KeyID: PrivateKey], isFaulty: Bool = false) {
            self.keys = Lock(keys)
            self.isFaulty = isFaulty
        }

        func open(_ row: StoredKey) async throws -> SigningKey {
            let publicKey = try PublicKey(spki: row.record.publicKey.span)
            let id = row.record.id
            return try SigningKey(row.record) { algorithm in
                try SigningHandle(publicKey, algorithm) { [self] octets in try sign(octets, id, algorithm) }
            }
        }

        private func sign(_ octets: [UInt8], _ id: KeyID, _ algorithm: SignatureAlgorithm) throws -> [UInt8] {
            guard let key = keys.withLock({ $0[id] }) else { throw Away(message: "the module is closed") }
            let handle = try SigningHandle(key, algorithm)
            var signature: [UInt8]
            if algorithm == .ed25519 {
                signature = try handle.sign(message: octets.span)
            } else {
                signature = try handle.sign(Digest(octets.span, of: .sha512))
            }
            if isFaulty { signature[signature.count - 1] ^= 1 }
            return signature
        }

        func close() { keys.withLock { $0 = [:] } }
    }

    private static func made(_ algorithm: KeyAlgorithm) async throws -> (
        Farm, KeyRecord, StoredKey, PrivateKey
    ) {
        let farm = try await Farm()
        let pair = try PrivateKey.generate(algorithm)
        let record = try Stand.addOpenPGP("release", pair, to: farm)
        return (farm, record, try #require(farm.row(record.id)), pair)
    }

    private static func signature(_ backend: any SignBackend, _ row: StoredKey) async throws -> [UInt8] {
        let record = row.record
        let grant = try Grant(
            id: .random(),
            clients: IdentityPattern(
                authority: [UInt8](repeating: 1, count: 32), sort: .uri, value: "spiffe://a/b"),
            keys: [record.id], kinds: [.generic], created: .now())
        let client = Keyring.Client(
            identity: try ClientIdentity(
                authority: [UInt8](repeating: 1, count: 32), sort: .uri, value: "spiffe://a/b"),
            certificate: [UInt8](repeating: 2, count: 32))
        let permit = try Gate(AccessList(revision: Revision(1), grants: [grant]), at: .now()).permit(
            client, key: record, kind: .generic)
        let certificate = try OpenPGPCertificate(record.certificate.span)
        let publicKey = try PublicKey(spki: record.publicKey.span)
        let now = Moment.now().seconds
        var running = RunningDigest(.sha512)
        let content = ServiceTests.content
        running.update(content.span)
        let draft = try OpenPGPSignatureDraft(
            .binary, after: running, signer: certificate.signer(for: publicKey, at: now), created: now)
        return try await backend.open(row).sign(draft, permit: permit)
    }

    @Test(arguments: [KeyAlgorithm.ed25519, .p256, .rsa2048], ["memory", "module"])
    func signaturesAreGood(_ algorithm: KeyAlgorithm, _ name: String) async throws {
        let (farm, record, row, key) = try await Self.made(algorithm)
        let backend: any SignBackend =
            name == "module"
            ? Module([record.id: key])
            : MemoryBackend(ClusterKeys(farm, farm.kms, ServiceMetrics(Metrics()), try Stand.silentLog()))
        #expect(backend.name == name)
        let signature = try await Self.signature(backend, row)
        try ServiceTests.gpgvAccepts(signature, over: ServiceTests.content, record)
        backend.close()
        await #expect(throws: (any Error).self) { _ = try await Self.signature(backend, row) }
    }

    @Test(arguments: [KeyAlgorithm.ed25519, .p256, .rsa2048])
    func aWrongSignatureIsWithheld(_ algorithm: KeyAlgorithm) async throws {
        let (_, record, row, key) = try await Self.made(algorithm)
        let error = await #expect(throws: CryptographyError.self) {
            _ = try await Self.signature(Module([record.id: key], isFaulty: true), row)
        }
        #expect(error?.code == .signatureFault)
    }
}
