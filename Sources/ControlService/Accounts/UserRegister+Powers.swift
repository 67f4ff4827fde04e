// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
public import Keyring

/// Who is a user, and what he may do. To take powers away is a single act; to give some takes approvals, so that one
/// administrator cannot make himself the others whose approvals he needs.
extension UserRegister {
    /// A user who is what he shall be at once: for programs on the server's machine.
    public func make(_ name: String, _ role: Role, by program: Caller) async throws -> User {
        guard program.user == nil else { return try program.refuse(.manageUsers) }
        return try await make(name, role, isFirst: false, by: program)
    }

    func make(_ name: String, _ role: Role, isFirst: Bool, by caller: Caller) async throws -> User {
        try caller.require(.manageUsers)
        let now = clock()
        let user = try User(id: .random(), name: name, role: role, created: now)
        try await users.add(
            user, isFirst: isFirst,
            caller.event(
                .userCreate, user.id.description, at: now, [("name", name), ("role", role.rawValue)]))
        return user
    }

    /// A new user. Until his role is approved he is a viewer.
    public func add(_ name: String, _ role: Role, by caller: Caller) async throws -> Decision<User> {
        try caller.require(.manageUsers)
        let wanted = Powers(role: role, isDisabled: false)
        let first = try User(id: .random(), name: name, role: .viewer, created: clock())
        guard PowerChange(of: first, to: wanted).givesPowers, ballot.isNeeded(for: caller) else {
            return .done(try await make(name, role, isFirst: false, by: caller))
        }
        try await ballot.expectApprovers(beside: caller)
        let user = try await make(name, .viewer, isFirst: false, by: caller)
        return .asked(try await ask(PowerChange(of: user, to: wanted), of: user, by: caller))
    }

    /// Role, and whether he may do anything at all. The last administrator cannot be taken away. `isExpected` judges what
    /// the caller has seen, before anything is changed.
    public func change(
        _ id: UserID, role: Role?, isDisabled: Bool?, by caller: Caller,
        isExpected: (User) throws -> Void = { _ in }
    ) async throws -> Decision<User> {
        try caller.require(.manageUsers)
        let old = try await existing(id)
        try isExpected(old)
        let wanted = Powers(role: role ?? old.role, isDisabled: isDisabled ?? old.isDisabled)
        guard wanted != old.powers else { return .done(old) }
        let change = PowerChange(of: old, to: wanted)
        guard change.givesPowers, ballot.isNeeded(for: caller) else {
            let now = clock()
            let user = Self.changed(old, to: wanted, at: now)
            try await users.change(user, seen: old, event(user, by: caller, at: now))
            return .done(user)
        }
        if let open = try await ballot.open(.role, of: .user(id)), open.proposal.content == .role(change) {
            let proposal = try await approve(open, by: caller)
            guard proposal.state == .done else { return .asked(proposal) }
            return .done(try await existing(id))
        }
        try await ballot.expectApprovers(beside: caller)
        return .asked(try await ask(change, of: old, by: caller))
    }

    private func ask(_ change: PowerChange, of user: User, by caller: Caller) async throws -> Proposal {
        let proposal = try ballot.proposal(.role, of: .user(user.id), .role(change), by: caller)
        try await ballot.ask(proposal, by: caller, [])
        return proposal
    }

    /// Approves that a user gets powers. Who becomes an administrator loses the tokens that he had: others may know them.
    func approve(_ open: StoredProposal, by caller: Caller) async throws -> Proposal {
        try await ballot.approve(open, by: caller) { done, now in
            guard case .user(let id) = done.subject, case .role(let change) = done.content else {
                throw Ballot.missing(done.id)
            }
            let old = try await existing(id)
            guard old.powers == change.from, old.name == change.name else {
                throw ControlError(
                    .wrongState,
                    "\(old.name) is not any more what he was when it was asked for; reject the request, and ask anew"
                )
            }
            let user = Self.changed(old, to: change.to, at: now)
            let deed = ProposalChange.Deed.user(
                user, seen: old, endsTokens: user.isActiveAdministrator && !old.isActiveAdministrator)
            return (
                deed,
                try event(
                    user, by: caller, at: now, done.facts.filter { $0.0 != "role" && $0.0 != "disabled" })
            )
        }
    }

    private static func changed(_ old: User, to powers: Powers, at now: Moment) -> User {
        var user = old
        (user.role, user.isDisabled) = (powers.role, powers.isDisabled)
        // What he is from now on counts for nothing that was asked for before.
        if user.role != old.role || (old.isDisabled && !user.isDisabled) { user.powersSince = now }
        return user
    }

    private func event(
        _ user: User, by caller: Caller, at now: Moment, _ more: [(String, String)] = []
    ) throws -> AuditEvent {
        try caller.event(
            .userChange, user.id.description, at: now,
            [
                ("name", user.name), ("role", user.role.rawValue),
                ("disabled", user.isDisabled ? "true" : "false"),
            ] + more)
    }
}
