// SPDX-License-Identifier: Apache-2.0

/// Requests for approval. Those about one key are written together with it: `KeyStore.change`.
public protocol ProposalStore: Sendable {
    /// Writes a request, and what happens with it. Throws `changed-meanwhile` when something is not as it was read, or an
    /// approver is no administrator any more.
    func write(_ change: ProposalChange, _ event: AuditEvent) async throws
    func proposal(_ id: ProposalID) async throws -> StoredProposal?
    /// By the time when they were made, the newest first.
    func proposals(_ query: ProposalQuery) async throws -> [StoredProposal]
}

/// Which requests to list.
public struct ProposalQuery: Hashable, Sendable {
    public var state: Proposal.State?
    public var operation: Proposal.Operation?
    /// About any of these.
    public var subjects: Set<Proposal.Subject>?
    public var offset = 0
    /// At most `largest`.
    public var limit = 100

    public static let largest = 1000

    public init() {}

    public func includes(_ proposal: Proposal) -> Bool {
        (state == nil || proposal.state == state) && (operation == nil || proposal.operation == operation)
            && subjects?.contains(proposal.subject) ?? true
    }
}

/// A request's next row, and what happens together with it: all of it, or nothing.
public struct ProposalChange: Sendable {
    /// What happens once it is approved.
    public enum Deed: Sendable {
        /// Signing goes on, if the freeze is the one that was seen.
        case thaw(Freeze)
        /// A user's powers change, if he still is as he was seen; with `true` all his tokens end.
        case user(User, seen: User, endsTokens: Bool)
        /// A grant, if its keys still are as they were seen.
        case grant(StoredGrant, seen: [StoredKey])
    }

    /// One that is new, or that has changed since it was read; `nil` when nobody had to be asked.
    public var proposal: StoredProposal?
    /// Those whose approvals were counted: each has to be an administrator still who may do something.
    public var approvers: Set<UserID>
    public var deed: Deed?

    public init(_ proposal: StoredProposal?, approvers: Set<UserID> = [], deed: Deed? = nil) {
        self.proposal = proposal
        self.approvers = approvers
        self.deed = deed
    }
}

/// A key's next row, and what is written together with it: all of it, or nothing.
public struct KeyChange: Sendable {
    public var key: StoredKey
    /// A request that is new, or that has changed since it was read.
    public var proposal: StoredProposal?
    /// Those whose approvals were counted: each has to be an administrator still who may do something.
    public var approvers: Set<UserID> = []
    /// No living key may hang on it: it is an authority that goes, or an OpenPGP primary.
    public var isChildless = false
    /// What its authority revokes from now on.
    public var list: StoredRevocationList?
    /// Other rows that change with it: those that have the same OpenPGP certificate.
    public var others: [StoredKey] = []
    /// The certificate that gives way to the row's new one.
    public var former: FormerCertificate?

    public init(_ key: StoredKey) { self.key = key }
}

/// A certificate that a key had before it was renewed. It stays good until its end, so that a revocation of the key has to
/// list it too.
public struct FormerCertificate: Hashable, Sendable {
    public let key: KeyID
    /// Big endian, as the certificate has it.
    public let serialNumber: [UInt8]
    public let expires: Moment
    public let replaced: Moment

    public init(key: KeyID, serialNumber: [UInt8], expires: Moment, replaced: Moment) {
        self.key = key
        self.serialNumber = serialNumber
        self.expires = expires
        self.replaced = replaced
    }
}

/// A revocation list that an authority signed.
public struct StoredRevocationList: Hashable, Sendable {
    public let authority: KeyID
    /// Each list of an authority has a greater one than the list before.
    public let number: UInt64
    /// The number of the one before, 0 for the first: a list counts only when it is the next.
    public let previous: UInt64
    public let made: Moment
    /// When the one after it is promised.
    public let next: Moment
    public let der: [UInt8]

    public init(
        authority: KeyID, number: UInt64, previous: UInt64, made: Moment, next: Moment, der: [UInt8]
    ) {
        self.authority = authority
        self.number = number
        self.previous = previous
        self.made = made
        self.next = next
        self.der = der
    }
}

/// All revocation lists that ever were, by their authority and number.
public protocol RevocationListStore: Sendable {
    /// Throws `changed-meanwhile` when `previous` is not the newest any more.
    func add(_ list: StoredRevocationList, _ event: AuditEvent) async throws
    func newestList(of authority: KeyID) async throws -> StoredRevocationList?
    func list(of authority: KeyID, number: UInt64) async throws -> StoredRevocationList?
    /// The certificates that these keys had before.
    func formerCertificates(of keys: Set<KeyID>) async throws -> [FormerCertificate]
}
