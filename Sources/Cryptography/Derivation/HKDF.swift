// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL
internal import Diagnostics
public import Secrets

/// Derives keys from a key (RFC 5869).
public enum HKDF {
    /// Derives `count` bytes, at most 255 digests. Different `info` gives independent keys.
    public static func derive(
        _ count: Int, from key: borrowing SecretBytes, salt: Span<UInt8>, info: Span<UInt8>,
        with digest: DigestAlgorithm
    ) throws -> SecretBytes {
        guard !digest.isWeak else {
            throw CryptographyError(.algorithmMismatch, "no key is derived with \(digest.rawValue)")
        }
        guard key.count > 0 else {
            throw CryptographyError.wrongLength("an HKDF key", 0, expected: "1 or more")
        }
        guard count > 0, count <= 255 * digest.count else {
            throw CryptographyError.wrongLength(
                "a derived key", count, expected: "1 to \(255 * digest.count)")
        }
        // What the library's context can take.
        guard info.count <= 1024, salt.count <= 1024 else {
            throw CryptographyError.wrongLength(
                "the salt or info of HKDF", max(info.count, salt.count), expected: "1024 or less")
        }
        let context = unsafe try OpenSSLPointer<PKeyContext>(
            EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, nil), "EVP_PKEY_CTX_new_id")
        unsafe try check(EVP_PKEY_derive_init(context.pointer), "EVP_PKEY_derive_init")
        unsafe try check(EVP_PKEY_CTX_set_hkdf_md(context.pointer, digest.evp), "EVP_PKEY_CTX_set_hkdf_md")
        unsafe try feed(key.bytes, "EVP_PKEY_CTX_set1_hkdf_key") {
            unsafe EVP_PKEY_CTX_set1_hkdf_key(context.pointer, $0, $1)
        }
        unsafe try feed(salt, "EVP_PKEY_CTX_set1_hkdf_salt") {
            unsafe EVP_PKEY_CTX_set1_hkdf_salt(context.pointer, $0, $1)
        }
        unsafe try feed(info, "EVP_PKEY_CTX_add1_hkdf_info") {
            unsafe EVP_PKEY_CTX_add1_hkdf_info(context.pointer, $0, $1)
        }
        return unsafe try SecretBytes(capacity: count) { base in
            var written = count
            unsafe try check(EVP_PKEY_derive(context.pointer, base, &written), "EVP_PKEY_derive")
            return written
        }
    }

    private static func feed(
        _ bytes: Span<UInt8>, _ operation: StaticString, _ call: (UnsafePointer<UInt8>, Int32) -> Int32
    ) throws {
        guard !bytes.isEmpty else { return }
        let result = unsafe bytes.withUnsafeBufferPointer { buffer in
            unsafe buffer.baseAddress.map { unsafe call($0, Int32(buffer.count)) } ?? 0
        }
        try check(result, operation)
    }
}
