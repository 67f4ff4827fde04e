// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics

/// A stop of all signing, or of one key's, until others than the one who ordered it let it go on.
///
/// It says nothing of the key's state, so that what was enabled before is enabled afterwards.
public struct Freeze: Hashable, Sendable {
    /// `nil` for all keys.
    public let key: KeyID?
    public let by: Proposal.Voice
    public let reason: String

    public init(key: KeyID?, by voice: Proposal.Voice, because reason: String) throws(KeyringError) {
        guard reason.unicodeScalars.count <= KeyRecord.longestSummary else {
            throw KeyringError(
                .invalidArgument, "reason: more than \(KeyRecord.longestSummary) characters")
        }
        guard (1...256).contains(voice.name.utf8.count) else {
            throw KeyringError(.invalidArgument, "freeze: who ordered it has a name of 1 to 256 bytes")
        }
        self.key = key
        by = voice
        self.reason = reason
    }

    /// What a request to end it is about.
    public var subject: Proposal.Subject { key.map { .key($0) } ?? .everything }

    /// Whether this user may end it alone: an administrator, and not the one who ordered it or who became one since.
    public func mayBeEnded(by user: User) -> Bool {
        user.isActiveAdministrator && user.id != by.user && user.powersSince <= by.time
    }
}

/// For what nothing is signed, whatever is granted.
public struct FrozenKeys: Hashable, Sendable {
    public var all: Bool
    public var keys: Set<KeyID>

    public init(all: Bool = false, keys: Set<KeyID> = []) {
        self.all = all
        self.keys = keys
    }

    public func contains(_ key: KeyID) -> Bool { all || keys.contains(key) }
    public var isEmpty: Bool { !all && keys.isEmpty }
}
