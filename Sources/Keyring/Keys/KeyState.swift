// SPDX-License-Identifier: Apache-2.0

/// Where a key stands in its life. The raw values are what the database and REST say.
public enum KeyState: String, CaseIterable, Sendable {
    case disabled
    case enabled
    /// Somebody asked for revocation, and approvals are awaited.
    case pendingRevocation = "pending_revoke"
    case revoked
    /// Somebody asked for deletion, and approvals are awaited.
    case pendingDeletion = "pending_delete"
    /// The same for a revoked key: calling it off must not bring the key back to life.
    case revokedPendingDeletion = "revoked_pending_delete"
    /// Out of use; its private half waits for its end.
    case deleted
    /// The private half is erased. The row stays, so that neither id nor public key is ever used again.
    case destroyed
    case expired
}

/// What can be done with a key.
public enum KeyAction: String, CaseIterable, Sendable {
    case enable
    case disable
    case requestRevocation = "request_revoke"
    case cancelRevocation = "cancel_revoke"
    /// Once approved, or at once where nobody has to approve.
    case revoke
    case requestDeletion = "request_delete"
    case cancelDeletion = "cancel_delete"
    case delete
    case destroy
    /// The day after which it is valid no more has come.
    case expire
    /// It is valid for longer than before.
    case renew
    case sign
    /// Issue certificates, as an authority's key does.
    case certify
    /// Issue revocation lists: what was certified can be revoked by an authority that certifies no more.
    case listRevocations = "list_revocations"
    /// Hand out the public half and the certificate.
    case export
    /// Change the description and what else is only for people.
    case describe
}

extension KeyState {
    /// The whole life of a key: each action, and for each state in which it is legal the state that follows. What is not
    /// here is refused.
    public static let table: [KeyAction: [KeyState: KeyState]] = [
        .enable: [.disabled: .enabled],
        .disable: [.enabled: .disabled],
        .requestRevocation: [.disabled: .pendingRevocation, .pendingRevocation: .pendingRevocation],
        .cancelRevocation: [.pendingRevocation: .disabled],
        .revoke: [.disabled: .revoked, .pendingRevocation: .revoked],
        .requestDeletion: [
            .disabled: .pendingDeletion, .expired: .pendingDeletion, .pendingDeletion: .pendingDeletion,
            .revoked: .revokedPendingDeletion, .revokedPendingDeletion: .revokedPendingDeletion,
        ],
        // One that had expired is found to be so again.
        .cancelDeletion: [.pendingDeletion: .disabled, .revokedPendingDeletion: .revoked],
        .delete: [
            .disabled: .deleted, .expired: .deleted, .pendingDeletion: .deleted, .revoked: .deleted,
            .revokedPendingDeletion: .deleted,
        ],
        .destroy: [.deleted: .destroyed],
        .expire: [.disabled: .expired, .enabled: .expired],
        .renew: [.disabled: .disabled, .enabled: .enabled, .expired: .disabled],
        .sign: [.enabled: .enabled],
        .certify: [.enabled: .enabled],
        .listRevocations: staying(in: [.disabled, .enabled, .pendingRevocation, .pendingDeletion, .expired]),
        .export: staying(in: allCases.filter { $0 != .deleted && $0 != .destroyed }),
        .describe: staying(in: allCases.filter { $0 != .deleted && $0 != .destroyed }),
    ]

    /// The state after the action; `nil` when it is not legal here.
    public func after(_ action: KeyAction) -> KeyState? { Self.table[action]?[self] }

    /// Whether the name is free for another key.
    public var freesName: Bool { self == .deleted || self == .destroyed }

    private static func staying(in states: [KeyState]) -> [KeyState: KeyState] {
        Dictionary(uniqueKeysWithValues: states.map { ($0, $0) })
    }
}
