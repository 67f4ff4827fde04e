// SPDX-License-Identifier: Apache-2.0

public import Secrets

/// A key management service: it wraps cluster keys with a key that never leaves it. Providers live in KMS.
public protocol KeyWrapping: Sendable {
    /// The name by which the settings choose it.
    var provider: String { get }

    /// Encrypts a key under the service's present key. The associated data has to be given again to unwrap.
    func wrap(_ key: borrowing SecretBytes, associatedData: [UInt8]) async throws -> WrappedSecret

    /// Opens what `wrap` made, with any key and version of the service that is still there.
    func unwrap(_ wrapped: WrappedSecret, associatedData: [UInt8]) async throws -> SecretBytes

    /// Throws when the service could not wrap or unwrap now.
    func checkHealth() async throws
}

/// A secret as a key management service wrapped it. All of it may be seen.
public struct WrappedSecret: Hashable, Sendable {
    /// The service's key, and its version.
    public let key: String
    public let version: String
    public let ciphertext: [UInt8]

    public static let largest = 1 << 14

    public init(key: String, version: String, ciphertext: [UInt8]) {
        self.key = key
        self.version = version
        self.ciphertext = ciphertext
    }
}
