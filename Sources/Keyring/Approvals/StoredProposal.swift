// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Diagnostics

/// A proposal as a table holds it: its canonical bytes under a code of the control plane, so that nobody who writes to the
/// database approves anything.
///
/// ```
/// form  = "signet proposal 1" id operation key reason rest        ; the end of a key
///       / "signet proposal 2" id operation sort subject content rest      ; everything else
/// rest  = requester needed ends state approvals closed
/// voice = user name time                  ; user is optional
/// approvals = count *voice
/// ```
/// in the layout of `CanonicalWriter`; `reason` is the empty text for none.
public struct StoredProposal: Hashable, Sendable {
    public let proposal: Proposal
    public let code: RowCode
    /// Counted with each change of the row; 0 before it is written.
    public let edition: UInt64

    public init(proposal: Proposal, code: RowCode, edition: UInt64 = 0) {
        self.proposal = proposal
        self.code = code
        self.edition = edition
    }
}

extension ClusterKey {
    /// A new proposal, or the row after a change.
    public func store(_ proposal: Proposal, insteadOf stored: StoredProposal? = nil) throws -> StoredProposal
    {
        try expectControl()
        if let stored { try checkRow(stored) }
        return StoredProposal(
            proposal: proposal, code: try code(of: proposal.encoded), edition: stored?.edition ?? 0)
    }

    /// Refuses a row that somebody edited.
    public func checkRow(_ stored: StoredProposal) throws {
        try expectControl()
        try check(stored.code, of: stored.proposal.encoded, "the request \(stored.proposal.id)")
    }

    private func expectControl() throws {
        guard plane == .control else {
            throw KeyringError(
                .sealBroken, "requests belong to the control plane, the cluster key to the other")
        }
    }
}

extension Proposal {
    private static let domain = "signet proposal 1"
    private static let widerDomain = "signet proposal 2"
    public static let largest = 1 << 16

    public var encoded: [UInt8] {
        let isEnd = operation.isEndOfKey
        var writer = CanonicalWriter(isEnd ? Self.domain : Self.widerDomain)
        writer.write(id.bytes)
        writer.write(operation.rawValue)
        if !isEnd { writer.write(subject.sort) }
        writer.write(subject.bytes)
        if !isEnd { writer.write(content?.encoded ?? []) }
        if isEnd { writer.write(reason?.rawValue ?? "") }
        writer.write(requester)
        writer.write(UInt32(needed))
        writer.write(ends)
        writer.write(state.rawValue)
        writer.write(UInt32(approvals.count))
        for approval in approvals { writer.write(approval) }
        writer.write(ifPresent: closed)
        return writer.bytes
    }

    /// Reads canonical bytes; any other form of the same proposal is refused.
    public init(decoding bytes: [UInt8]) throws {
        do {
            try self.init(reading: bytes)
        } catch let error as BytesError {
            throw KeyringError(.recordMalformed, "request for approval: \(error)")
        }
        guard encoded == bytes else {
            throw KeyringError(.recordMalformed, "request for approval: not the canonical form")
        }
    }

    private init(reading bytes: [UInt8]) throws {
        guard bytes.count <= Self.largest else { throw BytesError(.overLimit, at: 0) }
        let isEnd = (try? CanonicalReader(bytes, Self.domain)) != nil
        var reader = try CanonicalReader(bytes, isEnd ? Self.domain : Self.widerDomain)
        let id = try reader.id(ProposalID.self)
        let operation: Operation = try reader.choice()
        guard operation.isEndOfKey == isEnd else { throw BytesError(.badCharacter, at: 0) }
        let sort = isEnd ? Subject.keySort : try reader.text(limit: 64)
        let subject = try Subject(sort, reader.field(exactly: 16))
        let content = isEnd ? nil : try Content(reading: reader.field(limit: Self.largest), of: operation)
        let reasonText = isEnd ? try reader.text(limit: 64) : ""
        let reason = RevocationReason(rawValue: reasonText)
        guard reason != nil || reasonText.isEmpty else { throw BytesError(.badCharacter, at: 0) }
        let requester = try reader.voice()
        let needed = try reader.number32()
        let ends = try reader.moment()
        let state: State = try reader.choice()
        let count = try reader.number32()
        guard count <= UInt32(Self.mostNeeded), needed <= UInt32(Self.mostNeeded) else {
            throw BytesError(.overLimit, at: 0)
        }
        var approvals: [Voice] = []
        for _ in 0..<count { approvals.append(try reader.voice()) }
        let closed = try reader.momentIfPresent()
        try reader.expectEnd()
        try self.init(
            id: id, operation, of: subject, content, because: reason, by: requester, needed: Int(needed),
            ends: ends,
            state: state, approvals: approvals, closed: closed)
    }
}

extension Proposal.Operation {
    /// What the first layout is for.
    fileprivate var isEndOfKey: Bool { self == .deletion || self == .revocation }
}

extension Proposal.Subject {
    fileprivate static let keySort = "key"
    private static let userSort = "user"
    private static let grantSort = "grant"
    private static let everythingSort = "everything"

    fileprivate var sort: String {
        switch self {
        case .key: Self.keySort
        case .user: Self.userSort
        case .grant: Self.grantSort
        case .everything: Self.everythingSort
        }
    }

    /// 16 bytes, which a table can be searched for.
    public var bytes: [UInt8] {
        switch self {
        case .key(let id): id.bytes
        case .user(let id): id.bytes
        case .grant(let id): id.bytes
        case .everything: [UInt8](repeating: 0, count: 16)
        }
    }

    fileprivate init(_ sort: String, _ bytes: [UInt8]) throws {
        switch sort {
        case Self.keySort: self = .key(try KeyID(bytes.span))
        case Self.userSort: self = .user(try UserID(bytes.span))
        case Self.grantSort: self = .grant(try GrantID(bytes.span))
        case Self.everythingSort: self = .everything
        default: throw BytesError(.badCharacter, at: 0)
        }
    }
}

extension Proposal.Content {
    fileprivate var encoded: [UInt8] {
        switch self {
        case .role(let change): change.encoded
        case .grant(let grant): grant.row
        }
    }

    /// `nil` for an operation without content, whose bytes have to be none.
    fileprivate init?(reading bytes: [UInt8], of operation: Proposal.Operation) throws {
        switch operation {
        case .role: self = .role(try PowerChange(decoding: bytes))
        case .granting: self = .grant(try Grant(decoding: bytes))
        default:
            guard bytes.isEmpty else { throw BytesError(.trailing, at: 0) }
            return nil
        }
    }
}

extension CanonicalWriter {
    fileprivate mutating func write(_ voice: Proposal.Voice) {
        write(ifPresent: voice.user?.bytes)
        write(voice.name)
        write(voice.time)
    }
}

extension CanonicalReader {
    fileprivate mutating func voice() throws -> Proposal.Voice {
        let user = try fieldIfPresent(limit: 16)
        return Proposal.Voice(
            user: try user.map { try UserID($0.span) }, name: try text(limit: 256), time: try moment())
    }

    mutating func momentIfPresent() throws -> Moment? {
        guard let field = try fieldIfPresent(limit: 8) else { return nil }
        guard field.count == 8 else { throw BytesError(.badLength, at: 0) }
        return Moment(microseconds: Int64(bitPattern: field.reduce(0) { $0 << 8 | UInt64($1) }))
    }
}
