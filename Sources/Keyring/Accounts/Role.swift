// SPDX-License-Identifier: Apache-2.0

/// What a user is for.
public enum Role: String, CaseIterable, Sendable {
    case viewer
    case `operator`
    case administrator
    case auditor

    /// One table; what is not here is not allowed.
    public static let table: [Role: Set<Ability>] = [
        .viewer: [.readKeys],
        .operator: [.readKeys, .readGrants, .readRecords, .switchKeys, .ownKeys],
        .administrator: Set(Ability.allCases),
        .auditor: [.readKeys, .readGrants, .readRecords, .readUsers, .readAudit],
    ]

    public func may(_ ability: Ability) -> Bool { Self.table[self]?.contains(ability) ?? false }
}

/// What a route of the control plane asks for.
public enum Ability: String, CaseIterable, Sendable {
    case readKeys
    /// Generate, delete, renew.
    case manageKeys
    /// Enable and disable.
    case switchKeys
    /// Have private keys, and do with them whatever there is to do.
    case ownKeys
    case readGrants
    /// Grants and who is shut out.
    case manageGrants
    case readRecords
    case readUsers
    case manageUsers
    case readAudit
    case manageClusterKeys
}
