// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import COpenSSL
internal import Diagnostics
public import Secrets

/// OpenPGP's way from a passphrase to a key: iterated and salted (RFC 4880, 3.7.1.3).
///
/// ```
/// key    = first octets of hash(0) hash(1) ...
/// hash n = H( n zeros, then salt passphrase salt passphrase ... until `count` octets, once at least )
/// ```
public enum IteratedSalt {
    /// What the count's one octet can say.
    public static let largestCount = 65_011_712
    public static let longestPassphrase = 1024

    /// The count that an octet stands for.
    public static func count(coded octet: UInt8) -> Int { (16 + Int(octet & 15)) << (Int(octet >> 4) + 6) }

    public static func key(
        from passphrase: Span<UInt8>, salt: [UInt8], count: Int, digest: DigestAlgorithm, length: Int
    ) throws -> SecretBytes {
        guard passphrase.count <= longestPassphrase, 1...64 ~= length, 0...largestCount ~= count else {
            throw CryptographyError.wrongLength(
                "a passphrase", passphrase.count, expected: "at most \(longestPassphrase)")
        }
        let unit = salt.count + passphrase.count
        // Many turns at once, which is quicker.
        let turns = max(1, 65_536 / max(1, unit))
        let block = try SecretBytes(capacity: unit * turns) { output in
            for _ in 0..<turns {
                try output.append(copying: salt.span)
                try output.append(copying: passphrase)
            }
        }
        let total = max(count, unit)
        let rounds = (length + digest.count - 1) / digest.count
        let hashes = unsafe try SecretBytes(capacity: rounds * digest.count) { base in
            for round in 0..<rounds {
                unsafe try hash(block, total, zeros: round, digest, into: base + round * digest.count)
            }
            return rounds * digest.count
        }
        return try SecretBytes(copying: hashes.bytes.extracting(first: length))
    }

    private static func hash(
        _ block: borrowing SecretBytes, _ total: Int, zeros: Int, _ digest: DigestAlgorithm,
        into target: UnsafeMutablePointer<UInt8>
    ) throws {
        // Its context is wiped when it is freed.
        let context = unsafe try OpenSSLPointer<MessageContext>(EVP_MD_CTX_new(), "EVP_MD_CTX_new")
        unsafe try check(EVP_DigestInit_ex(context.pointer, digest.evp, nil), "EVP_DigestInit_ex")
        let front = [UInt8](repeating: 0, count: zeros)
        unsafe try check(EVP_DigestUpdate(context.pointer, front, zeros), "EVP_DigestUpdate")
        var rest = total
        while rest > 0 {
            let piece = block.bytes.extracting(first: min(rest, block.count))
            let done = unsafe piece.withUnsafeBufferPointer { buffer in
                unsafe EVP_DigestUpdate(context.pointer, buffer.baseAddress, buffer.count)
            }
            try check(done, "EVP_DigestUpdate")
            rest -= piece.count
        }
        unsafe try check(EVP_DigestFinal_ex(context.pointer, target, nil), "EVP_DigestFinal_ex")
    }
}

extension Digest {
    /// The digest of a secret: of what is hashed nothing stays in memory.
    public init(ofSecret bytes: Span<UInt8>, with algorithm: DigestAlgorithm) throws {
        var failure: (any Error)?
        self = unsafe Digest(algorithm) { target in
            do {
                let done = unsafe bytes.withUnsafeBufferPointer { buffer in
                    unsafe EVP_Digest(
                        buffer.baseAddress, buffer.count, target, nil, algorithm.evp, nil)
                }
                try check(done, "EVP_Digest")
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }
}
