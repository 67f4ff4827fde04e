// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics

/// A public key made ready to verify signatures of one algorithm. Any number of threads may use it at once.
public final class VerifyingHandle: Sendable {
    public let key: PublicKey
    public let algorithm: SignatureAlgorithm
    private let contexts: PreparedContexts

    /// Refuses an algorithm that does not fit the key, and weak digests.
    public init(_ key: PublicKey, _ algorithm: SignatureAlgorithm) throws {
        try algorithm.check(fits: key.algorithm)
        self.key = key
        self.algorithm = algorithm
        contexts = unsafe try PreparedContexts(.verify, algorithm, key: key.pointer)
    }

    /// Whether the signature is the key's for this digest; any other bytes are not. Throws when the digest is not of
    /// the algorithm's kind.
    public func isValid(_ signature: Span<UInt8>, for digest: Digest) throws -> Bool {
        try algorithm.check(fits: digest)
        return try digest.withBytes { bytes in try accepts(signature, bytes) }
    }

    /// Whether the Ed25519 signature is the key's for this message.
    public func isValid(_ signature: Span<UInt8>, forMessage message: Span<UInt8>) throws -> Bool {
        try algorithm.checkTakesMessages()
        return try accepts(signature, message)
    }

    private func accepts(_ signature: Span<UInt8>, _ input: Span<UInt8>) throws -> Bool {
        if try contexts.use({ context in context.verify(signature, input) ? true : nil }) != nil {
            return true
        }
        dropErrors()
        return false
    }
}

extension SignatureAlgorithm {
    func checkTakesMessages() throws(CryptographyError) {
        guard digest == nil else {
            throw CryptographyError(.algorithmMismatch, "\(name) signs digests, not messages")
        }
    }
}
