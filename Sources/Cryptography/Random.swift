// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL
internal import Diagnostics
public import Secrets

/// Random bytes from OpenSSL's generators, which the system's entropy seeds.
public enum Random {
    /// What may be seen: nonces, serial numbers, identifiers.
    public static func bytes(_ count: Int) throws -> [UInt8] {
        try checkCount(count)
        return unsafe try [UInt8](unsafeUninitializedCapacity: count) { buffer, written in
            unsafe try check(RAND_bytes(buffer.baseAddress, Int32(count)), "RAND_bytes")
            written = count
        }
    }

    /// What stays secret: keys. It comes from a generator of its own, straight into locked memory.
    public static func secret(_ count: Int) throws -> SecretBytes {
        try checkCount(count)
        return unsafe try SecretBytes(capacity: count) { base in
            unsafe try check(RAND_priv_bytes(base, Int32(count)), "RAND_priv_bytes")
            return count
        }
    }

    private static func checkCount(_ count: Int) throws {
        guard count > 0, count <= 1 << 24 else {
            throw CryptographyError.wrongLength("a random value", count, expected: "1 to \(1 << 24)")
        }
    }
}
