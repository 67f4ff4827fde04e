// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

/// A key pair, held by OpenSSL (in its secure heap where the process set one up). Its content never changes, so that
/// any thread may use it; `SigningHandle` signs with it.
@safe public final class PrivateKey: Sendable {
    public let algorithm: KeyAlgorithm
    public let publicKey: PublicKey
    /// An `EVP_PKEY`. OpenSSL counts its references and locks its caches itself.
    nonisolated(unsafe) let pointer: OpaquePointer

    /// Takes a key from an importer, which has seen to it that the private half is there and fits the public one.
    init(adopting key: consuming OpenSSLPointer<PKey>) throws {
        algorithm = try KeyAlgorithm(of: key)
        publicKey = try Self.publicHalf(of: key)
        unsafe pointer = key.release()
    }

    deinit { unsafe EVP_PKEY_free(pointer) }

    private static func publicHalf(of key: borrowing OpenSSLPointer<PKey>) throws -> PublicKey {
        var encoded: UnsafeMutablePointer<UInt8>?
        let count = unsafe try checkPositive(i2d_PUBKEY(key.pointer, &encoded), "i2d_PUBKEY")
        defer { unsafe CRYPTO_free(encoded, "", 0) }
        var next = unsafe UnsafePointer(encoded)
        let half = unsafe try OpenSSLPointer<PKey>(d2i_PUBKEY(nil, &next, count), "d2i_PUBKEY")
        return try PublicKey(adopting: half)
    }
}
