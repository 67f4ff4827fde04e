// SPDX-License-Identifier: Apache-2.0

public import Signatures

/// The permission to make one signature. Only a `Gate` makes one, and signing uses it up.
public struct SignPermit: ~Copyable, Sendable {
    /// What was judged, for the record.
    public let ruling: Ruling
    /// When the grant or the key ends, whichever comes first.
    public let expires: Moment?

    init(_ ruling: Ruling, expires: Moment?) {
        self.ruling = ruling
        self.expires = expires
    }

    /// Whoever waits between the permit and the signature has to ask again.
    public func isExpired(at now: Moment) -> Bool { expires.map { $0 <= now } ?? false }
}

/// What a gate found, as a value that stays when the permit is used up.
public struct Ruling: Hashable, Sendable {
    public let client: Client
    public let key: KeyID
    public let keyVersion: UInt32
    public let kind: SigningKind
    public let grant: GrantID
    /// Under which it was judged; a record of an older one is not written before it was judged anew.
    public let revision: Revision

    init(
        client: Client, key: KeyID, keyVersion: UInt32, kind: SigningKind, grant: GrantID, revision: Revision
    ) {
        self.client = client
        self.key = key
        self.keyVersion = keyVersion
        self.kind = kind
        self.grant = grant
        self.revision = revision
    }
}
