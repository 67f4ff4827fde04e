// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL
internal import Diagnostics
public import Secrets

/// Message authentication with SHA-2 (RFC 2104).
public enum HMAC {
    /// The authentication code, as long as the digest.
    public static func code(
        for message: Span<UInt8>, key: borrowing SecretBytes, with digest: DigestAlgorithm
    ) throws -> [UInt8] {
        guard !digest.isWeak else {
            throw CryptographyError(.algorithmMismatch, "nothing is authenticated with \(digest.rawValue)")
        }
        guard key.count > 0 else {
            throw CryptographyError.wrongLength("an HMAC key", 0, expected: "1 or more")
        }
        let keyBytes = key.bytes
        return unsafe try [UInt8](unsafeUninitializedCapacity: digest.count) { output, count in
            let made = unsafe keyBytes.withUnsafeBufferPointer { key in
                unsafe message.withUnsafeBufferPointer { message in
                    unsafe COpenSSL.HMAC(
                        digest.evp, key.baseAddress, Int32(key.count), message.baseAddress, message.count,
                        output.baseAddress, nil) != nil
                }
            }
            guard made else { throw OpenSSLError(draining: "HMAC") }
            count = digest.count
        }
    }

    /// Whether `code` is the message's, compared in constant time.
    public static func isValid(
        _ code: Span<UInt8>, for message: Span<UInt8>, key: borrowing SecretBytes,
        with digest: DigestAlgorithm
    ) throws -> Bool {
        let expected = try Self.code(for: message, key: key, with: digest)
        return ConstantTime.areEqual(expected.span, code)
    }
}
