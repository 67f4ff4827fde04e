// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL
internal import Diagnostics
public import Secrets

/// AES-256-GCM with associated data.
///
/// ```
/// sealed = ciphertext tag     ; as long as the plaintext, and 16 bytes
/// ```
/// The nonce of 12 bytes is the caller's: it travels beside the sealed bytes and is never used twice with one key.
/// `Random.bytes(AESGCM.nonceCount)` is right for up to 2^32 messages a key.
public enum AESGCM {
    public static let keyCount = 32
    public static let nonceCount = 12
    public static let tagCount = 16
    /// OpenSSL counts in 32 bits; nothing here is nearly as long.
    public static let largest = 1 << 30

    /// Encrypts and authenticates `plaintext`, and authenticates `associatedData`.
    public static func seal(
        _ plaintext: Span<UInt8>, key: borrowing SecretBytes, nonce: Span<UInt8>,
        associatedData: Span<UInt8>
    ) throws -> [UInt8] {
        let context = try prepare(key, nonce, associatedData, plaintext.count, encrypting: true)
        return unsafe try [UInt8](unsafeUninitializedCapacity: plaintext.count + tagCount) { output, count in
            guard let base = output.baseAddress else { return }
            unsafe try context.run(plaintext, to: base)
            unsafe try check(context.finish(base), "EVP_CipherFinal_ex")
            unsafe try check(
                EVP_CIPHER_CTX_ctrl(
                    context.pointer, EVP_CTRL_AEAD_GET_TAG, Int32(tagCount), base + plaintext.count),
                "EVP_CTRL_AEAD_GET_TAG")
            count = plaintext.count + tagCount
        }
    }

    /// Opens what `seal` made into secret memory. Nothing is given out unless all of it is authentic.
    public static func open(
        _ sealed: Span<UInt8>, key: borrowing SecretBytes, nonce: Span<UInt8>,
        associatedData: Span<UInt8>
    ) throws -> SecretBytes {
        let count = try plaintextCount(sealed)
        let context = try prepare(key, nonce, associatedData, count, encrypting: false)
        return unsafe try SecretBytes(capacity: count) { base in
            unsafe try decrypt(sealed, context, to: base)
            return count
        }
    }

    /// Opens what is no secret into ordinary memory.
    public static func openPublic(
        _ sealed: Span<UInt8>, key: borrowing SecretBytes, nonce: Span<UInt8>,
        associatedData: Span<UInt8>
    ) throws -> [UInt8] {
        let count = try plaintextCount(sealed)
        let context = try prepare(key, nonce, associatedData, count, encrypting: false)
        // One byte more, so that there is an address when there is no plaintext.
        return unsafe try [UInt8](unsafeUninitializedCapacity: count + 1) { output, written in
            guard let base = output.baseAddress else { return }
            do {
                unsafe try decrypt(sealed, context, to: base)
            } catch {
                unsafe OPENSSL_cleanse(base, count)
                throw error
            }
            written = count
        }
    }

    private static func plaintextCount(_ sealed: Span<UInt8>) throws -> Int {
        guard sealed.count >= tagCount else {
            throw CryptographyError.wrongLength("sealed data", sealed.count, expected: "\(tagCount) or more")
        }
        return sealed.count - tagCount
    }

    private static func prepare(
        _ key: borrowing SecretBytes, _ nonce: Span<UInt8>, _ associatedData: Span<UInt8>, _ count: Int,
        encrypting: Bool
    ) throws -> CipherRun {
        guard key.count == keyCount else {
            throw CryptographyError.wrongLength("an AES-256-GCM key", key.count, expected: "\(keyCount)")
        }
        guard nonce.count == nonceCount else {
            throw CryptographyError.wrongLength(
                "an AES-256-GCM nonce", nonce.count, expected: "\(nonceCount)")
        }
        guard count <= largest, associatedData.count <= largest else {
            throw CryptographyError.wrongLength("data for AES-256-GCM", count, expected: "\(largest) or less")
        }
        let run = unsafe try CipherRun(EVP_aes_256_gcm(), key: key.bytes, iv: nonce, encrypting: encrypting)
        try run.authenticate(associatedData)
        return run
    }

    private static func decrypt(
        _ sealed: Span<UInt8>, _ context: borrowing CipherRun, to base: UnsafeMutablePointer<UInt8>
    ) throws {
        let count = sealed.count - tagCount
        var tag: [UInt8] = []
        for index in count..<sealed.count { tag.append(sealed[index]) }
        unsafe try check(
            EVP_CIPHER_CTX_ctrl(context.pointer, EVP_CTRL_AEAD_SET_TAG, Int32(tagCount), &tag),
            "EVP_CTRL_AEAD_SET_TAG")
        unsafe try context.run(sealed.extracting(..<count), to: base)
        guard unsafe context.finish(base) == 1 else {
            dropErrors()
            throw CryptographyError(
                .notAuthentic, "sealed data of \(sealed.count) bytes did not open under this key")
        }
    }
}
