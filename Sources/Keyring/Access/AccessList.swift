// SPDX-License-Identifier: Apache-2.0

/// A client who is shut out, whatever his grants say.
public enum DeniedClient: Hashable, Sendable {
    case identity(ClientIdentity)
    /// One certificate, by its SHA-256.
    case certificate([UInt8])
}

/// Who may do what under one revision: the grants whose authentication codes were found right, and who is shut out.
public struct AccessList: Sendable {
    public let revision: Revision
    public let grants: [Grant]
    public let denied: Set<DeniedClient>
    public let frozen: FrozenKeys
    /// The grants of a key, since a signing server asks for one key at a time.
    private let ofKey: [KeyID: [Grant]]

    public init(
        revision: Revision, grants: [Grant], denied: Set<DeniedClient> = [],
        frozen: FrozenKeys = FrozenKeys()
    ) {
        self.revision = revision
        self.grants = grants
        self.denied = denied
        self.frozen = frozen
        var ofKey: [KeyID: [Grant]] = [:]
        for grant in grants { for key in grant.keys { ofKey[key, default: []].append(grant) } }
        self.ofKey = ofKey
    }

    func grants(of key: KeyID) -> [Grant] { ofKey[key] ?? [] }
}

/// A client as his connection shows him.
public struct Client: Hashable, Sendable {
    public let identity: ClientIdentity
    /// SHA-256 of the certificate that he presented.
    public let certificate: [UInt8]

    public init(identity: ClientIdentity, certificate: [UInt8]) {
        self.identity = identity
        self.certificate = certificate
    }
}
