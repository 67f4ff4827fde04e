// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

/// The hash functions. The weak ones are there because file formats contain them; nothing is signed over them.
public enum DigestAlgorithm: String, CaseIterable, Sendable {
    case weakMD5 = "md5"
    case weakSHA1 = "sha1"
    case sha224
    case sha256
    case sha384
    case sha512

    /// The length of a digest in bytes.
    public var count: Int {
        switch self {
        case .weakMD5: 16
        case .weakSHA1: 20
        case .sha224: 28
        case .sha256: 32
        case .sha384: 48
        case .sha512: 64
        }
    }

    /// The length of the blocks that the function works on.
    public var blockCount: Int {
        switch self {
        case .weakMD5, .weakSHA1, .sha224, .sha256: 64
        case .sha384, .sha512: 128
        }
    }

    public var isWeak: Bool { self == .weakMD5 || self == .weakSHA1 }

    /// The library's own object, which is never freed.
    var evp: OpaquePointer? {
        switch self {
        case .weakMD5: unsafe EVP_md5()
        case .weakSHA1: unsafe EVP_sha1()
        case .sha224: unsafe EVP_sha224()
        case .sha256: unsafe EVP_sha256()
        case .sha384: unsafe EVP_sha384()
        case .sha512: unsafe EVP_sha512()
        }
    }
}
