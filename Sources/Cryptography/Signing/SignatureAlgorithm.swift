// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics

/// How a signature is made from what is signed.
public enum SignatureAlgorithm: Hashable, Sendable {
    /// RSASSA-PKCS1-v1_5.
    case rsaPKCS1(DigestAlgorithm)
    /// RSASSA-PSS with the same digest in MGF1 and a salt as long as the digest.
    case rsaPSS(DigestAlgorithm)
    /// ECDSA; the signature is the DER form of `ECDSASignature`.
    case ecdsa(DigestAlgorithm)
    /// Ed25519 over the message itself.
    case ed25519

    /// What the signed digest has to be made with; `nil` where the message itself is signed.
    public var digest: DigestAlgorithm? {
        switch self {
        case .rsaPKCS1(let digest), .rsaPSS(let digest), .ecdsa(let digest): digest
        case .ed25519: nil
        }
    }

    public var family: KeyAlgorithm.Family {
        switch self {
        case .rsaPKCS1, .rsaPSS: .rsa
        case .ecdsa: .ecdsa
        case .ed25519: .ed25519
        }
    }

    func check(fits key: KeyAlgorithm) throws(CryptographyError) {
        guard family == key.family else {
            throw CryptographyError(
                .algorithmMismatch, "a key of the sort \(key.rawValue) does not sign with \(name)")
        }
        guard digest?.isWeak != true else {
            throw CryptographyError(.algorithmMismatch, "nothing is signed with \(name)")
        }
    }

    func check(fits digest: Digest) throws(CryptographyError) {
        guard self.digest == digest.algorithm else {
            throw CryptographyError(
                .algorithmMismatch, "\(name) was given a \(digest.algorithm.rawValue) digest")
        }
    }

    var name: String {
        switch self {
        case .rsaPKCS1(let digest): "RSA PKCS#1 v1.5 with \(digest.rawValue)"
        case .rsaPSS(let digest): "RSA PSS with \(digest.rawValue)"
        case .ecdsa(let digest): "ECDSA with \(digest.rawValue)"
        case .ed25519: "Ed25519"
        }
    }
}
