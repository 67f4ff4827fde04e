// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL
internal import Diagnostics
internal import Secrets

extension KeyEncryption {
    /// Decrypts, or throws `passphrase-wrong` when the padding tells so; one wrong passphrase in 256 gives garbage.
    func decrypt(_ ciphertext: Span<UInt8>, passphrase: Span<UInt8>) throws -> SecretBytes {
        guard ciphertext.count > 0, ciphertext.count.isMultiple(of: cipher.blockLength),
            ciphertext.count <= 1 << 20
        else { throw CryptographyError(.keyMalformed, "\(ciphertext.count) bytes of ciphertext") }
        // PKCS#12 makes key and vector one after the other.
        let key = try derive(1, cipher.keyLength, passphrase)
        var iv = iv
        if case .pkcs12 = derivation {
            let vector = try derive(2, cipher.blockLength, passphrase)
            iv = [UInt8](capacity: vector.count) { output in
                for index in 0..<vector.count { output.append(vector.bytes[index]) }
            }
        }
        let context = unsafe try OpenSSLPointer<CipherContext>(EVP_CIPHER_CTX_new(), "EVP_CIPHER_CTX_new")
        let algorithm =
            switch cipher {
            case .aes128: unsafe EVP_aes_128_cbc()
            case .aes192: unsafe EVP_aes_192_cbc()
            case .aes256: unsafe EVP_aes_256_cbc()
            case .tripleDES: unsafe EVP_des_ede3_cbc()
            }
        // Buffers are used by the calls alone.
        try check(
            unsafe key.bytes.withUnsafeBufferPointer { key in
                unsafe EVP_DecryptInit_ex(context.pointer, algorithm, nil, key.baseAddress, iv)
            }, "EVP_DecryptInit_ex")
        return try SecretBytes(capacity: ciphertext.count + cipher.blockLength) { output in
            try Self.update(context, ciphertext, &output)
        }
    }

    private static func update(
        _ context: borrowing OpenSSLPointer<CipherContext>, _ ciphertext: Span<UInt8>,
        _ output: inout OutputSpan<UInt8>
    ) throws {
        let pointer = unsafe context.pointer
        let isRight = unsafe try output.withUnsafeMutableBufferPointer { target, count in
            unsafe try ciphertext.withUnsafeBufferPointer { source in
                var (first, last): (Int32, Int32) = (0, 0)
                try check(
                    unsafe EVP_DecryptUpdate(
                        pointer, target.baseAddress, &first, source.baseAddress, Int32(source.count)),
                    "EVP_DecryptUpdate")
                let rest = unsafe target.baseAddress?.advanced(by: Int(first))
                guard unsafe EVP_DecryptFinal_ex(pointer, rest, &last) == 1 else { return false }
                count = Int(first + last)
                return true
            }
        }
        guard isRight else {
            dropErrors()
            throw CryptographyError.wrongPassphrase
        }
    }

    // MARK: Derivation

    /// `purpose`: 1 for a key, 2 for a vector, 3 for a MAC key, as PKCS#12 numbers them.
    private func derive(_ purpose: Int32, _ length: Int, _ passphrase: Span<UInt8>) throws -> SecretBytes {
        try SecretBytes(capacity: length) { output in
            let done = unsafe output.withUnsafeMutableBufferPointer { target, count in
                count = length
                return unsafe passphrase.withUnsafeBufferPointer { passphrase in
                    unsafe fill(purpose, target.baseAddress, length, passphrase)
                }
            }
            try check(done, "key derivation")
        }
    }

    private func fill(
        _ purpose: Int32, _ target: UnsafeMutablePointer<UInt8>?, _ length: Int,
        _ passphrase: UnsafeBufferPointer<UInt8>
    ) -> Int32 {
        let size = Int32(length)
        return unsafe passphrase.withMemoryRebound(to: CChar.self) { text in
            switch derivation {
            case .pbkdf2(let salt, let iterations, let hash):
                return unsafe PKCS5_PBKDF2_HMAC(
                    text.baseAddress, Int32(text.count), salt, Int32(salt.count), Int32(iterations),
                    EVP_get_digestbyname(hash), size, target)
            case .scrypt(let salt, let n, let r, let p):
                return unsafe EVP_PBE_scrypt(
                    text.baseAddress, text.count, salt, salt.count, UInt64(n), UInt64(r), UInt64(p), 1 << 28,
                    target, length)
            case .pkcs12(let salt, let iterations):
                var salt = salt
                return unsafe PKCS12_key_gen_utf8(
                    text.baseAddress, Int32(text.count), &salt, Int32(salt.count), purpose,
                    Int32(iterations), size, target, EVP_sha1())
            case .md5(let salt):
                // Only the key is taken; the vector is in the file.
                let made = unsafe EVP_BytesToKey(
                    cipher == .tripleDES
                        ? EVP_des_ede3_cbc()
                        : cipher == .aes256
                            ? EVP_aes_256_cbc()
                            : cipher == .aes192 ? EVP_aes_192_cbc() : EVP_aes_128_cbc(),
                    EVP_md5(), salt, passphrase.baseAddress, Int32(passphrase.count), 1, target, nil)
                return made == size ? 1 : 0
            }
        }
    }
}

extension CryptographyError {
    static let wrongPassphrase = CryptographyError(.passphraseWrong, "the passphrase does not open the key")
}
