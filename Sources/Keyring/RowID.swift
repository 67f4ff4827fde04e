// SPDX-License-Identifier: Apache-2.0

public import Cryptography

/// The id of one row, chosen by us before the row is written: 16 random bytes, never used again. Ids of different
/// tables are different types.
public struct RowID<Row>: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let value: UniqueID

    public init(_ value: UniqueID) { self.value = value }

    /// Reads 16 bytes.
    public init(_ bytes: Span<UInt8>) throws { value = try UniqueID(bytes) }

    /// Reads the text form; `nil` for any other text.
    public init?(_ text: String) {
        guard let value = UniqueID(text) else { return nil }
        self.value = value
    }

    public static func random() throws -> RowID { RowID(try .random()) }

    public var bytes: [UInt8] { value.bytes }
    public var description: String { value.description }

    public static func < (one: RowID, other: RowID) -> Bool { one.value < other.value }
}

public typealias KeyID = RowID<KeyRecord>
public typealias GrantID = RowID<Grant>
public typealias UserID = RowID<User>
public typealias TokenID = RowID<APIToken>
public typealias ProposalID = RowID<Proposal>
public typealias ClusterKeyID = RowID<ClusterKey>
/// Chosen by the client, unique together with his identity.
public typealias JobID = RowID<SignatureRecord>

/// The count of all changes to keys, grants, clients and users. What was judged under an older one is judged anew.
public struct Revision: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let number: UInt64

    public init(_ number: UInt64) { self.number = number }

    public var description: String { String(number) }
    public static func < (one: Revision, other: Revision) -> Bool { one.number < other.number }
}
