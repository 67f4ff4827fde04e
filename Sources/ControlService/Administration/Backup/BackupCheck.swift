// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import Keyring
internal import Signatures
internal import Storage

/// Whether a backup could be lived with: the key service opens its cluster keys, they have authenticated it and each of
/// its rows, every private half opens and belongs to its public half, and the chains have no gap.
struct BackupCheck {
    let contents: BackupContents

    /// Reads all of it; the file's form and its chains are judged on the way.
    init(_ path: String) throws {
        contents = try BackupFile.read(path) { source in
            var reader = try BackupReader(source)
            return try BackupContents(&reader)
        }
    }

    /// With a ring over what the backup holds.
    func run(_ ring: ClusterKeyRing) async throws {
        for wrapped in contents.clusterKeys { _ = try await ring.key(wrapped.id) }
        let sealing = try await ring.key(contents.head.clusterKey)
        guard sealing.plane == .control else {
            throw ControlError(.rowForged, "the backup is authenticated by a key that data-servers have too")
        }
        try sealing.checkBackup(contents.digest, code: contents.code)
        for stored in contents.keys {
            let cluster = try await ring.key(stored.code.clusterKey)
            try cluster.checkRow(stored)
            if stored.sealed != nil { _ = try cluster.unseal(stored) }
        }
        for grant in contents.grants { try await ring.check(grant) }
        for proposal in contents.proposals { try await ring.check(proposal) }
    }
}

/// The cluster keys of a backup.
struct BackupKeys: ClusterKeyStore {
    let keys: [WrappedKey]

    init(_ contents: BackupContents) { keys = contents.clusterKeys }

    func add(_ key: WrappedKey, _ event: AuditEvent) async throws {
        throw ControlError(.unsupported, "nothing is added to a backup")
    }

    func clusterKeys(of plane: Plane) async throws -> [WrappedKey] {
        keys.filter { $0.plane == plane }.sorted { ($0.created, $0.id) > ($1.created, $1.id) }
    }

    func clusterKey(_ id: ClusterKeyID) async throws -> WrappedKey? { keys.first { $0.id == id } }
}
