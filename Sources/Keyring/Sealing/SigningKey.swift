// SPDX-License-Identifier: Apache-2.0

public import Cryptography
internal import Diagnostics
public import Signatures

/// A key made ready to sign files: what a signing server keeps in its cache. Any number of threads may use it.
///
/// There is one way to a signature: a draft, whose structure Signatures built, and a permit, which it uses up. The private
/// half is never given away.
public final class SigningKey: Sendable {
    public let record: KeyRecord
    private let make: @Sendable (SignatureAlgorithm) throws -> SigningHandle
    private let handles = Lock<[SignatureAlgorithm: SigningHandle]>([:])

    /// Refuses keys that certify.
    public init(_ unsealed: consuming UnsealedKey) throws {
        guard unsealed.record.purpose == .signing else {
            throw KeyringError(
                .keySchemeMismatch, "the key \(unsealed.record.name) certifies and signs no files")
        }
        record = unsealed.record
        let key = unsealed.key
        make = { try SigningHandle(key, $0) }
    }

    /// A key whose private half a backend keeps to itself; `handle` is asked once for each algorithm. Refuses keys that
    /// certify.
    public init(
        _ record: KeyRecord, handle: @escaping @Sendable (SignatureAlgorithm) throws -> SigningHandle
    ) throws {
        guard record.purpose == .signing else {
            throw KeyringError(.keySchemeMismatch, "the key \(record.name) certifies and signs no files")
        }
        self.record = record
        make = handle
    }

    /// Makes the signature, which was verified with the public key before it is returned. The permit has to be for this
    /// key and a kind of the draft's scheme.
    public func sign(_ draft: any SignatureDraft, permit: consuming SignPermit) throws -> [UInt8] {
        let ruling = permit.ruling
        guard ruling.key == record.id, ruling.keyVersion == record.version else {
            throw KeyringError(.permitMismatch, "the permit is for another key than \(record.name)")
        }
        guard ruling.kind.scheme == draft.scheme, draft.scheme == record.scheme else {
            throw KeyringError(
                .permitMismatch,
                "a permit for \(ruling.kind.rawValue) does not sign a draft of \(draft.scheme.rawValue)")
        }
        return try draft.signed(by: handle(draft.algorithm))
    }

    /// Prepared once for each algorithm; there are few.
    private func handle(_ algorithm: SignatureAlgorithm) throws -> SigningHandle {
        if let known = handles.withLock({ $0[algorithm] }) { return known }
        let made = try make(algorithm)
        return handles.withLock { handles in
            if let known = handles[algorithm] { return known }
            handles[algorithm] = made
            return made
        }
    }
}
