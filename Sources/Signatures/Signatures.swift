// SPDX-License-Identifier: Apache-2.0

public import Diagnostics

/// Signatures turns a validated claim and a key into the bytes of one signature scheme, and judges such bytes again.
///
/// A signature is made in two steps. A draft (`SignatureDraft`) is built from content, from a running digest or from a
/// `Midstate`; the signed structure around the content is always built here, so a caller's digest is never signed.
/// Then `signed(by:)` makes the signature with a `SigningHandle` and verifies it before it is returned. For the keys
/// themselves there are X.509 certificates and revocation lists (`CertificateDraft`, `RevocationListDraft`).
/// `SigningKind` and `SigningScheme` say which kind of artifact is signed with which sort of key; a key has one scheme
/// for life.
///
/// It refuses weak digests, keys that do not fit a scheme, times outside of a signer's validity, and every other form
/// of a packet or structure than the one it would write where the format leaves no choice.
///
/// ```swift
/// let subject = try DistinguishedName(commonName: "Farm CA")
/// let draft = CertificateDraft(
///     subject: subject, key: key.publicKey, serial: try .random(), notBefore: now, notAfter: end,
///     profile: .authority(pathLength: 0))
/// let certificate = try draft.selfSigned(by: SigningHandle(key, .ecdsa(.sha256)))
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
