// SPDX-License-Identifier: Apache-2.0

/// What lies under the cluster keys, for whoever replaces one.
public protocol SealStore: Sendable {
    /// Rows of the plane that are under another cluster key than this one, at most `limit` of each sort.
    func rows(notUnder key: ClusterKeyID, of plane: Plane, limit: Int) async throws -> SealedRows

    /// Writes rows that were sealed and coded anew, each unless it was changed since it was read; how many were written.
    func reseal(_ rows: ResealedRows, _ event: AuditEvent) async throws -> Int

    /// How many rows are under a cluster key.
    func uses(of key: ClusterKeyID) async throws -> Int

    /// Takes a cluster key away for good. Throws `wrong-state` while something is under it, or when it is the newest of
    /// its plane.
    func retire(_ key: ClusterKeyID, _ event: AuditEvent) async throws
}

public struct SealedRows: Sendable {
    public var keys: [StoredKey] = []
    public var grants: [StoredGrant] = []
    public var proposals: [StoredProposal] = []

    public init() {}

    public var count: Int { keys.count + grants.count + proposals.count }
}

/// Rows under a new cluster key; those that have no count of their changes with what they were.
public struct ResealedRows: Sendable {
    public var keys: [StoredKey] = []
    public var grants: [(new: StoredGrant, old: StoredGrant)] = []
    public var proposals: [StoredProposal] = []

    public init() {}

    public var count: Int { keys.count + grants.count + proposals.count }
}
