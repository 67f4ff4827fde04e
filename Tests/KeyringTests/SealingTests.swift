// SPDX-License-Identifier: Apache-2.0

import Cryptography
import Diagnostics
import Keyring
import Secrets
import Signatures
import TestSupport
import Testing

/// Wraps with a key of its own, as a service does.
struct StubKMS: KeyWrapping {
    let provider: String
    private let key: SecretBytesBox

    init(_ provider: String = "stub") throws {
        self.provider = provider
        key = SecretBytesBox(try SecretBytes(randomCount: 32))
    }

    func wrap(_ secret: borrowing SecretBytes, associatedData: [UInt8]) async throws -> WrappedSecret {
        let nonce = try Random.bytes(AESGCM.nonceCount)
        let sealed = try AESGCM.seal(
            secret.bytes, key: key.secret, nonce: nonce.span, associatedData: associatedData.span)
        return WrappedSecret(key: "k", version: "1", ciphertext: nonce + sealed)
    }

    func unwrap(_ wrapped: WrappedSecret, associatedData: [UInt8]) async throws -> SecretBytes {
        let nonce = Array(wrapped.ciphertext.prefix(12))
        let sealed = Array(wrapped.ciphertext.dropFirst(12))
        return try AESGCM.open(
            sealed.span, key: key.secret, nonce: nonce.span, associatedData: associatedData.span)
    }

    func checkHealth() async throws {}
}

final class SecretBytesBox: Sendable {
    let secret: SecretBytes
    init(_ secret: consuming SecretBytes) { self.secret = secret }
}

@Suite struct SealingTests {
    private func cluster(_ plane: Plane = .data) async throws -> ClusterKey {
        try await ClusterKey.make(plane, wrappedBy: StubKMS(), at: Samples.now).key
    }

    private func code(_ body: () throws -> Void) -> ErrorCode? {
        do {
            try body()
            return nil
        } catch { return (error as? any CodedError)?.code }
    }

    @Test(arguments: [KeyAlgorithm.rsa2048, .p256, .ed25519])
    func whatIsSealedOpens(_ algorithm: KeyAlgorithm) async throws {
        let pair = try PrivateKey.generate(algorithm)
        let record = try Samples.key(scheme: .openpgp, pair: pair)
        let cluster = try await cluster()
        let stored = try cluster.seal(pair, for: record)
        #expect(stored.sealed?.clusterKey == cluster.id)
        let opened = try cluster.unseal(stored)
        #expect(opened.record == record)
        _ = try SigningKey(opened)
    }

    @Test func aClusterKeyComesBackFromItsService() async throws {
        let kms = try StubKMS()
        let (key, wrapped) = try await ClusterKey.make(.data, wrappedBy: kms, at: Samples.now)
        let pair = try Samples.p256.get()
        let stored = try key.seal(pair, for: Samples.key())
        let again = try await wrapped.unwrapped(by: kms)
        _ = try again.unseal(stored)
        // In the other plane, under another id, with another service or another provider it does not open.
        let moved = WrappedKey(
            id: wrapped.id, plane: .control, provider: wrapped.provider, secret: wrapped.secret,
            created: wrapped.created)
        let renamed = WrappedKey(
            id: try .random(), plane: .data, provider: wrapped.provider, secret: wrapped.secret,
            created: wrapped.created)
        for row in [moved, renamed] {
            await #expect(throws: CryptographyError.self) { _ = try await row.unwrapped(by: kms) }
        }
        await #expect(throws: CryptographyError.self) { _ = try await wrapped.unwrapped(by: StubKMS()) }
        await #expect(throws: KeyringError.self) { _ = try await wrapped.unwrapped(by: StubKMS("other")) }
    }

