// SPDX-License-Identifier: Apache-2.0

public import Cryptography
internal import Diagnostics
public import Keyring
public import Signatures

/// A key that somebody wants: everything about it is typed and in its range.
public struct KeyOrder: Sendable {
    public enum Sort: Sendable {
        /// An OpenPGP key with this user id, such as `Farm <farm@example.org>`. With a signing subkey it is two keys: the
        /// primary certifies alone, out of the data-servers' reach.
        case openpgp(userID: String, signingSubkey: Bool = false)
        /// The root of an X.509 hierarchy.
        case authority(DistinguishedName)
        /// An authority below another one, which is named by its name or id.
        case intermediate(DistinguishedName, parent: String)
        /// Signs by this scheme, with a certificate of its own.
        case signer(DistinguishedName, parent: String, SigningScheme)
    }

    /// A private key's name gets its owner's in front.
    public var name: KeyName
    public var isPrivate: Bool
    public var summary: String
    /// Enabling it, and grants that name it, take approvals.
    public var isGuarded = false
    public var algorithm: KeyAlgorithm
    /// Of the signatures over its certificate.
    public var digest: DigestAlgorithm
    public var expires: Moment
    public var sort: Sort
    /// Set by the register.
    var owner: UserID?
    /// Public keys wait for an administrator, private ones are their owner's own affair.
    var firstState: KeyState { owner == nil ? .disabled : .enabled }

    public init(
        name: KeyName, isPrivate: Bool = false, summary: String = "", algorithm: KeyAlgorithm,
        digest: DigestAlgorithm? = nil, expires: Moment, sort: Sort
    ) throws {
        self.name = name
        self.isPrivate = isPrivate
        self.summary = summary
        self.algorithm = algorithm
        self.digest = digest ?? algorithm.usualDigest
        self.expires = expires
        self.sort = sort
        guard name.owner == nil else {
            throw ControlError(
                .invalidArgument,
                "name: without \":\"; a private key gets its owner's name in front by itself")
        }
        if case .signer(_, _, let scheme) = sort {
            guard CertificateProfile(signersOf: scheme) != nil, scheme.takes(algorithm) else {
                throw ControlError(
                    .invalidArgument,
                    "attributes.key_type: the scheme \(scheme.rawValue) does not sign with \(algorithm.rawValue)"
                )
            }
        }
        guard self.digest.count >= algorithm.usualDigest.count else {
            throw ControlError(
                .invalidArgument,
                "digest_algorithm: \(algorithm.rawValue) needs \(algorithm.usualDigest.rawValue) or a longer one"
            )
        }
    }
}

extension KeyAlgorithm {
    /// The digest that is as strong as the key.
    var usualDigest: DigestAlgorithm { self == .p384 ? .sha384 : .sha256 }

    /// How a certificate is signed with such a key.
    func signature(_ digest: DigestAlgorithm) -> SignatureAlgorithm {
        switch family {
        case .rsa: .rsaPKCS1(digest)
        case .ecdsa: .ecdsa(digest)
        case .ed25519: .ed25519
        }
    }
}
