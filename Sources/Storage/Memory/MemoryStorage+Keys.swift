// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
public import Keyring

extension MemoryStorage.State {
    func key(named name: KeyName) -> StoredKey? {
        keys.values.first { $0.record.name == name && !$0.record.state.freesName }
    }

    /// Refuses when one of them is not as it was read.
    func expect(_ seen: [StoredKey]) throws {
        for key in seen where keys[key.record.id]?.edition != key.edition {
            throw KeyFaults.changedMeanwhile(key.record)
        }
    }

    var sortedGrants: [StoredGrant] {
        grants.values.sorted { ($0.grant.created, $0.grant.id) < ($1.grant.created, $1.grant.id) }
    }
}

extension MemoryStorage: KeyStore {
    @discardableResult
    public func add(_ keys: [StoredKey], seen: [StoredKey], _ event: AuditEvent) async throws -> Revision {
        try change(event) { state in
            try state.expect(seen)
            for key in keys {
                let record = key.record
                guard state.keys[record.id] == nil,
                    !state.keys.values.contains(where: { $0.record.publicKeyDigest == record.publicKeyDigest }
                    )
                else { throw KeyFaults.exists(record) }
                guard record.state.freesName || state.key(named: record.name) == nil else {
                    throw KeyFaults.nameTaken(record.name)
                }
                state.keys[record.id] = StoredKey(
                    record: record, sealed: key.sealed, code: key.code, edition: 1)
            }
        }.revision
    }

    @discardableResult
    public func change(_ change: KeyChange, _ event: AuditEvent) async throws -> StoredKey {
        try self.change(event) { state in
            let key = change.key
            let record = key.record
            guard let known = state.keys[record.id] else { throw KeyFaults.notFound(record.id.description) }
            guard known.edition == key.edition else { throw KeyFaults.changedMeanwhile(record) }
            guard record.hasConstants(of: known.record) else { throw KeyFaults.otherConstants(record) }
            if !record.state.freesName, let other = state.key(named: record.name),
                other.record.id != record.id
            {
                throw KeyFaults.nameTaken(record.name)
            }
            let changed = StoredKey(
                record: record, sealed: key.sealed, code: key.code, edition: key.edition + 1)
            state.keys[record.id] = changed
            for other in change.others {
                let record = other.record
                guard let known = state.keys[record.id] else {
                    throw KeyFaults.notFound(record.id.description)
                }
                guard known.edition == other.edition else { throw KeyFaults.changedMeanwhile(record) }
                guard record.hasConstants(of: known.record), record.name == known.record.name,
                    record.state.freesName == known.record.state.freesName
                else { throw KeyFaults.otherConstants(record) }
                state.keys[record.id] = StoredKey(
                    record: record, sealed: other.sealed, code: other.code, edition: other.edition + 1)
            }
            try state.write(change)
            return changed
        }.value
    }

    public func key(_ id: KeyID) async throws -> StoredKey? { read { $0.keys[id] } }
    public func key(named name: KeyName) async throws -> StoredKey? { read { $0.key(named: name) } }

    public func keys(_ query: KeyQuery) async throws -> KeyPage {
        let all = read { state in state.keys.values.filter { query.includes($0.record) } }
            .sorted { ($0.record.name.text, $0.record.id) < ($1.record.name.text, $1.record.id) }
        let limit = min(max(0, query.limit), KeyQuery.largest)
        return KeyPage(keys: Array(all.dropFirst(max(0, query.offset)).prefix(limit)), total: all.count)
    }
}

extension MemoryStorage: ClusterKeyStore {
    public func add(_ key: WrappedKey, _ event: AuditEvent) async throws {
        _ = try change(event) { state in
            guard !state.clusterKeys.contains(where: { $0.id == key.id }) else {
                throw KeyringError(.conflict, "the cluster key \(key.id) is there already")
            }
            state.clusterKeys.append(key)
        }
    }

    public func clusterKeys(of plane: Plane) async throws -> [WrappedKey] {
        read { $0.clusterKeys(of: plane) }
    }

    public func clusterKey(_ id: ClusterKeyID) async throws -> WrappedKey? {
        read { $0.clusterKeys.first { $0.id == id } }
    }
}

/// What both versions of the stores refuse.
enum KeyFaults {
    static func exists(_ record: KeyRecord) -> KeyringError {
        KeyringError(.keyExists, "the key \(record.name): its public half is or was here")
    }

    static func nameTaken(_ name: KeyName) -> KeyringError {
        KeyringError(.keyNameTaken, "another key is called \(name)")
    }

    static let clusterKeyRetired = KeyringError(
        .changedMeanwhile, "the cluster key that the row is under was taken away meanwhile")

    static func clusterKeyInUse(_ key: ClusterKeyID) -> KeyringError {
        KeyringError(.wrongState, "the cluster key \(key) is the newest, or something is under it")
    }

    static func noClusterKey(_ key: ClusterKeyID) -> KeyringError {
        KeyringError(.clusterKeyNotFound, "there is no cluster key \(key)")
    }

    static func notFound(_ what: String) -> KeyringError {
        KeyringError(.keyNotFound, "there is no key \(what)")
    }

    static func changedMeanwhile(_ record: KeyRecord) -> KeyringError {
        KeyringError(.changedMeanwhile, "the key \(record.name) was changed by somebody else")
    }

    static func otherConstants(_ record: KeyRecord) -> KeyringError {
        KeyringError(.conflict, "the key \(record.name): what never changes about it would change")
    }
}
