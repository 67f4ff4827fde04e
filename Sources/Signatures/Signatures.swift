// SPDX-License-Identifier: Apache-2.0

public import Diagnostics

/// Signatures turns a validated claim and a key into the bytes of one signature scheme, and judges such bytes again.
///
/// A signature is made in two steps. A draft (`OpenPGPSignatureDraft`, `ModuleSignatureDraft`: both a `SignatureDraft`)
/// is built from content, from a running digest or from a `Midstate`; the signed structure around the content is always
/// built here, so a caller's digest is never signed. Then `signed(by:)` makes the signature with a `SigningHandle` and
/// verifies it before it is returned. `OpenPGPSignature` and `ModuleSignature` read signatures, and a
/// `SignatureVerdict` says who made one, when and how, and why it does not hold, if so. For the keys themselves there
/// are OpenPGP certificates (`OpenPGPCertificateDraft`, `OpenPGPCertificate`, whose end `OpenPGPRenewalDraft` moves and
/// `OpenPGPRevocationDraft` brings about), X.509 certificates and revocation lists (`CertificateDraft`,
/// `RevocationListDraft`). `SigningKind` and `SigningScheme` say which kind of artifact is signed
/// with which sort of key; a key has one scheme for life.
///
/// It refuses weak digests, keys that do not fit a scheme, times outside of a signer's validity, private keys, and
/// every form of a packet or structure that the formats leave no room for.
///
/// ```swift
/// let owner = OpenPGPCertificateDraft(userID: "Farm <farm@example.com>", key: key.publicKey, created: now)
/// let certificate = try owner.signed(by: SigningHandle(key, .rsaPKCS1(.sha512)))
/// let draft = try OpenPGPSignatureDraft(
///     content: file.span, digest: .sha256, signer: certificate.signer(for: key.publicKey, at: now), created: now)
/// let text = OpenPGPArmor.signature.encode(try draft.signed(by: SigningHandle(key, draft.algorithm)))
/// ```
public struct SignaturesError: CodedError, Equatable, CustomStringConvertible {
    public let code: ErrorCode
    public let message: String

    init(_ code: ErrorCode, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { "\(code.id): \(message)" }
}
