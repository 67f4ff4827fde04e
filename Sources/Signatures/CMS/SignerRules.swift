// SPDX-License-Identifier: Apache-2.0

internal import ASN1
internal import Cryptography
internal import Diagnostics

/// What the certificate of a signer has to be for one scheme: when it signs, and when its signature is judged.
struct SignerRules: Sendable {
    let scheme: SigningScheme
    /// The use that its certificate has to name.
    let use: OID
    /// Uses that it must not have.
    let refused: [OID]
    let purpose: ChainPurpose
    /// Firmware does not look at when a certificate is valid, and an image does not prove when it was signed.
    let ignoresTime: Bool

    static let codeSigning: OID = "1.3.6.1.5.5.7.3.3"
    static let emailProtection: OID = "1.3.6.1.5.5.7.3.4"
    static let timeStamping: OID = "1.3.6.1.5.5.7.3.8"
    static let anyUse: OID = "2.5.29.37.0"

    static let image = SignerRules(
        scheme: .authenticode, use: codeSigning, refused: [], purpose: .codeSigning, ignoresTime: true)
    /// Over the right digest a generic signature is a valid one of an image or a time stamp, so that its certificates
    /// must never be good for those.
    static let content = SignerRules(
        scheme: .cms, use: emailProtection, refused: [codeSigning, timeStamping, anyUse], purpose: .any,
        ignoresTime: false)

    /// Why the certificate is not good for it; nil when it is.
    func flaw(of certificate: Certificate) -> String? {
        if certificate.basicConstraints?.isAuthority == true { return "it is a certificate authority" }
        guard certificate.keyUsage?.contains(.digitalSignature) ?? true else {
            return "its key usage does not allow signatures"
        }
        guard let uses = certificate.extendedKeyUsage, uses.contains(use) else {
            return "its extended key usage does not name \(use)"
        }
        if let bad = uses.first(where: { refused.contains($0) }) {
            return "its extended key usage names \(bad), which makes it good for another scheme"
        }
        return nil
    }

    func check(_ certificate: Certificate, _ digest: DigestAlgorithm) throws -> PublicKey {
        let key = try certificate.publicKey()
        guard scheme.takes(key.algorithm), scheme.takes(digest, with: key.algorithm) else {
            throw SignaturesError(
                .draftRefused,
                "the scheme \(scheme.rawValue) does not sign with \(key.algorithm.rawValue) over \(digest.rawValue)"
            )
        }
        if let flaw = flaw(of: certificate) {
            throw SignaturesError(.draftRefused, "\(certificate.subject): \(flaw)")
        }
        return key
    }
}
