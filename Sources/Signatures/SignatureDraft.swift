// SPDX-License-Identifier: Apache-2.0

public import Cryptography
internal import Diagnostics

/// What will be signed, complete but for the signature itself: small, without a key, and made only by this room.
public protocol SignatureDraft: Sendable {
    var scheme: SigningScheme { get }
    /// What the handle has to be prepared for.
    var algorithm: SignatureAlgorithm { get }
    /// The public half of the key that has to sign.
    var signerKey: PublicKey { get }

    /// The finished signature, which was verified with the signer's public key. Refuses a handle for another key or
    /// algorithm.
    func signed(by handle: SigningHandle) throws -> [UInt8]
}

extension SignatureDraft {
    func check(_ handle: SigningHandle) throws(SignaturesError) {
        guard handle.algorithm == algorithm else {
            throw SignaturesError(
                .signerMismatch, "the handle is prepared for another algorithm than the draft")
        }
        guard handle.publicKey == signerKey else {
            throw SignaturesError(.signerMismatch, "the private key is not the signer's")
        }
    }
}

extension SigningHandle {
    /// Signs a digest, or with Ed25519 its octets as the message; verified before it is returned.
    func raw(_ digest: Digest) throws -> [UInt8] {
        if algorithm == .ed25519 {
            return try digest.withBytes { bytes in try signAndVerify(message: bytes) }
        }
        return try signAndVerify(digest)
    }
}
