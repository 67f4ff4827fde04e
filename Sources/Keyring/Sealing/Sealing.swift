// SPDX-License-Identifier: Apache-2.0

public import Cryptography
internal import Diagnostics
internal import Secrets
internal import Signatures

extension ClusterKey {
    /// Seals the private half of a new key, or seals it anew, and makes the row.
    public func seal(_ key: PrivateKey, for record: KeyRecord, edition: UInt64 = 0) throws -> StoredKey {
        try checkPlane(of: record)
        guard try key.publicKey.spki() == record.publicKey else {
            throw KeyringError(.sealBroken, "the private half does not belong to the key \(record.name)")
        }
        let nonce = try Random.bytes(AESGCM.nonceCount)
        let bound = boundData(record)
        let encoded = try key.pkcs8()
        let sealed = SealedKey(
            clusterKey: id, nonce: nonce,
            ciphertext: try AESGCM.seal(
                encoded.bytes, key: sealing, nonce: nonce.span, associatedData: bound.span))
        return try store(record, sealed: sealed, edition: edition)
    }

    /// Opens the private half, when the row is as the control plane wrote it and the halves belong together.
    public func unseal(_ stored: StoredKey) throws -> UnsealedKey {
        try checkRow(stored)
        let record = stored.record
        guard let sealed = stored.sealed else {
            throw KeyringError(.keyStateForbids, "the private half of the key \(record.name) is erased")
        }
        guard sealed.clusterKey == id else {
            throw KeyringError(
                .sealBroken, "the key \(record.name) is sealed under the cluster key \(sealed.clusterKey)")
        }
        let bound = boundData(record)
        do {
            let opened = try AESGCM.open(
                sealed.ciphertext.span, key: sealing, nonce: sealed.nonce.span, associatedData: bound.span)
            let key = try PrivateKey.unsealed(pkcs8: opened.bytes)
            guard try key.publicKey.spki() == record.publicKey else {
                throw KeyringError(.sealBroken, "the halves of the key \(record.name) do not belong together")
            }
            return UnsealedKey(record: record, key: key)
        } catch let error as CryptographyError where error.code == .notAuthentic {
            throw KeyringError(
                .sealBroken, "the sealed half of the key \(record.name) does not open in this row")
        }
    }

    /// Head of the blob, table, and the constants of the row.
    private func boundData(_ record: KeyRecord) -> [UInt8] {
        var writer = CanonicalWriter("signet sealed key 1")
        writer.write([SealedKey.version] + id.bytes + [SealedKey.aes256GCM])
        writer.write(record.purpose == .signing ? "signing_key" : "certifying_key")
        writer.write(record.constants)
        return writer.bytes
    }
}

/// A private half, opened. It becomes a `SigningKey`, is used once to certify, or is gone with its scope.
public struct UnsealedKey: ~Copyable, Sendable {
    public let record: KeyRecord
    let key: PrivateKey

    init(record: KeyRecord, key: PrivateKey) {
        self.record = record
        self.key = key
    }

    /// The control plane's way to certificates and revocation lists: the key of an authority or OpenPGP primary that is
    /// in a state for it and, where it is to certify, not expired.
    public consuming func certifying(for action: KeyAction = .certify, at now: Moment) throws -> PrivateKey {
        guard action == .certify || action == .listRevocations else {
            throw KeyringError(.permitMismatch, "nothing is opened to \(action.rawValue)")
        }
        guard record.purpose == .certifying else {
            throw KeyringError(.keySchemeMismatch, "the key \(record.name) signs files and certifies nothing")
        }
        _ = try record.applying(action)
        guard action != .certify || !record.isExpired(at: now) else {
            throw KeyringError(.keyExpired, "the key \(record.name) has expired")
        }
        return key
    }

    /// The control plane's way to what an owner says about himself: the new end or revocation of an OpenPGP key or of a
    /// subkey, and the new certificate of a root. Whether it is legal was judged for the key that changes.
    public consuming func stating(for action: KeyAction) throws -> PrivateKey {
        let isRoot = record.scheme == .ca && record.parent == nil
        guard
            action == .renew && (isRoot || record.scheme == .openpgp)
                || action == .revoke && record.scheme == .openpgp
        else {
            throw KeyringError(
                .permitMismatch, "the key \(record.name) is not opened to \(action.rawValue) itself")
        }
        _ = try record.applying(.export)
        return key
    }

    /// Seals it again under another cluster key, as rotation does.
    public consuming func resealed(under cluster: ClusterKey, edition: UInt64) throws -> StoredKey {
        try cluster.seal(key, for: record, edition: edition)
    }
}
