// SPDX-License-Identifier: Apache-2.0

internal import ASN1
internal import Bytes
public import Cryptography
internal import Diagnostics

/// The signature of a kernel module before it is made: CMS over the module's digest, the way `sign-file` of the kernel
/// writes it, byte by byte. The grammar stands at `ModuleSignature`.
///
/// There are no signed attributes, since the kernel refuses them, no certificates, and digest algorithms have no
/// parameters. A key that signs modules signs nothing else: without attributes the signature is the bare one over the
/// content's digest.
///
/// ```swift
/// let draft = try ModuleSignatureDraft(content: module.span, digest: .sha256, signer: certificate)
/// let der = try draft.signed(by: SigningHandle(key, draft.algorithm))
/// ```
public struct ModuleSignatureDraft: SignatureDraft {
    /// How the signature names its signer.
    public enum Naming: Sendable {
        /// As `sign-file` does by itself.
        case issuerAndSerial
        /// As `sign-file -k` does.
        case keyIdentifier
    }

    public let algorithm: SignatureAlgorithm
    public let signerKey: PublicKey
    /// The digest of the module, which is also what is signed.
    public let contentDigest: Digest
    private let signer: SignerName
    public var scheme: SigningScheme { .module }

    public init(
        content: Span<UInt8>, digest: DigestAlgorithm, signer: Certificate, naming: Naming = .issuerAndSerial
    ) throws {
        var running = RunningDigest(digest)
        running.update(content)
        try self.init(after: running, signer: signer, naming: naming)
    }

    /// Over a module that a running digest has taken.
    public init(
        after running: RunningDigest, signer certificate: Certificate, naming: Naming = .issuerAndSerial
    ) throws {
        let key = try certificate.publicKey()
        guard SigningScheme.module.takes(key.algorithm),
            SigningScheme.module.takes(running.algorithm, with: key.algorithm)
        else {
            throw SignaturesError(
                .draftRefused,
                "kernel modules are not signed with \(key.algorithm.rawValue) over \(running.algorithm.rawValue)"
            )
        }
        guard certificate.basicConstraints?.isAuthority != true else {
            throw SignaturesError(
                .draftRefused, "\(certificate.subject) is a certificate authority and signs no modules")
        }
        guard certificate.keyUsage?.contains(.digitalSignature) ?? true else {
            throw SignaturesError(.draftRefused, "the key usage of \(certificate.subject) does not allow it")
        }
        switch naming {
        case .issuerAndSerial:
            signer = SignerName(of: certificate)
        case .keyIdentifier:
            guard let identifier = certificate.subjectKeyIdentifier else {
                throw SignaturesError(.draftRefused, "\(certificate.subject) has no key identifier")
            }
            signer = .keyIdentifier(identifier)
        }
        signerKey = key
        algorithm = key.algorithm.family == .rsa ? .rsaPKCS1(running.algorithm) : .ecdsa(running.algorithm)
        contentDigest = running.finish()
    }

    /// DER of the ContentInfo.
    public func signed(by handle: SigningHandle) throws -> [UInt8] {
        try check(handle)
        let made = ModuleSignature(
            signer: signer, digest: contentDigest.algorithm, family: signerKey.algorithm.family,
            signature: try handle.raw(contentDigest))
        return made.encoded
    }
}
