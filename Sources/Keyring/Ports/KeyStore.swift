// SPDX-License-Identifier: Apache-2.0

internal import Cryptography
public import Signatures

/// The keys, as the control plane sees and changes them.
///
/// Each change is one transaction with its entry in the audit and the next revision. It throws `key-name-taken` when a
/// living key has the name, `key-exists` when any key, were it destroyed, has the same public half, and `changed-meanwhile`
/// when the row is not the one that was read. Who changes something by what he read gives it along, so that reading,
/// judging and writing are one step. Whatever a user does is refused as `token-invalid` once he is disabled.
public protocol KeyStore: Sendable {
    /// Adds keys that belong together, such as an OpenPGP primary and its subkey: all or none. Those of `seen`, such as the
    /// authority that certified them, have to be as they were read.
    @discardableResult
    func add(_ keys: [StoredKey], seen: [StoredKey], _ event: AuditEvent) async throws -> Revision

    /// Writes the variables of a key that was read before, its private half, which may be sealed anew or gone, and what
    /// goes with it.
    @discardableResult
    func change(_ change: KeyChange, _ event: AuditEvent) async throws -> StoredKey

    func key(_ id: KeyID) async throws -> StoredKey?
    /// The living key of that name.
    func key(named name: KeyName) async throws -> StoredKey?
    func keys(_ query: KeyQuery) async throws -> KeyPage
}

extension KeyStore {
    @discardableResult
    public func add(_ keys: [StoredKey], _ event: AuditEvent) async throws -> Revision {
        try await add(keys, seen: [], event)
    }

    @discardableResult
    public func change(_ key: StoredKey, _ event: AuditEvent) async throws -> StoredKey {
        try await change(KeyChange(key), event)
    }
}

/// Which keys to list, by name.
public struct KeyQuery: Hashable, Sendable {
    /// Empty for all.
    public var schemes: Set<SigningScheme> = []
    public var purpose: KeyPurpose?
    public var state: KeyState?
    /// Whose keys.
    public var sight = KeySight.all
    /// Any of these.
    public var states: Set<KeyState>?
    /// Not later than that.
    public var expiresUntil: Moment?
    public var parent: KeyID?
    /// Text that the name contains.
    public var nameContains = ""
    /// Without this, deleted and destroyed ones are left out unless `state` asks for them.
    public var withDeleted = false
    public var offset = 0
    /// At most `largest`.
    public var limit = 100

    public static let largest = 1000

    public init() {}

    public func includes(_ key: KeyRecord) -> Bool {
        (schemes.isEmpty || schemes.contains(key.scheme)) && (purpose == nil || key.purpose == purpose)
            && (parent == nil || key.parent == parent)
            && sight.includes(key.owner) && states?.contains(key.state) ?? true
            && (expiresUntil.map { end in key.expires.map { $0 <= end } ?? false } ?? true)
            && (state.map { key.state == $0 } ?? (withDeleted || !key.state.freesName))
            && key.name.contains(nameContains)
    }
}

/// Which keys somebody may see, or asks for: public ones are everybody's, private ones their owner's alone.
public enum KeySight: Hashable, Sendable {
    /// For what the control plane does by itself.
    case all
    case publicOnly
    case privateOf(UserID)
    case publicAndPrivateOf(UserID)

    public func includes(_ owner: UserID?) -> Bool {
        switch self {
        case .all: true
        case .publicOnly: owner == nil
        case .privateOf(let user): owner == user
        case .publicAndPrivateOf(let user): owner == nil || owner == user
        }
    }
}

/// A part of a list, and how long the whole is.
public struct KeyPage: Sendable {
    public let keys: [StoredKey]
    public let total: Int

    public init(keys: [StoredKey], total: Int) {
        self.keys = keys
        self.total = total
    }
}

/// The cluster keys of both planes, wrapped.
public protocol ClusterKeyStore: Sendable {
    func add(_ key: WrappedKey, _ event: AuditEvent) async throws
    /// Newest first: the first one seals.
    func clusterKeys(of plane: Plane) async throws -> [WrappedKey]
    func clusterKey(_ id: ClusterKeyID) async throws -> WrappedKey?
}
