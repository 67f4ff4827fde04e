// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics

/// A person or program that uses the control plane.
public struct User: Hashable, Sendable {
    public let id: UserID
    /// What he is called, such as a mail address: 1 to 60 visible ASCII characters, no space and no `:`.
    public let name: String
    public var role: Role
    public var isDisabled: Bool
    public let created: Moment
    /// Since when he has his role without a break.
    public var powersSince: Moment

    public static let longestName = 60

    public init(
        id: UserID, name: String, role: Role, isDisabled: Bool = false, created: Moment,
        powersSince: Moment? = nil
    ) throws(KeyringError) {
        guard (1...Self.longestName).contains(name.utf8.count),
            name.utf8.allSatisfy({ 0x21...0x7e ~= $0 && $0 != UInt8(ascii: ":") })
        else {
            throw KeyringError(
                .invalidArgument,
                "user: a name has 1 to \(Self.longestName) visible ASCII characters, no space and no \":\"")
        }
        self.id = id
        self.name = name
        self.role = role
        self.isDisabled = isDisabled
        self.created = created
        self.powersSince = powersSince ?? created
    }

    /// Whether he may do everything now.
    public var isActiveAdministrator: Bool { role == .administrator && !isDisabled }
}
