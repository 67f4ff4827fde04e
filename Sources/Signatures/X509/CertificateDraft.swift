// SPDX-License-Identifier: Apache-2.0

public import ASN1
internal import Bytes
public import Cryptography
internal import Diagnostics

/// A certificate (RFC 5280, version 3) before it is signed. The grammar stands at `Certificate`, the extensions at
/// `CertificateProfile`; the subject's and the issuer's key identifiers come on top.
public struct CertificateDraft: Sendable {
    public var subject: DistinguishedName
    public var key: PublicKey
    public var serial: SerialNumber
    public var notBefore: ASN1Time
    public var notAfter: ASN1Time
    public var profile: CertificateProfile

    public init(
        subject: DistinguishedName, key: PublicKey, serial: SerialNumber, notBefore: ASN1Time,
        notAfter: ASN1Time, profile: CertificateProfile
    ) {
        self.subject = subject
        self.key = key
        self.serial = serial
        self.notBefore = notBefore
        self.notAfter = notAfter
        self.profile = profile
    }

    // MARK: Signing

    /// The root of a hierarchy: an authority's certificate, signed with its own key.
    public func selfSigned(by handle: SigningHandle) throws -> Certificate {
        guard profile.isAuthority else { throw refused("only an authority's certificate is self-signed") }
        guard handle.publicKey == key else {
            throw SignaturesError(
                .signerMismatch, "the private key is not the one that the certificate is for")
        }
        let identifier = try key.identifier()
        return try signed(by: handle, issuer: subject) { $0.addAuthorityKey(identifier) }
    }

    /// Signed by an authority, whose certificate has to allow it.
    public func signed(by handle: SigningHandle, issuer: Certificate) throws -> Certificate {
        try issuer.checkSigns(with: handle, .keyCertSign)
        guard let limits = issuer.basicConstraints, limits.isAuthority else {
            throw refused("the issuer is no certificate authority")
        }
        if case .authority(let length) = profile, let limit = limits.pathLength {
            guard let length, length < limit else {
                throw refused("the issuer allows no authority with that path length below it")
            }
        }
        guard issuer.notBefore <= notBefore, notAfter <= issuer.notAfter else {
            throw refused(
                "its validity \(notBefore) to \(notAfter) is not within the issuer's, "
                    + "\(issuer.notBefore) to \(issuer.notAfter)")
        }
        let identifier = try issuer.subjectKeyIdentifier ?? handle.publicKey.identifier()
        // The kernel finds the issuer by name and serial number too.
        let named = profile == .moduleSigner ? issuer : nil
        return try signed(by: handle, issuer: issuer.subject) { list in
            list.addAuthorityKey(identifier, of: named)
        }
    }

    // MARK: Parts

    private func signed(
        by handle: SigningHandle, issuer: DistinguishedName, addIssuer: (inout ExtensionList) -> Void
    ) throws -> Certificate {
        try profile.check()
        guard !subject.isEmpty else { throw refused("the subject's name is empty") }
        guard notBefore < notAfter else { throw refused("it ends at \(notAfter), before it begins") }
        if let scheme = profile.scheme, !scheme.takes(key.algorithm) {
            throw refused("the scheme \(scheme.rawValue) does not sign with \(key.algorithm.rawValue)")
        }
        var extensions = ExtensionList()
        try profile.write(to: &extensions)
        extensions.addSubjectKey(try key.identifier())
        addIssuer(&extensions)
        let tbs = try body(handle.algorithm, issuer, extensions)
        let encoded = try SignedStructure.make(tbs: tbs, by: handle)
        // Read back strictly, so that nothing is issued that we would refuse.
        return try Certificate(der: encoded.span)
    }

    private func body(
        _ algorithm: SignatureAlgorithm, _ issuer: DistinguishedName, _ extensions: ExtensionList
    ) throws -> [UInt8] {
        var writer = DERWriter()
        try writer.sequence { writer in
            writer.explicit(0) { $0.integer(2) }
            writer.integer(magnitude: serial.bytes)
            try algorithm.writeIdentifier(to: &writer)
            writer.encoded(issuer.der)
            writer.sequence { writer in
                writer.time(notBefore)
                writer.time(notAfter)
            }
            writer.encoded(subject.der)
            writer.encoded(try key.spki())
            writer.explicit(3) { $0.sequence { $0.encoded(extensions.encoded) } }
        }
        return writer.bytes
    }

    private func refused(_ reason: String) -> SignaturesError {
        SignaturesError(.draftRefused, "a certificate for \(subject): \(reason)")
    }
}

extension Certificate {
    /// Whether the handle's key is the certificate's and may be used so.
    func checkSigns(with handle: SigningHandle, _ usage: KeyUsage) throws {
        guard try publicKey() == handle.publicKey else {
            throw SignaturesError(.signerMismatch, "the private key is not the one of \(subject)")
        }
        guard keyUsage?.contains(usage) ?? true else {
            throw SignaturesError(.draftRefused, "the key usage of \(subject) does not allow it")
        }
    }
}
