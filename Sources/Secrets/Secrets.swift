// SPDX-License-Identifier: Apache-2.0

public import Diagnostics

/// Secrets keeps key material in memory that has one owner and that is wiped when the owner lets go of it.
///
/// `SecretBytes` has pages of its own: locked, left out of core dumps and forks, with an untouchable page on either
/// side. `SecretArena` holds many small ones. Both are filled in place and read through a span; neither has a text
/// form, an `==` or a copy. A secret file is read straight into such pages, and refused when others could have read
/// or written it. `Hardening` closes the other ways out of the process before the first secret comes in, and stops
/// the start when one of them cannot be closed, unless the settings allow that by name.
///
/// ```swift
/// try Hardening(secureHeap: 4 << 20, secretPages: 1 << 20).apply()
/// let passphrase = try SecretBytes(contentsOf: "/etc/signet/passphrase", lastNewline: .dropped)
/// ```
public struct SecretsError: CodedError, Equatable, CustomStringConvertible {
    public let code: ErrorCode
    public let message: String

    public var description: String { "\(code.id): \(message)" }

    static func notLocked(_ size: Int) -> SecretsError {
        SecretsError(
            code: .memoryNotLocked,
            message:
                "\(size) bytes for a secret could not be locked in memory; \(LockedMemoryLimit.description)")
    }

    static func notShielded(_ size: Int) -> SecretsError {
        SecretsError(
            code: .memoryNotLocked,
            message: "\(size) bytes for a secret could not be kept out of core dumps and forks")
    }

    static func noMemory(_ size: Int) -> SecretsError {
        SecretsError(code: .unavailable, message: "no memory for a secret of \(size) bytes")
    }

    static func tooLarge(_ size: Int, limit: Int) -> SecretsError {
        SecretsError(code: .tooLarge, message: "a secret of \(size) bytes is over the limit of \(limit)")
    }

    static func budgetSpent(_ budget: Int) -> SecretsError {
        SecretsError(
            code: .secretBudgetSpent,
            message: "the \(budget) bytes of locked memory for small secrets are in use")
    }

    static func noRandomness(_ error: Int32) -> SecretsError {
        SecretsError(code: .unavailable, message: "the system gave no random bytes (error \(error))")
    }
}
