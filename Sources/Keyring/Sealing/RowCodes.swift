// SPDX-License-Identifier: Apache-2.0

internal import Cryptography
internal import Diagnostics
internal import Signatures

extension ClusterKey {
    /// A new row, or a row with another record: the private half stays as it is sealed.
    public func store(_ record: KeyRecord, sealed: SealedKey?, edition: UInt64 = 0) throws -> StoredKey {
        try checkPlane(of: record)
        return StoredKey(
            record: record, sealed: sealed, code: try code(of: record.row(sealed)), edition: edition)
    }

    /// The row after a change of its record.
    public func store(_ record: KeyRecord, insteadOf stored: StoredKey) throws -> StoredKey {
        try checkRow(stored)
        guard record.hasConstants(of: stored.record) else {
            throw KeyringError(.rowForged, "the key \(stored.record.name): a constant of it would change")
        }
        return try store(record, sealed: stored.sealed, edition: stored.edition)
    }

    /// Refuses a row that somebody edited.
    public func checkRow(_ stored: StoredKey) throws {
        try checkPlane(of: stored.record)
        try check(stored.code, of: stored.record.row(stored.sealed), "the key \(stored.record.name)")
    }

    public func store(_ grant: Grant) throws -> StoredGrant {
        StoredGrant(grant: grant, code: try code(of: grant.row))
    }

    /// Refuses a row that somebody edited.
    public func checkRow(_ stored: StoredGrant) throws {
        try check(stored.code, of: stored.grant.row, "the grant \(stored.grant.id)")
    }

    func checkPlane(of record: KeyRecord) throws {
        guard record.purpose.plane == plane else {
            throw KeyringError(
                .sealBroken,
                "the key \(record.name) belongs to the \(record.purpose.plane) plane, the cluster key to the other"
            )
        }
    }
}

extension KeyRecord {
    /// What never changes, bound into the sealed private half:
    ///
    ///     "signet key 1" id scheme purpose algorithm version public-key fingerprint created parent owner
    var constants: [UInt8] {
        var writer = CanonicalWriter("signet key 1")
        writer.write(id.bytes)
        writer.write(scheme.rawValue)
        writer.write(purpose.rawValue)
        writer.write(algorithm.rawValue)
        writer.write(version)
        writer.write(publicKey)
        writer.write(fingerprint)
        writer.write(created)
        writer.write(ifPresent: parent?.bytes)
        writer.write(ifPresent: owner?.bytes)
        return writer.bytes
    }

    /// Whether nothing differs that is fixed at birth.
    public func hasConstants(of other: KeyRecord) -> Bool { constants == other.constants }

    /// The whole row, under its code:
    ///
    ///     "signet key row 1" constants name description state expires certificate SHA-256(sealed)
    ///     "signet key row 2" ...     ; the same, of a guarded key
    func row(_ sealed: SealedKey?) -> [UInt8] {
        var writer = CanonicalWriter(isGuarded ? "signet key row 2" : "signet key row 1")
        writer.write(constants)
        writer.write(name.text)
        writer.write(summary)
        writer.write(state.rawValue)
        writer.write(ifPresent: expires)
        writer.write(certificate)
        writer.write(
            ifPresent: sealed.map { sealed in
                let bytes = sealed.encoded
                return Digest(hashing: bytes.span, with: .sha256).bytes
            })
        return writer.bytes
    }
}
