// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import Cryptography
internal import Diagnostics

/// Something that somebody did, before it has its place in the audit's chain.
public struct AuditEvent: Hashable, Sendable {
    public enum Actor: Hashable, Sendable {
        case user(UserID, name: String)
        /// A program on the server's own machine, such as `control-admin`.
        case program(String)
    }

    public let time: Moment
    public let actor: Actor
    public let action: AuditAction
    /// What it was done to: an id or a name.
    public let subject: String
    /// Never a secret.
    public let facts: [Fact]

    public init(time: Moment, actor: Actor, action: AuditAction, subject: String, facts: [Fact] = [])
        throws(KeyringError)
    {
        guard (1...1024).contains(subject.utf8.count) else {
            throw KeyringError(.invalidArgument, "audit: a subject has 1 to 1024 bytes")
        }
        switch actor {
        case .user(_, let name), .program(let name):
            guard (1...256).contains(name.utf8.count) else {
                throw KeyringError(.invalidArgument, "audit: an actor's name has 1 to 256 bytes")
            }
        }
        self.time = time
        self.actor = actor
        self.action = action
        self.subject = subject
        self.facts = try Fact.canonical(facts)
    }
}

/// What can be done that the audit tells.
public enum AuditAction: String, CaseIterable, Sendable {
    case keyGenerate = "key-generate"
    case keyImport = "key-import"
    case keyEnable = "key-enable"
    case keyDisable = "key-disable"
    case keyRequestRevocation = "key-request-revoke"
    case keyCancelRevocation = "key-cancel-revoke"
    case keyRevoke = "key-revoke"
    case keyRequestDeletion = "key-request-delete"
    case keyCancelDeletion = "key-cancel-delete"
    case keyDelete = "key-delete"
    case keyDestroy = "key-destroy"
    case keyExpire = "key-expire"
    case keyRenew = "key-renew"
    case keyDescribe = "key-describe"
    case keyReseal = "key-reseal"
    case approvalGive = "approval-give"
    case approvalTakeBack = "approval-take-back"
    case approvalExpire = "approval-expire"
    case revocationList = "revocation-list"
    case freeze = "freeze"
    case thaw = "thaw"
    case approvalRequest = "approval-request"
    case approvalReject = "approval-reject"
    case keyGuard = "key-guard"
    case keyUnguard = "key-unguard"
    case certificateIssue = "certificate-issue"
    case grantCreate = "grant-create"
    case grantRemove = "grant-remove"
    case clientDeny = "client-deny"
    case clientAllow = "client-allow"
    case userCreate = "user-create"
    case userChange = "user-change"
    case tokenCreate = "token-create"
    case tokenRevoke = "token-revoke"
    case clusterKeyCreate = "cluster-key-create"
    case clusterKeyRetire = "cluster-key-retire"
    case backupRestore = "backup-restore"
}

/// One event in its place in the chain.
///
/// ```
/// form  = "signet audit entry 1" sequence previous time actor action subject facts
/// actor = "user" id name / "program" name
/// ```
/// in the layout of `CanonicalWriter`.
public struct AuditEntry: Hashable, Sendable {
    public let sequence: UInt64
    public let previous: Digest
    public let event: AuditEvent
    public let encoded: [UInt8]

    public init(_ event: AuditEvent, after head: ChainHead) {
        self.init(event, head.sequence &+ 1, head.digest)
    }

    public var head: ChainHead { ChainHead(sequence: sequence, digest: ChainHead.digest(of: encoded)) }

    private static let domain = "signet audit entry 1"
    public static let largest = 1 << 17

    private init(_ event: AuditEvent, _ sequence: UInt64, _ previous: Digest) {
        self.event = event
        self.sequence = sequence
        self.previous = previous
        var writer = CanonicalWriter(Self.domain)
        writer.write(sequence)
        writer.write(previous)
        writer.write(event.time)
        switch event.actor {
        case .user(let id, let name):
            writer.write("user")
            writer.write(id.bytes)
            writer.write(name)
        case .program(let name):
            writer.write("program")
            writer.write(name)
        }
        writer.write(event.action.rawValue)
        writer.write(event.subject)
        writer.write(event.facts)
        encoded = writer.bytes
    }

    /// Reads canonical bytes; any other form of the same entry is refused.
    public init(decoding bytes: [UInt8]) throws {
        do {
            try self.init(reading: bytes)
        } catch let error as BytesError {
            throw KeyringError(.recordMalformed, "audit entry: \(error)")
        }
        guard encoded == bytes else {
            throw KeyringError(.recordMalformed, "audit entry: not the canonical form")
        }
    }

    private init(reading bytes: [UInt8]) throws {
        guard bytes.count <= Self.largest else { throw BytesError(.overLimit, at: 0) }
        var reader = try CanonicalReader(bytes, Self.domain)
        let sequence = try reader.number()
        let previous = try reader.sha256()
        let time = try reader.moment()
        let actor: AuditEvent.Actor
        switch try reader.text(limit: 16) {
        case "user": actor = .user(try reader.id(), name: try reader.text(limit: 256))
        case "program": actor = .program(try reader.text(limit: 256))
        default: throw BytesError(.badCharacter, at: 0)
        }
        let event = try AuditEvent(
            time: time, actor: actor, action: reader.choice(), subject: reader.text(limit: 1024),
            facts: reader.facts())
        try reader.expectEnd()
        self.init(event, sequence, previous)
    }
}