    @Test func everyFlippedByteOfABlobShows() async throws {
        let pair = try Samples.p256.get()
        let cluster = try await cluster()
        let stored = try cluster.seal(pair, for: Samples.key())
        let blob = try #require(stored.sealed).encoded
        for index in blob.indices {
            for bit in [UInt8(1), 0x80] {
                var bytes = blob
                bytes[index] ^= bit
                let found = code {
                    let sealed = try SealedKey(decoding: bytes)
                    // As an attacker would: with the old code, which is over the old blob...
                    let row = StoredKey(record: stored.record, sealed: sealed, code: stored.code)
                    #expect(throws: KeyringError.self) { _ = try cluster.unseal(row) }
                    // ...and even with a right code the blob does not open.
                    _ = try cluster.unseal(cluster.store(stored.record, sealed: sealed))
                }
                #expect(found == .sealBroken, "byte \(index)")
            }
        }
        for count in blob.indices {
            #expect(code { _ = try SealedKey(decoding: Array(blob[..<count])) } == .sealBroken || count > 45)
        }
    }

    @Test func blobsDoNotMove() async throws {
        let cluster = try await cluster()
        let one = try cluster.seal(Samples.p256.get(), for: Samples.key("key-one", scheme: .openpgp))
        let other = try cluster.seal(
            Samples.ed25519.get(), for: Samples.key("key-two", scheme: .openpgp, pair: Samples.ed25519.get()))
        let swapped = StoredKey(record: one.record, sealed: other.sealed, code: one.code)
        #expect(code { _ = try cluster.unseal(swapped) } == .rowForged)
        // Even when the control plane itself puts a blob into another row, it does not open there.
        #expect(
            code { _ = try cluster.unseal(cluster.store(one.record, sealed: other.sealed)) } == .sealBroken)
        // Nor in a row of the same key that differs in any constant.
        let pair = try Samples.p256.get()
        let record = one.record
        let others = [
            try Samples.key("key-one", scheme: .openpgp, pair: pair, id: .random()),
            try Samples.key("key-one", scheme: .openpgp, pair: pair, version: 2, id: record.id),
            try Samples.key("key-one", scheme: .module, pair: pair, id: record.id),
            try Samples.key("key-one", scheme: .openpgp, created: Samples.now, pair: pair, id: record.id),
        ]
        for moved in others {
            #expect(code { _ = try cluster.unseal(cluster.store(moved, sealed: one.sealed)) } == .sealBroken)
        }
        #expect(code { _ = try cluster.unseal(cluster.store(record, sealed: one.sealed)) } == nil)
    }

    @Test func everyEditOfARowShows() async throws {
        let cluster = try await cluster()
        let stored = try cluster.seal(
            Samples.p256.get(), for: Samples.key(state: .disabled, expires: Samples.now))
        let edits: [(String, (inout KeyRecord) throws -> Void)] = [
            ("name", { $0.name = try KeyName("another-name") }), ("state", { $0.state = .enabled }),
            ("expiry", { $0.expires = nil }), ("later expiry", { $0.expires = Samples.now + .seconds(1) }),
            ("description", { $0.summary = "x" }), ("certificate", { $0.certificate = [1] }),
        ]
        for (what, edit) in edits {
            var record = stored.record
            try edit(&record)
            let row = StoredKey(
                record: record, sealed: stored.sealed, code: stored.code, edition: stored.edition)
            #expect(code { try cluster.checkRow(row) } == .rowForged, "\(what)")
            #expect(code { _ = try cluster.unseal(row) } == .rowForged, "\(what)")
            // Done by the control plane it is fine.
            _ = try cluster.unseal(cluster.store(record, insteadOf: stored))
        }
        for index in 0..<32 {
            var bytes = stored.code.bytes
            bytes[index] ^= 1
            let row = StoredKey(
                record: stored.record, sealed: stored.sealed,
                code: try RowCode(clusterKey: stored.code.clusterKey, bytes: bytes))
            #expect(code { _ = try cluster.unseal(row) } == .rowForged)
        }
        #expect(
            code { try cluster.checkRow(StoredKey(record: stored.record, sealed: nil, code: stored.code)) }
                == .rowForged)
    }

    @Test func theHalvesHaveToBelongTogether() async throws {
        let cluster = try await cluster()
        let record = try Samples.key()
        #expect(code { _ = try cluster.seal(PrivateKey.generate(.p256), for: record) } == .sealBroken)
    }

    @Test func planesAndClusterKeysAreNotMixed() async throws {
        let data = try await cluster()
        let control = try await cluster(.control)
        let pair = try Samples.p256.get()
        let authority = try Samples.key("farm-authority", scheme: .ca, purpose: .certifying)
        #expect(code { _ = try data.seal(pair, for: authority) } == .sealBroken)
        #expect(code { _ = try control.seal(pair, for: Samples.key()) } == .sealBroken)
        let stored = try control.seal(pair, for: authority)
        #expect(code { _ = try data.unseal(stored) } == .sealBroken)
        let other = try await cluster(.control)
        #expect(code { _ = try other.unseal(stored) } == .rowForged)
        // It certifies, and becomes no key for files.
        _ = try control.unseal(stored).certifying(at: Samples.now)
        #expect(code { _ = try SigningKey(control.unseal(stored)) } == .keySchemeMismatch)
        let file = try data.seal(pair, for: Samples.key())
        #expect(code { _ = try data.unseal(file).certifying(at: Samples.now) } == .keySchemeMismatch)
        let old = try control.seal(
            pair, for: Samples.key("old-authority", scheme: .ca, purpose: .certifying, expires: Samples.now))
        #expect(code { _ = try control.unseal(old).certifying(at: Samples.now) } == .keyExpired)
        let off = try control.seal(
            pair, for: Samples.key("off-authority", scheme: .ca, purpose: .certifying, state: .disabled))
        #expect(code { _ = try control.unseal(off).certifying(at: Samples.now) } == .keyStateForbids)
    }

    @Test func sealedAnewUnderAnotherClusterKey() async throws {
        let old = try await cluster()
        let new = try await cluster()
        let stored = try old.seal(Samples.p256.get(), for: Samples.key(), edition: 3)
        let again = try old.unseal(stored).resealed(under: new, edition: stored.edition)
        #expect(again.edition == 3 && again.sealed != stored.sealed)
        _ = try new.unseal(again)
        #expect(code { _ = try old.unseal(again) } == .rowForged)
    }

    @Test func whatIsErasedStaysErased() async throws {
        let cluster = try await cluster()
        let gone = try cluster.store(Samples.key(state: .destroyed), sealed: nil)
        try cluster.checkRow(gone)
        #expect(code { _ = try cluster.unseal(gone) } == .keyStateForbids)
    }

    @Test func everyEditOfAGrantShows() async throws {
        let cluster = try await cluster()
        let key = try KeyID.random()
        let grant = try Samples.grant([key])
        let stored = try cluster.store(grant)
        try cluster.checkRow(stored)
        func forged(
            _ id: GrantID? = nil, pattern: IdentityPattern? = nil, keys: Set<KeyID>? = nil,
            kinds: Set<SigningKind>? = nil, expires: Moment? = nil, summary: String = ""
        ) throws -> StoredGrant {
            StoredGrant(
                grant: try Grant(
                    id: id ?? grant.id, clients: pattern ?? grant.clients, keys: keys ?? grant.keys,
                    kinds: kinds ?? grant.kinds, created: grant.created, expires: expires, summary: summary),
                code: stored.code)
        }
        #expect(code { try cluster.checkRow(forged()) } == nil)
        let pattern = try IdentityPattern(authority: Samples.authority, sort: .uri, value: "spiffe://evil/*")
        for row in [
            try forged(.random()), try forged(pattern: pattern), try forged(keys: [key, .random()]),
            try forged(kinds: [.module, .rpm]), try forged(expires: Samples.now), try forged(summary: "x"),
        ] {
            #expect(code { try cluster.checkRow(row) } == .rowForged)
        }
        let other = try await self.cluster()
        #expect(code { try other.checkRow(stored) } == .rowForged)
    }
}
