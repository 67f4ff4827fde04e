// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import COpenSSL
internal import Diagnostics

/// A private key made ready for one signature algorithm. Any number of threads may sign with it at once.
///
/// The handle keeps the key alive, so that it cannot be freed while a signature is under way. The private half may also be
/// somewhere else, such as in a hardware module, which is then asked for each signature.
public final class SigningHandle: Sendable {
    public let publicKey: PublicKey
    public let algorithm: SignatureAlgorithm
    /// The same algorithm with the public half.
    public let verifying: VerifyingHandle
    private let place: Place

    private enum Place {
        case here(Here)
        case elsewhere(@Sendable ([UInt8]) throws -> [UInt8])
    }

    private final class Here: Sendable {
        private let key: PrivateKey
        private let contexts: PreparedContexts
        private let largest: Int

        init(_ key: PrivateKey, _ algorithm: SignatureAlgorithm) throws {
            self.key = key
            contexts = unsafe try PreparedContexts(.sign, algorithm, key: key.pointer)
            largest = unsafe try checkPositive(EVP_PKEY_get_size(key.pointer), "EVP_PKEY_get_size")
        }

        func sign(_ input: Span<UInt8>, _ algorithm: SignatureAlgorithm) throws -> [UInt8] {
            // Filled on the stack first: it takes less time than a generic array of unknown length.
            try unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: largest) { output in
                guard let length = try contexts.use({ context in unsafe context.sign(input, into: output) })
                else {
                    throw OpenSSLError(draining: "signing with \(algorithm.name)")
                }
                return unsafe [UInt8](output[..<length])
            }
        }
    }

    /// Of a key whose private half is not in this process. `sign` gets the digest's octets, or with Ed25519 the message, and
    /// returns the signature in the form that `algorithm` has here.
    public init(
        _ publicKey: PublicKey, _ algorithm: SignatureAlgorithm,
        signedElsewhere sign: @escaping @Sendable ([UInt8]) throws -> [UInt8]
    ) throws {
        try algorithm.check(fits: publicKey.algorithm)
        self.publicKey = publicKey
        self.algorithm = algorithm
        verifying = try VerifyingHandle(publicKey, algorithm)
        place = .elsewhere(sign)
    }

    /// Refuses an algorithm that does not fit the key, and weak digests.
    public init(_ key: PrivateKey, _ algorithm: SignatureAlgorithm) throws {
        try algorithm.check(fits: key.algorithm)
        publicKey = key.publicKey
        self.algorithm = algorithm
        verifying = try VerifyingHandle(key.publicKey, algorithm)
        place = .here(try Here(key, algorithm))
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
        switch place {
        case .here(let here): try here.sign(input, algorithm)
        case .elsewhere(let sign): try sign([UInt8](copying: input))
        }
    }
}
