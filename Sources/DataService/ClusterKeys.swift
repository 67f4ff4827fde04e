// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import Keyring

/// The cluster keys of the data plane, unwrapped when one is first needed and kept, and what they say of rows.
///
/// Nothing that was read from the database is believed before its authentication code was found right.
final class ClusterKeys: Sendable {
    private let source: any SigningKeySource
    private let metrics: ServiceMetrics
    private let log: Log
    private let state: Lock<State>

    private struct State {
        /// Nil when it is closed: a key service may hold secrets itself.
        var wrapping: (any KeyWrapping)?
        var keys: [ClusterKeyID: ClusterKey] = [:]
        var opening: [ClusterKeyID: Task<ClusterKey, any Error>] = [:]
    }

    init(_ source: any SigningKeySource, _ wrapping: any KeyWrapping, _ metrics: ServiceMetrics, _ log: Log) {
        self.source = source
        self.metrics = metrics
        self.log = log
        state = Lock(State(wrapping: wrapping))
    }

    /// Grants and shut-out clients. A grant that somebody edited or damaged gives nothing.
    func access() async throws -> AccessList {
        let stored = try await source.access()
        for fault in stored.faults { disbelieve(.grant, because: fault) }
        let grants = try await believed(stored.grants, .grant) { row in
            try await self.key(row.code.clusterKey).checkRow(row)
        }
        return AccessList(
            revision: stored.revision, grants: grants.map(\.grant), denied: stored.denied,
            frozen: stored.frozen)
    }

    /// Those of the keys that are there, but for rows that somebody edited or damaged.
    func keys(_ ids: [KeyID]) async throws -> [StoredKey] {
        let stored = try await source.signingKeys(ids)
        for fault in stored.faults { disbelieve(.key, because: fault) }
        return try await believed(stored.keys, .key) { try await self.check($0) }
    }

    /// Throws when somebody edited the row.
    func check(_ row: StoredKey) async throws { try await key(row.code.clusterKey).checkRow(row) }

    private func believed<Row>(
        _ rows: [Row], _ table: ServiceMetrics.Table, _ check: (Row) async throws -> Void
    ) async throws -> [Row] {
        var believed: [Row] = []
        for row in rows {
            do {
                try await check(row)
                believed.append(row)
            } catch let error as any CodedError where error.code == .rowForged {
                disbelieve(table, because: error)
            }
        }
        return believed
    }

    private func disbelieve(_ table: ServiceMetrics.Table, because error: any CodedError) {
        metrics.disbelieved(table)
        log.error("a row of the database is left out", ["reason": .error(error)])
    }

    /// The private half of a row, ready to sign.
    func open(_ row: StoredKey) async throws -> SigningKey {
        guard let sealed = row.sealed else {
            throw DataServiceError(.internalError, "the key \(row.record.name) has no private half")
        }
        return try SigningKey(try await key(sealed.clusterKey).unseal(row))
    }

    /// Lets go of all, the key service included.
    func close() {
        // Whatever is wiped is wiped outside of the lock.
        let held = state.withLock { state in
            defer { (state.keys, state.wrapping) = ([:], nil) }
            return (state.keys, state.wrapping)
        }
        _ = held
    }

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
        guard let wrapping = state.withLock({ $0.wrapping }) else {
            throw DataServiceError(.serverDraining, "the server is about to end", retryAfter: .zero)
        }
        let key: ClusterKey = try await wrapped.unwrapped(by: wrapping)
        state.withLock { $0.keys[id] = key }
        return key
    }
}
