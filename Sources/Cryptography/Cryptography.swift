// SPDX-License-Identifier: Apache-2.0

public import Diagnostics

/// Cryptography is the house's one face to OpenSSL's algorithms: digests, keys, signatures, ciphers, key derivation,
/// randomness and certificates.
///
/// Keys are made or imported as `PrivateKey` and never give their private bytes back, but for the one named method
/// that sealing needs. A `SigningHandle` prepares a key for one `SignatureAlgorithm` and is used by any number of
/// threads at once. `Digest` and `RunningDigest` hash without allocating, and `Midstate` carries an unfinished
/// SHA-2 computation to another machine. `KeyFile` reads keys that people hand in and vets them, `Certificate` reads
/// X.509, and `UnverifiedChain` becomes a `ValidatedChain` by a `ChainPolicy`. It refuses other kinds and sizes of keys than `KeyAlgorithm` names, and
/// signatures over MD5 or SHA-1. Whatever OpenSSL reports is drained into an error at once.
///
/// ```swift
/// let key = try PrivateKey.generate(.p256)
/// let handle = try SigningHandle(key, .ecdsa(.sha256))
/// let digest = Digest(hashing: message.span, with: .sha256)
/// let signature = try handle.sign(digest)
/// ```
public struct CryptographyError: CodedError, Equatable, CustomStringConvertible {
    public let code: ErrorCode
    public let message: String

    init(_ code: ErrorCode, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { "\(code.id): \(message)" }

    static func wrongLength(_ what: String, _ count: Int, expected: String) -> CryptographyError {
        CryptographyError(.wrongLength, "\(what) has \(count) bytes, expected \(expected)")
    }
}
