// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import Cryptography

extension Certificate {
    /// Whether the issuer's name stands in it and the signature is of his key. Neither his powers nor the times are looked
    /// at.
    public func isIssued(by other: Certificate) -> Bool {
        guard issuer == other.subject, let key = try? other.publicKey() else { return false }
        let known: [SignatureAlgorithm] =
            [.sha256, .sha384, .sha512].flatMap { [.rsaPKCS1($0), .ecdsa($0)] } + [.ed25519]
        guard
            let algorithm = known.first(where: {
                $0.identifier == signatureAlgorithm && $0.family == key.algorithm.family
            }), let handle = try? VerifyingHandle(key, algorithm)
        else { return false }
        let signed = tbs
        guard let digest = algorithm.digest else {
            return (try? handle.isValid(signature.span, forMessage: signed.span)) == true
        }
        return (try? handle.isValid(signature.span, for: Digest(hashing: signed.span, with: digest))) == true
    }
}
