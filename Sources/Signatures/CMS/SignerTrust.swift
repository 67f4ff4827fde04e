// SPDX-License-Identifier: Apache-2.0

internal import ASN1
public import Cryptography

/// Who is trusted to have signed in CMS or Authenticode.
public struct SignerTrust: Sendable {
    /// Certificates of signers themselves. They may say of their uses nothing at all, as those that people make for their
    /// own machines do.
    public var signers: [Certificate]
    /// Roots of signers whose certificates come with their signatures.
    public var authorities: [Certificate]
    /// With lists, each authority has to have one that is in force.
    public var revocationLists: [CertificateRevocationList]

    public init(
        signers: [Certificate] = [], authorities: [Certificate] = [],
        revocationLists: [CertificateRevocationList] = []
    ) {
        self.signers = signers
        self.authorities = authorities
        self.revocationLists = revocationLists
    }
}

extension SignedData {
    /// Judges who made the signature over the attributes, and whether it is his. `refusal` is what speaks against it
    /// whoever made it.
    func verdict(
        _ rules: SignerRules, _ trust: SignerTrust, at time: Int64,
        refusing refusal: SignatureVerdict.Refusal?
    ) throws -> SignatureVerdict {
        let inside = certificates.compactMap { try? Certificate(der: $0.span) }
        let named = (trust.signers + inside).filter { signer.names($0) }
        var last = verdict(.signerUnknown, by: named.last)
        // A hostile set may have many of one name.
        for certificate in named.prefix(8) {
            let doubt = self.doubt(certificate, rules, trust, inside, time)
            if doubt == .signerUnknown { continue }
            let found =
                try refusal ?? mismatch(certificate) ?? doubt ?? timeRefusal(certificate, rules, time)
            last = verdict(found, by: certificate)
            if found == nil { break }
        }
        return last
    }

    /// Why the certificate is not one to trust.
    private func doubt(
        _ certificate: Certificate, _ rules: SignerRules, _ trust: SignerTrust, _ inside: [Certificate],
        _ time: Int64
    ) -> SignatureVerdict.Refusal? {
        if trust.signers.contains(certificate) {
            guard certificate.extendedKeyUsage != nil else {
                return certificate.keyUsage?.contains(.digitalSignature) ?? true ? nil : .notAllowed
            }
            return rules.flaw(of: certificate) == nil ? nil : .notAllowed
        }
        let moment = rules.ignoresTime ? certificate.notBefore : ASN1Time(secondsSince1970: time)
        guard let moment else { return .outsideValidity }
        let policy = ChainPolicy(
            roots: trust.authorities, purpose: rules.purpose, time: moment,
            revocationLists: trust.revocationLists.isEmpty ? nil : trust.revocationLists)
        let others = Array(inside.filter { $0 != certificate }.prefix(15))
        let chain = UnverifiedChain(certificate, intermediates: others)
        guard chain.leads(to: trust.authorities) else { return .signerUnknown }
        do {
            _ = try chain.validated(by: policy)
        } catch let refusal as ChainRefusal {
            switch refusal.reason {
            case .unknownRoot, .missingIssuer: return .signerUnknown
            case .expired, .notYetValid: return .outsideValidity
            case .revoked: return .revoked
            default: return .notAllowed
            }
        } catch {
            return .unsupported
        }
        return rules.flaw(of: certificate) == nil ? nil : .notAllowed
    }

    private func mismatch(_ certificate: Certificate) throws -> SignatureVerdict.Refusal? {
        guard let key = try? certificate.publicKey() else { return .unsupported }
        guard key.algorithm.family == family else { return .mismatch }
        let handle = try VerifyingHandle(key, CMSAlgorithms.algorithm(family, digest))
        return try handle.isValid(signature.span, for: attributes.digest(digest)) ? nil : .mismatch
    }

    private func timeRefusal(
        _ certificate: Certificate, _ rules: SignerRules, _ now: Int64
    ) -> SignatureVerdict.Refusal? {
        guard let made = attributes.signingTime, !rules.ignoresTime else { return nil }
        if made.secondsSince1970 > now { return .fromFuture }
        return certificate.isValid(at: made) ? nil : .outsideValidity
    }

    private func verdict(
        _ refusal: SignatureVerdict.Refusal?, by certificate: Certificate?
    ) -> SignatureVerdict {
        SignatureVerdict(
            refusal, signer: certificate?.fingerprint.description.uppercased() ?? signer.text,
            name: certificate?.subject.description, created: attributes.signingTime?.secondsSince1970,
            algorithm: "\(family == .rsa ? "RSA" : "ECDSA") with \(digest.rawValue)")
    }
}
