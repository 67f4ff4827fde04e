// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

/// Comparing what an attacker must not learn byte by byte.
public enum ConstantTime {
    /// Takes a time that depends on the lengths alone, which are not secret.
    public static func areEqual(_ one: Span<UInt8>, _ other: Span<UInt8>) -> Bool {
        guard one.count == other.count else { return false }
        guard !one.isEmpty else { return true }
        return unsafe one.withUnsafeBufferPointer { first in
            unsafe other.withUnsafeBufferPointer { second in
                unsafe CRYPTO_memcmp(first.baseAddress, second.baseAddress, first.count) == 0
            }
        }
    }
}
