// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

/// The public half of a key. Its content never changes, so that any thread may use it.
@safe public final class PublicKey: Sendable {
    public let algorithm: KeyAlgorithm
    /// An `EVP_PKEY` without private parts. OpenSSL counts its references and locks its caches itself.
    nonisolated(unsafe) let pointer: OpaquePointer

    /// Takes a key from an importer.
    init(adopting key: consuming OpenSSLPointer<PKey>) throws {
        algorithm = try KeyAlgorithm(of: key)
        unsafe pointer = key.release()
    }

    deinit { unsafe EVP_PKEY_free(pointer) }
}
