// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Diagnostics

/// What a user may do at all.
public struct Powers: Hashable, Sendable {
    public var role: Role
    public var isDisabled: Bool

    public init(role: Role, isDisabled: Bool) {
        self.role = role
        self.isDisabled = isDisabled
    }

    public func may(_ ability: Ability) -> Bool { !isDisabled && role.may(ability) }
}

extension User {
    public var powers: Powers { Powers(role: role, isDisabled: isDisabled) }
}

/// Another role for a user, or whether he may do anything: from what he was when it was asked for.
///
/// ```
/// form = "signet powers 1" name from to
/// from = to = role disabled                  ; disabled is the text "yes" or "no"
/// ```
/// in the layout of `CanonicalWriter`.
public struct PowerChange: Hashable, Sendable {
    public let name: String
    public let from: Powers
    public let to: Powers

    public init(of user: User, to powers: Powers) {
        (name, from, to) = (user.name, user.powers, powers)
    }

    /// Whether others have to approve it: he may do something afterwards that he may not do now. To look at keys, as
    /// every user may, is nothing.
    public var givesPowers: Bool {
        Ability.allCases.contains { $0 != .readKeys && to.may($0) && !from.may($0) }
    }

    private static let domain = "signet powers 1"

    var encoded: [UInt8] {
        var writer = CanonicalWriter(Self.domain)
        writer.write(name)
        for powers in [from, to] {
            writer.write(powers.role.rawValue)
            writer.write(powers.isDisabled ? "yes" : "no")
        }
        return writer.bytes
    }

    init(decoding bytes: [UInt8]) throws {
        var reader = try CanonicalReader(bytes, Self.domain)
        name = try reader.text(limit: User.longestName)
        from = try Self.powers(&reader)
        to = try Self.powers(&reader)
        try reader.expectEnd()
    }

    private static func powers(_ reader: inout CanonicalReader) throws -> Powers {
        let role: Role = try reader.choice()
        let word = try reader.text(limit: 3)
        guard word == "yes" || word == "no" else { throw BytesError(.badCharacter, at: 0) }
        return Powers(role: role, isDisabled: word == "yes")
    }
}
