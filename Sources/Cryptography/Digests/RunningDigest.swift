// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

/// A hash computation under way. It is a plain value: it allocates nothing, and a copy goes its own way.
public struct RunningDigest: Sendable {
    public let algorithm: DigestAlgorithm
    /// The library's state for the algorithm: `SHA512_CTX`, the largest one, or a smaller one.
    var context: [27 of UInt64]

    public init(_ algorithm: DigestAlgorithm) {
        self.algorithm = algorithm
        context = [27 of UInt64](repeating: 0)
        // These functions cannot fail: they fill the state in.
        switch algorithm {
        case .weakMD5: unsafe _ = shim_MD5_Init(&context)
        case .weakSHA1: unsafe _ = shim_SHA1_Init(&context)
        case .sha224: unsafe _ = shim_SHA224_Init(&context)
        case .sha256: unsafe _ = shim_SHA256_Init(&context)
        case .sha384: unsafe _ = shim_SHA384_Init(&context)
        case .sha512: unsafe _ = shim_SHA512_Init(&context)
        }
    }

    public mutating func update(_ bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            let count = buffer.count
            switch algorithm {
            case .weakMD5: unsafe _ = shim_MD5_Update(&context, base, count)
            case .weakSHA1: unsafe _ = shim_SHA1_Update(&context, base, count)
            case .sha224: unsafe _ = shim_SHA224_Update(&context, base, count)
            case .sha256: unsafe _ = shim_SHA256_Update(&context, base, count)
            case .sha384: unsafe _ = shim_SHA384_Update(&context, base, count)
            case .sha512: unsafe _ = shim_SHA512_Update(&context, base, count)
            }
        }
    }

    /// The digest of everything up to here. The computation may go on afterwards.
    public func finish() -> Digest {
        var last = context
        return unsafe Digest(algorithm) { target in
            switch algorithm {
            case .weakMD5: unsafe _ = shim_MD5_Final(target, &last)
            case .weakSHA1: unsafe _ = shim_SHA1_Final(target, &last)
            case .sha224: unsafe _ = shim_SHA224_Final(target, &last)
            case .sha256: unsafe _ = shim_SHA256_Final(target, &last)
            case .sha384: unsafe _ = shim_SHA384_Final(target, &last)
            case .sha512: unsafe _ = shim_SHA512_Final(target, &last)
            }
        }
    }
}
