// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL
internal import Diagnostics

/// A private key made ready for one signature algorithm. Any number of threads may sign with it at once.
///
/// The handle keeps the key alive, so that it cannot be freed while a signature is under way.
public final class SigningHandle: Sendable {
    public let key: PrivateKey
    public let algorithm: SignatureAlgorithm
    /// The same algorithm with the public half.
    public let verifying: VerifyingHandle
    private let contexts: PreparedContexts
    private let largest: Int

    /// Refuses an algorithm that does not fit the key, and weak digests.
    public init(_ key: PrivateKey, _ algorithm: SignatureAlgorithm) throws {
        try algorithm.check(fits: key.algorithm)
        self.key = key
        self.algorithm = algorithm
        verifying = try VerifyingHandle(key.publicKey, algorithm)
        contexts = unsafe try PreparedContexts(.sign, algorithm, key: key.pointer)
        largest = unsafe try checkPositive(EVP_PKEY_get_size(key.pointer), "EVP_PKEY_get_size")
    }

    /// Signs a digest, which must be of the algorithm's kind.
    public func sign(_ digest: Digest) throws -> [UInt8] {
        try algorithm.check(fits: digest)
        return try digest.withBytes { bytes in try produce(from: bytes) }
    }

    /// Signs a message with Ed25519.
    public func sign(message: Span<UInt8>) throws -> [UInt8] {
        try algorithm.checkTakesMessages()
        return try produce(from: message)
    }

    /// Signs, and withholds a signature that the public half does not accept.
    public func signAndVerify(_ digest: Digest) throws -> [UInt8] {
        let signature = try sign(digest)
        guard try verifying.isValid(signature.span, for: digest) else { throw fault }
        return signature
    }

    /// Signs a message with Ed25519, and withholds a signature that the public half does not accept.
    public func signAndVerify(message: Span<UInt8>) throws -> [UInt8] {
        let signature = try sign(message: message)
        guard try verifying.isValid(signature.span, forMessage: message) else { throw fault }
        return signature
    }

    private var fault: CryptographyError {
        CryptographyError(.signatureFault, "a signature with \(algorithm.name) did not verify")
    }

    private func produce(from input: Span<UInt8>) throws -> [UInt8] {
        // Filled on the stack first: it takes less time than a generic array of unknown length.
        unsafe try withUnsafeTemporaryAllocation(of: UInt8.self, capacity: largest) { output in
            guard let length = try contexts.use({ context in unsafe context.sign(input, into: output) })
            else {
                throw OpenSSLError(draining: "signing with \(algorithm.name)")
            }
            return unsafe [UInt8](output[..<length])
        }
    }
}
