// SPDX-License-Identifier: Apache-2.0

/// What a token is for: it lets its user do no more than that, however much his role allows.
public enum TokenScope: String, CaseIterable, Sendable {
    /// Look at everything that the role may look at.
    case read
    /// Make, switch and end keys, freeze signing, and approve such requests.
    case keys
    /// Grants, and who is shut out.
    case grants
    /// Users and their tokens.
    case users
    /// Signature records and the audit, and nothing else.
    case records

    /// One table; what is not here is not allowed.
    public static let table: [TokenScope: Set<Ability>] = [
        .read: [.readKeys, .readGrants, .readRecords, .readUsers, .readAudit],
        .keys: [.readKeys, .manageKeys, .switchKeys, .ownKeys, .manageClusterKeys],
        .grants: [.readKeys, .readGrants, .manageGrants, .ownKeys],
        .users: [.readUsers, .manageUsers],
        .records: [.readRecords, .readAudit],
    ]

    public func allows(_ ability: Ability) -> Bool { Self.table[self]?.contains(ability) ?? false }
}

extension Set<TokenScope> {
    /// Of a token that lets its user do whatever his role allows.
    public static let all = Set(TokenScope.allCases)

    public func allows(_ ability: Ability) -> Bool { self == .all || contains { $0.allows(ability) } }

    /// Words with spaces between them; none for all.
    public var text: String { self == .all ? "" : map(\.rawValue).sorted().joined(separator: " ") }

    /// `nil` when a word is unknown.
    public init?(text: String) {
        guard !text.isEmpty else {
            self = .all
            return
        }
        self = []
        for word in text.split(separator: " ") {
            guard let scope = TokenScope(rawValue: String(word)) else { return nil }
            insert(scope)
        }
    }
}
