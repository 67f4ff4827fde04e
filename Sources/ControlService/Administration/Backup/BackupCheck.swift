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

    func run(_ wrapping: any KeyWrapping) async throws {
        var opened: [ClusterKeyID: ClusterKey] = [:]
        for wrapped in contents.clusterKeys { opened[wrapped.id] = try await wrapped.unwrapped(by: wrapping) }
        func key(_ id: ClusterKeyID) throws -> ClusterKey {
            guard let key = opened[id] else {
                throw ControlError(.sealBroken, "the cluster key \(id) is not in the backup")
            }
            return key
        }
        let sealing = try key(contents.head.clusterKey)
        guard sealing.plane == .control else {
            throw ControlError(.rowForged, "the backup is authenticated by a key that data-servers have too")
        }
        try sealing.checkBackup(contents.digest, code: contents.code)
        for stored in contents.keys {
            let cluster = try key(stored.code.clusterKey)
            try cluster.checkRow(stored)
            if stored.sealed != nil { _ = try cluster.unseal(stored) }
        }
        for grant in contents.grants { try key(grant.code.clusterKey).checkRow(grant) }
        for proposal in contents.proposals { try key(proposal.code.clusterKey).checkRow(proposal) }
    }
}
