// SPDX-License-Identifier: Apache-2.0

internal import Cryptography
internal import Diagnostics

/// A key made ready to sign files: what a signing server keeps in its cache. Any number of threads may use it.
///
/// There is one way to a signature: a draft, whose structure Signatures built, and a permit, which it uses up. The private
/// half is never given away.
public final class SigningKey: Sendable {
    public let record: KeyRecord
    private let key: PrivateKey
    private let handles = Lock<[SignatureAlgorithm: SigningHandle]>([:])

    /// Refuses keys that certify.
    public init(_ unsealed: consuming UnsealedKey) throws {
        guard unsealed.record.purpose == .signing else {
            throw KeyringError(
                .keySchemeMismatch, "the key \(unsealed.record.name) certifies and signs no files")
        }
        record = unsealed.record
        key = unsealed.key
    }

    /// Prepared once for each algorithm; there are few.
    func handle(_ algorithm: SignatureAlgorithm) throws -> SigningHandle {
        if let known = handles.withLock({ $0[algorithm] }) { return known }
        let made = try SigningHandle(key, algorithm)
        return handles.withLock { handles in
            if let known = handles[algorithm] { return known }
            handles[algorithm] = made
            return made
        }
    }
}
