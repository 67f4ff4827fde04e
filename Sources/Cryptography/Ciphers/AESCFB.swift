// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL
public import Secrets

/// AES in cipher feedback mode over whole blocks (CFB128), as OpenPGP encrypts secret keys.
///
/// The key has 16, 24 or 32 bytes, the initialisation vector 16. It authenticates nothing: OpenPGP adds a hash of its
/// own to the plaintext.
public enum AESCFB {
    public static let blockCount = 16
    public static let largest = 1 << 30

    public static func encrypt(
        _ plaintext: Span<UInt8>, key: borrowing SecretBytes, iv: Span<UInt8>
    ) throws -> [UInt8] {
        let run = try prepare(plaintext, key, iv, encrypting: true)
        // One byte more, so that there is an address when there is no plaintext.
        return unsafe try [UInt8](unsafeUninitializedCapacity: plaintext.count + 1) { output, count in
            guard let base = output.baseAddress else { return }
            unsafe try run.run(plaintext, to: base)
            count = plaintext.count
        }
    }

    public static func decrypt(
        _ ciphertext: Span<UInt8>, key: borrowing SecretBytes, iv: Span<UInt8>
    ) throws -> SecretBytes {
        let run = try prepare(ciphertext, key, iv, encrypting: false)
        return unsafe try SecretBytes(capacity: ciphertext.count) { base in
            unsafe try run.run(ciphertext, to: base)
            return ciphertext.count
        }
    }

    private static func prepare(
        _ input: Span<UInt8>, _ key: borrowing SecretBytes, _ iv: Span<UInt8>, encrypting: Bool
    ) throws -> CipherRun {
        guard iv.count == blockCount else {
            throw CryptographyError.wrongLength(
                "an AES initialisation vector", iv.count, expected: "\(blockCount)")
        }
        guard input.count <= largest else {
            throw CryptographyError.wrongLength(
                "data for AES-CFB", input.count, expected: "\(largest) or less")
        }
        let cipher: OpaquePointer?
        switch key.count {
        case 16: unsafe cipher = EVP_aes_128_cfb128()
        case 24: unsafe cipher = EVP_aes_192_cfb128()
        case 32: unsafe cipher = EVP_aes_256_cfb128()
        default: throw CryptographyError.wrongLength("an AES key", key.count, expected: "16, 24 or 32")
        }
        return unsafe try CipherRun(cipher, key: key.bytes, iv: iv, encrypting: encrypting)
    }
}
