// SPDX-License-Identifier: Apache-2.0

public import Diagnostics

/// KMS holds the providers behind Keyring's port `KeyWrapping`, one file each, chosen by name in the settings.
///
/// `LocalKeyFile` (`type = "dummy"`) wraps with a key in a file beside the program, for development: it says so loudly
/// and is refused in production. `KeyFile` (`file`) takes the key from a file or a credential of systemd, `SocketService`
/// (`socket`) asks a service of the farm's own over a unix socket (docs/reference/kms.md), `Vault` (`vault`) the transit engine
/// of a Vault over HTTPS, `Token` (`pkcs11`) a token through its vendor's library. Around those that are asked lies `SteadyWrapping`: a deadline, further tries, a breaker. Every provider passes the same contract suite: what it wrapped
/// it unwraps, under the same associated data alone, and every changed byte is refused.
///
/// ```swift
/// let kms = try ProviderSettings(settings.section("memory").section("kms-provider"))
///     .open(in: .development, log: log)
/// ```
public struct KMSError: CodedError, Equatable, CustomStringConvertible {
    public let code: ErrorCode
    public let message: String
    /// When the service wants to be asked again; it is there, and has much to do.
    public let retryAfter: Duration?

    init(_ code: ErrorCode, _ message: String, retryAfter: Duration? = nil) {
        self.code = code
        self.message = message
        self.retryAfter = retryAfter
    }

    public var description: String { "\(code.id): \(message)" }
}
