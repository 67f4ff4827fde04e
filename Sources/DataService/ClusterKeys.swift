// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import Keyring

/// The cluster keys of the data plane, unwrapped when one is first needed and kept, and what they say of rows.
///
/// Nothing that was read from the database is believed before its authentication code was found right.
final class ClusterKeys: Sendable {
    private let source: any SigningKeySource
    private let wrapping: any KeyWrapping
    private let log: Log
    private let state = Lock(State())

    private struct State {
        var keys: [ClusterKeyID: ClusterKey] = [:]
        var opening: [ClusterKeyID: Task<ClusterKey, any Error>] = [:]
    }

    init(_ source: any SigningKeySource, _ wrapping: any KeyWrapping, _ log: Log) {
        self.source = source
        self.wrapping = wrapping
        self.log = log
    }

    /// Grants and shut-out clients. A grant that somebody edited gives nothing, and is told of in the log.
    func access(from source: any SigningKeySource) async throws -> AccessList {
        let stored = try await source.access()
        var grants: [Grant] = []
        for row in stored.grants {
            do {
                try await key(row.code.clusterKey).checkRow(row)
                grants.append(row.grant)
            } catch let error as KeyringError where error.code == .rowForged {
                log.error("a grant is not believed", ["reason": .error(error)])
            }
        }
        return AccessList(revision: stored.revision, grants: grants, denied: stored.denied)
    }

    /// Throws when somebody edited the row.
    func check(_ row: StoredKey) async throws { try await key(row.code.clusterKey).checkRow(row) }

    /// The private half of a row, ready to sign.
    func open(_ row: StoredKey) async throws -> SigningKey {
        guard let sealed = row.sealed else {
            throw DataServiceError(.internalError, "the key \(row.record.name) has no private half")
        }
        return try SigningKey(try await key(sealed.clusterKey).unseal(row))
    }

    /// Lets go of all.
    func close() { state.withLock { $0.keys = [:] } }

    private func key(_ id: ClusterKeyID) async throws -> ClusterKey {
        let task = state.withLock { state -> Result<ClusterKey, any Error>? in
            state.keys[id].map { .success($0) }
        }
        if let key = try task?.get() { return key }
        let opening = state.withLock { state in
            if let opening = state.opening[id] { return opening }
            let opening = Task { try await self.unwrap(id) }
            state.opening[id] = opening
            return opening
        }
        return try await opening.value
    }

    private func unwrap(_ id: ClusterKeyID) async throws -> ClusterKey {
        defer { state.withLock { $0.opening[id] = nil } }
        guard let wrapped = try await source.dataClusterKey(id) else {
            throw KeyringError(.rowForged, "a row names the cluster key \(id), which is not in the database")
        }
        let key: ClusterKey = try await wrapped.unwrapped(by: wrapping)
        state.withLock { $0.keys[id] = key }
        return key
    }
}
