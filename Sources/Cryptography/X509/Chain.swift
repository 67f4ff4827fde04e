// SPDX-License-Identifier: Apache-2.0

public import ASN1

/// What a chain of certificates is to be good for.
public enum ChainPurpose: String, CaseIterable, Sendable {
    case server
    case client
    case codeSigning = "code-signing"
    case timestamping
    /// Any: what the key may be used for is not looked at.
    case any
}

/// The rules that a chain of certificates is judged by.
///
/// The roots alone are trusted: an intermediate that is given as a root is none, since it is not self-signed. Keys
/// have at least the strength of RSA-2048, signatures below the root that of SHA-224, so that MD5 and SHA-1 are
/// refused.
public struct ChainPolicy: Sendable {
    public var roots: [Certificate]
    public var purpose: ChainPurpose
    public var time: ASN1Time
    /// With lists, each certificate below the root has to be on none of its issuer's, and each issuer to have one that
    /// is in force; `nil` asks for no lists.
    public var revocationLists: [CertificateRevocationList]?

    public init(
        roots: [Certificate], purpose: ChainPurpose, time: ASN1Time,
        revocationLists: [CertificateRevocationList]? = nil
    ) {
        self.roots = roots
        self.purpose = purpose
        self.time = time
        self.revocationLists = revocationLists
    }
}

/// A certificate as a peer shows it, with others that may lead from it to a root, in any order.
public struct UnverifiedChain: Sendable {
    public var leaf: Certificate
    public var intermediates: [Certificate]

    public init(_ leaf: Certificate, intermediates: [Certificate] = []) {
        self.leaf = leaf
        self.intermediates = intermediates
    }
}

/// A chain that was found good: from the leaf over its issuers to one of the roots. Only `UnverifiedChain.validated`
/// makes one.
public struct ValidatedChain: Sendable {
    public let certificates: [Certificate]
    public let purpose: ChainPurpose
    public let time: ASN1Time

    /// `certificates` holds at least the leaf.
    init(_ certificates: [Certificate], _ policy: ChainPolicy) {
        self.certificates = certificates
        purpose = policy.purpose
        time = policy.time
    }

    public var leaf: Certificate { certificates[0] }
    public var root: Certificate { certificates[certificates.count - 1] }
}
