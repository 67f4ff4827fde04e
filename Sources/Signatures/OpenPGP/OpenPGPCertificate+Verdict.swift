// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import Cryptography

extension OpenPGPCertificate {
    /// How far a signer's clock may be ahead of ours, in seconds.
    public static let leeway: Int64 = 60

    /// Judges a signature over a document. `running` has taken the document, with the signature's own digest; text has
    /// to have come through `CanonicalText`, and is `nil` when it is none. `time` is now, in seconds since 1970.
    ///
    /// What counts is whether the key was good when the signature was made, by the signature's own time; a key that is
    /// revoked for any reason but replacement never was.
    public func verdict(
        on signature: OpenPGPSignature, after running: RunningDigest?, at time: Int64
    ) throws -> SignatureVerdict {
        let signer = ([primary] + subkeys).first { signature.names($0.key) }
        guard let signer else { return signature.verdict(.signerUnknown) }
        let refusal = try refusal(of: signature, by: signer, running, time)
        return signature.verdict(refusal, signer: signer.key, of: self)
    }

    /// The same for a document at hand.
    public func verdict(
        on signature: OpenPGPSignature, content: Span<UInt8>, at time: Int64
    ) throws -> SignatureVerdict {
        guard let digest = signature.digestAlgorithm, !digest.isWeak else {
            return try verdict(on: signature, after: RunningDigest(.sha256), at: time)
        }
        if signature.isOverText {
            return try verdict(on: signature, after: CanonicalText.digest(of: content, digest), at: time)
        }
        var running = RunningDigest(digest)
        running.update(content)
        return try verdict(on: signature, after: running, at: time)
    }

    private func refusal(
        of signature: OpenPGPSignature, by signer: Component, _ running: RunningDigest?, _ time: Int64
    ) throws -> SignatureVerdict.Refusal? {
        guard signature.isOverDocument else { return .wrongType }
        guard let digest = signature.digestAlgorithm else { return .unsupported }
        guard !digest.isWeak else { return .weakDigest }
        guard let running, digest == running.algorithm, signature.fields.unknownCritical == nil else {
            return .unsupported
        }
        switch try signature.isMade(by: signer.key, after: running) {
        case nil: return .unsupported
        case false?: return .mismatch
        case true?: break
        }
        // From here on the signer said so himself.
        guard let created = signature.created else { return .noTime }
        guard created <= time + Self.leeway else { return .fromFuture }
        if let expires = signature.expires, expires <= time { return .expired }
        guard primary.isBound, signer.isBound, signer.maySign else { return .notAllowed }
        for component in [primary, signer] {
            if let revocation = component.revocation, !revocation.isSoft || revocation.created <= created {
                return .revoked
            }
            guard component.key.created <= created, component.expires.map({ created < $0 }) ?? true else {
                return .outsideValidity
            }
        }
        return nil
    }
}

extension OpenPGPSignature {
    /// The verdict on a signature whose signer is in none of the certificates.
    public var verdictWithoutSigner: SignatureVerdict { verdict(.signerUnknown) }

    /// Whether it names one of the certificate's keys as its issuer.
    public func names(_ certificate: OpenPGPCertificate) -> Bool {
        names(certificate.primary.key) || certificate.subkeys.contains { names($0.key) }
    }

    /// Whether it names this key as its issuer.
    func names(_ key: OpenPGPKey) -> Bool {
        if let issuerFingerprint { return issuerFingerprint == key.fingerprint }
        return issuerKeyID == key.keyID
    }

    func verdict(
        _ refusal: SignatureVerdict.Refusal?, signer: OpenPGPKey? = nil, of owner: OpenPGPCertificate? = nil
    ) -> SignatureVerdict {
        let issuer = signer?.fingerprint ?? issuerFingerprint ?? issuerKeyID ?? []
        let digest = digestAlgorithm?.rawValue ?? "hash function \(digestNumber)"
        return SignatureVerdict(
            refusal, signer: Hex.encode(issuer, .upper), name: owner?.userIDs.first,
            owner: owner.map { Hex.encode($0.fingerprint, .upper) }, created: created,
            algorithm: "\(PublicKeyNumber.name(keyAlgorithmNumber)) with \(digest)")
    }
}
