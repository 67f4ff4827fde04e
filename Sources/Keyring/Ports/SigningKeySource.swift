// SPDX-License-Identifier: Apache-2.0

public import Diagnostics

/// What a data-server reads: keys, grants, who is shut out. It changes nothing.
public protocol SigningKeySource: Sendable {
    /// Asked several times a second: cheap.
    func pulse() async throws -> Pulse
    /// Grants and shut-out clients, with a revision that is not newer than they are.
    func access() async throws -> StoredAccess
    /// Keys that sign artifacts; certifying ones are not there.
    func signingKey(_ id: KeyID) async throws -> StoredKey?
    func signingKey(named name: KeyName) async throws -> StoredKey?
    /// Those of the ids that are there.
    func signingKeys(_ ids: [KeyID]) async throws -> StoredKeys
    /// A cluster key of the data plane.
    func dataClusterKey(_ id: ClusterKeyID) async throws -> WrappedKey?
}

/// The database's sign of life.
public struct Pulse: Hashable, Sendable {
    public let revision: Revision
    /// The database's clock.
    public let time: Moment

    public init(revision: Revision, time: Moment) {
        self.revision = revision
        self.time = time
    }
}

/// Grants as they were read, before their authentication codes are looked at.
public struct StoredAccess: Sendable {
    public let revision: Revision
    public let grants: [StoredGrant]
    public let denied: Set<DeniedClient>
    public let frozen: FrozenKeys
    /// Why rows of grants could not be read; they are left out.
    public let faults: [any CodedError]

    public init(
        revision: Revision, grants: [StoredGrant], denied: Set<DeniedClient>,
        frozen: FrozenKeys = FrozenKeys(), faults: [any CodedError] = []
    ) {
        self.revision = revision
        self.grants = grants
        self.denied = denied
        self.frozen = frozen
        self.faults = faults
    }
}

/// Keys as they were read, before their authentication codes are looked at.
public struct StoredKeys: Sendable {
    public let keys: [StoredKey]
    /// Why rows could not be read; they are left out.
    public let faults: [any CodedError]

    public init(_ keys: [StoredKey], faults: [any CodedError] = []) {
        self.keys = keys
        self.faults = faults
    }
}
