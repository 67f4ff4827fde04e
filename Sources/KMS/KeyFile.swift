// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
public import Keyring
public import Secrets

/// The provider `file`: a wrapping key of 32 bytes in a file that is put there from outside, such as a credential that
/// systemd decrypts with the machine's TPM for this service alone.
///
/// Who replaces the key names the old one among `older`: what it wrapped still opens, until `control-admin cluster-key
/// rotate` has new cluster keys wrapped by the new one.
public final class KeyFile: KeyWrapping {
    public let provider = "file"
    private let key: WrappingKey
    private let older: [Older]

    private final class Older: Sendable {
        let key: WrappingKey
        init(_ path: String) throws { key = try WrappingKey(contentsOf: path, provider: "file") }
    }

    public init(_ path: String, older: [String] = []) throws {
        key = try WrappingKey(contentsOf: path, provider: "file")
        self.older = try older.map { try Older($0) }
    }

    public func wrap(_ secret: borrowing SecretBytes, associatedData: [UInt8]) async throws -> WrappedSecret {
        try key.wrap(secret, associatedData: associatedData)
    }

    public func unwrap(_ wrapped: WrappedSecret, associatedData: [UInt8]) async throws -> SecretBytes {
        if key.fits(wrapped) { return try key.unwrap(wrapped, associatedData: associatedData) }
        for old in older where old.key.fits(wrapped) {
            return try old.key.unwrap(wrapped, associatedData: associatedData)
        }
        throw KMSError(
            .kmsKeyUnusable,
            "wrapped with the key \(wrapped.key) version \(wrapped.version), the file holds \(key.id) version 1"
        )
    }

    /// The file was read; there is nothing more to ask.
    public func checkHealth() async throws {}
}
