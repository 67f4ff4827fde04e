// SPDX-License-Identifier: Apache-2.0

public import Signatures

/// The permission to make one signature. Only a `Gate` makes one, and signing uses it up.
public struct SignPermit: ~Copyable, Sendable {
    /// What was judged, for the record.
    public let ruling: Ruling

    init(_ ruling: Ruling) { self.ruling = ruling }
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
