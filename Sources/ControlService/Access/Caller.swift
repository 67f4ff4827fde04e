// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
public import Keyring

/// Who asks for something, and what his role lets him do.
public struct Caller: Hashable, Sendable {
    public let actor: AuditEvent.Actor
    /// `nil` for a program on the server's own machine.
    public let user: User?
    private let role: Role
    /// What the token is for by which he proved who he is.
    let scopes: Set<TokenScope>

    public init(_ user: User, scopes: Set<TokenScope> = .all) {
        self.scopes = scopes
        actor = .user(user.id, name: user.name)
        self.user = user
        role = user.role
    }

    /// A program that whoever may start it may use for everything.
    public init(program: String) {
        actor = .program(program)
        user = nil
        role = .administrator
        scopes = .all
    }

    public func may(_ ability: Ability) -> Bool { role.may(ability) && scopes.allows(ability) }

    /// For what he may not do in any way.
    func refuse<Value>(_ ability: Ability) throws(ControlError) -> Value {
        try require(ability)
        throw ControlError(.roleMissing, "this is not allowed")
    }

    /// Throws unless the role has the ability.
    func require(_ ability: Ability) throws(ControlError) {
        guard role.may(ability) == may(ability) else {
            let scopes = TokenScope.allCases.filter { $0.allows(ability) }.map(\.rawValue).joined(
                separator: ", ")
            throw ControlError(
                .scopeMissing,
                "the token is for \(self.scopes.text) alone; what was asked for is in these scopes: \(scopes)"
            )
        }
        guard may(ability) else {
            let able = Role.allCases.filter { $0.may(ability) }.map(\.rawValue).joined(separator: ", ")
            throw ControlError(.roleMissing, "the role \(role.rawValue) does not allow it; these do: \(able)")
        }
    }

    /// The keys that he may see.
    var sight: KeySight { user.map { .publicAndPrivateOf($0.id) } ?? .all }

    /// What he did, for the audit.
    func event(_ action: AuditAction, _ subject: String, at time: Moment, _ facts: [(String, String)] = [])
        throws
        -> AuditEvent
    {
        try AuditEvent(
            time: time, actor: actor, action: action, subject: subject,
            facts: facts.map { (name, value) throws(KeyringError) in try Fact(name, value) })
    }
}

/// The present time of this machine.
public typealias Clock = @Sendable () -> Moment

extension Moment {
    /// The system's clock, for programs to hand in.
    public static let now: Clock = {
        let time = WallTime.now()
        return Moment(microseconds: time.seconds * 1_000_000 + Int64(time.nanoseconds) / 1000)
    }
}
