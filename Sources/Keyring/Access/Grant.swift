// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
public import Signatures

/// The right of some clients to have some kinds of files signed with some keys. What no grant gives is refused.
public struct Grant: Hashable, Sendable {
    public let id: GrantID
    public let clients: IdentityPattern
    /// Ids, so that a key that takes over a name inherits nothing. A pattern over names is expanded when the grant is
    /// made.
    public let keys: Set<KeyID>
    public let kinds: Set<SigningKind>
    public let created: Moment
    public let expires: Moment?
    public let summary: String
    /// From where the clients may call; empty for everywhere.
    public let networks: Set<Network>

    public static let mostKeys = 1000
    public static let mostNetworks = 64

    public init(
        id: GrantID, clients: IdentityPattern, keys: Set<KeyID>, kinds: Set<SigningKind>, created: Moment,
        expires: Moment? = nil, summary: String = "", networks: Set<Network> = []
    ) throws(KeyringError) {
        guard networks.count <= Self.mostNetworks else {
            throw KeyringError(.invalidArgument, "networks: a grant names up to \(Self.mostNetworks)")
        }
        guard (1...Self.mostKeys).contains(keys.count) else {
            throw KeyringError(
                .invalidArgument, "keys: a grant names 1 to \(Self.mostKeys) keys, not \(keys.count)")
        }
        guard !kinds.isEmpty else {
            throw KeyringError(.invalidArgument, "kinds: a grant names at least one kind of file")
        }
        guard summary.unicodeScalars.count <= KeyRecord.longestSummary else {
            throw KeyringError(
                .invalidArgument, "description: more than \(KeyRecord.longestSummary) characters")
        }
        self.id = id
        self.clients = clients
        self.keys = keys
        self.kinds = kinds
        self.created = created
        self.expires = expires
        self.summary = summary
        self.networks = networks
    }

    /// `nil` is an address that nobody knows.
    func isFor(_ source: SourceAddress?) -> Bool {
        networks.isEmpty || source.map { source in networks.contains { $0.contains(source) } } ?? false
    }

    public func isExpired(at now: Moment) -> Bool { expires.map { $0 <= now } ?? false }
}
