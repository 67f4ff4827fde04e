// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics

/// Something that somebody asked for and that happens when enough administrators have approved it.
///
/// Each is counted on its own: who approves the deletion of a key says nothing about its revocation. The one who asked
/// does not count, nor does an administrator whose powers are younger than the request. It ends by itself after a while.
public struct Proposal: Hashable, Sendable {
    public enum Operation: String, CaseIterable, Sendable {
        case deletion = "delete"
        case revocation = "revoke"
        /// Signing goes on that was stopped by a `Freeze`.
        case thawing = "thaw"
        /// A user gets powers that he does not have.
        case role = "role"
        /// A grant that names a guarded key.
        case granting = "grant"
        /// A guarded key signs.
        case enabling = "enable"
        /// A key is guarded no more.
        case unguarding = "unguard"
    }

    /// What it is about.
    public enum Subject: Hashable, Sendable {
        case key(KeyID)
        case user(UserID)
        case grant(GrantID)
        case everything
    }

    /// What happens exactly, where operation and subject do not say it all.
    public enum Content: Hashable, Sendable {
        case role(PowerChange)
        case grant(Grant)
    }

    public enum State: String, CaseIterable, Sendable {
        case open
        /// Approved, and carried out at once.
        case done
        /// By the one who asked, or by an administrator who is against it.
        case cancelled
        /// Nobody did enough about it in time.
        case expired
    }

    /// Somebody who asked or approved. A program on the server's machine has no id.
    public struct Voice: Hashable, Sendable {
        public let user: UserID?
        public let name: String
        public let time: Moment

        public init(user: UserID?, name: String, time: Moment) {
            self.user = user
            self.name = name
            self.time = time
        }
    }

    public let id: ProposalID
    public let operation: Operation
    public let subject: Subject
    public let content: Content?
    /// Why a key is revoked.
    public let reason: RevocationReason?
    public let requester: Voice
    /// How many have to approve.
    public let needed: Int
    public let ends: Moment

    public private(set) var state: State
    public private(set) var approvals: [Voice]
    public private(set) var closed: Moment?

    /// More need not approve.
    public static let mostNeeded = 50

    public init(
        id: ProposalID, _ operation: Operation, of subject: Subject, _ content: Content? = nil,
        because reason: RevocationReason? = nil, by requester: Voice, needed: Int, ends: Moment
    ) throws(KeyringError) {
        try self.init(
            id: id, operation, of: subject, content, because: reason, by: requester, needed: needed,
            ends: ends, state: .open, approvals: [], closed: nil)
    }

    /// One that was read.
    init(
        id: ProposalID, _ operation: Operation, of subject: Subject, _ content: Content?,
        because reason: RevocationReason?, by requester: Voice, needed: Int, ends: Moment, state: State,
        approvals: [Voice], closed: Moment?
    ) throws(KeyringError) {
        guard 0...Self.mostNeeded ~= needed, approvals.count <= Self.mostNeeded else {
            throw KeyringError(.invalidArgument, "approvals: 0 to \(Self.mostNeeded) can be asked for")
        }
        guard (operation == .revocation) == (reason != nil) else {
            throw KeyringError(.invalidArgument, "reason: a revocation has one, and nothing else has")
        }
        guard operation.isAbout(subject, content) else {
            throw KeyringError(.invalidArgument, "request: it is about something else than can be asked for")
        }
        guard (1...256).contains(requester.name.utf8.count), requester.time < ends else {
            throw KeyringError(.invalidArgument, "request: it has a name, and an end behind its beginning")
        }
        guard (state == .open) == (closed == nil) else {
            throw KeyringError(.invalidArgument, "request: what is over has a time when it was")
        }
        self.id = id
        self.operation = operation
        self.subject = subject
        self.content = content
        self.reason = reason
        self.requester = requester
        self.needed = needed
        self.ends = ends
        self.state = state
        self.approvals = approvals
        self.closed = closed
    }

    /// The one key that it is about.
    public var key: KeyID? { if case .key(let id) = subject { id } else { nil } }

    public func isOver(at now: Moment) -> Bool { state != .open || ends <= now }

    /// The proposal with one more approval.
    public func approved(by user: User, at now: Moment) throws(KeyringError) -> Proposal {
        try expectOpen(at: now)
        guard user.isActiveAdministrator else {
            throw KeyringError(.approvalRefused, "\(user.name) is no administrator")
        }
        guard requester.user != user.id else {
            throw KeyringError(.approvalRefused, "\(user.name) asked for it, so others have to approve it")
        }
        guard user.powersSince <= requester.time else {
            throw KeyringError(
                .approvalRefused,
                "\(user.name) was made an administrator after it was asked for, and does not count")
        }
        guard !approvals.contains(where: { $0.user == user.id }) else {
            throw KeyringError(.approvalRefused, "\(user.name) has approved it already")
        }
        var next = self
        next.approvals.append(Voice(user: user.id, name: user.name, time: now))
        return next
    }

    /// Without the approval of a user.
    public func takenBack(by user: UserID, at now: Moment) throws(KeyringError) -> Proposal {
        try expectOpen(at: now)
        guard approvals.contains(where: { $0.user == user }) else {
            throw KeyringError(.approvalRefused, "there is no approval of yours to take back")
        }
        var next = self
        next.approvals.removeAll { $0.user == user }
        return next
    }

    /// Only with approvals of those who count now: one who lost his powers since does not.
    public func counting(_ users: Set<UserID>) -> Proposal {
        var next = self
        next.approvals.removeAll { approval in approval.user.map { !users.contains($0) } ?? true }
        return next
    }

    public var isApproved: Bool { approvals.count >= needed }

    /// Over, in one of the ways.
    public func closed(as state: State, at now: Moment) throws(KeyringError) -> Proposal {
        guard self.state == .open else { throw isNotOpen }
        guard state != .done || isApproved else {
            throw KeyringError(
                .approvalRefused, "\(approvals.count) of \(needed) administrators have approved it")
        }
        var next = self
        next.state = state
        next.closed = now
        return next
    }

    private func expectOpen(at now: Moment) throws(KeyringError) {
        guard !isOver(at: now) else { throw isNotOpen }
    }

    private var isNotOpen: KeyringError {
        KeyringError(
            .approvalOver,
            "the request to \(operation.rawValue) is \(state == .open ? State.expired.rawValue : state.rawValue)"
        )
    }
}

extension Proposal.Operation {
    /// Whether this can be asked for of such a thing.
    func isAbout(_ subject: Proposal.Subject, _ content: Proposal.Content?) -> Bool {
        switch (self, subject, content) {
        case (.deletion, .key, nil), (.revocation, .key, nil), (.enabling, .key, nil),
            (.unguarding, .key, nil),
            (.thawing, .key, nil), (.thawing, .everything, nil), (.role, .user, .role):
            true
        case (.granting, .grant(let id), .grant(let grant)): id == grant.id
        default: false
        }
    }
}

/// Why a certificate is revoked (RFC 5280, section 5.3.1), in the words of REST.
public enum RevocationReason: String, CaseIterable, Sendable {
    case unspecified
    case keyCompromise = "key_compromise"
    case authorityCompromise = "ca_compromise"
    case affiliationChanged = "affiliation_changed"
    case superseded
    case cessationOfOperation = "cessation_of_operation"
    case certificateHold = "certificate_hold"
    case privilegeWithdrawn = "privilege_withdrawn"
    case attributeAuthorityCompromise = "aa_compromise"
}
