// SPDX-License-Identifier: Apache-2.0

internal import ASN1
internal import Bytes
public import Cryptography
internal import Diagnostics

/// The signature of a kernel module (CMS, RFC 5652, in the one form that the kernel takes and `sign-file` writes), read
/// strictly.
///
/// ```
/// ContentInfo ::= SEQUENCE { signedData 1.2.840.113549.1.7.2, [0] EXPLICIT SignedData }
/// SignedData  ::= SEQUENCE {
///     version INTEGER, digestAlgorithms SET { digest }, SEQUENCE { id-data 1.2.840.113549.1.7.1 },
///     signerInfos SET { SignerInfo } }
/// SignerInfo  ::= SEQUENCE {
///     version INTEGER,                                      -- as above: 1, or 3 with a key identifier
///     CHOICE { SEQUENCE { issuer Name, serialNumber INTEGER }, [0] OCTET STRING },
///     digest, signatureAlgorithm AlgorithmIdentifier, signature OCTET STRING }
/// digest      ::= SEQUENCE { OBJECT IDENTIFIER, NULL OPTIONAL }  -- without NULL where it is written here
/// ```
/// The content is elsewhere, and there is one signer, no certificate and no attribute. The algorithm of an RSA signature
/// is rsaEncryption with NULL, that of an ECDSA signature names the digest and has no parameters.
public struct ModuleSignature: Hashable, Sendable {
    public let signer: SignerName
    public let digest: DigestAlgorithm
    /// RSA or ECDSA.
    let family: KeyAlgorithm.Family
    public let signature: [UInt8]
    /// Other programs than `sign-file` write NULL after the digest's name.
    let hasNull: [Bool]

    /// More is refused.
    public static let largest = 1 << 16

    init(signer: SignerName, digest: DigestAlgorithm, family: KeyAlgorithm.Family, signature: [UInt8]) {
        self.signer = signer
        self.digest = digest
        self.family = family
        self.signature = signature
        hasNull = [false, false]
    }

    // MARK: Reading

    public init(_ bytes: Span<UInt8>) throws {
        guard bytes.count <= Self.largest else {
            throw SignaturesError(.signatureMalformed, "a module's signature of \(bytes.count) bytes")
        }
        do {
            var reader = DERReader(bytes, DER())
            self = try reader.sequence { reader in
                try CMSAlgorithms.expect(CMSAlgorithms.signedData, &reader)
                return try reader.explicit(0) { try ModuleSignature(signedData: &$0) }
            }
            try reader.expectEnd()
        } catch let error as ASN1Error {
            throw SignaturesError(.signatureMalformed, "a module's signature: \(error)")
        }
    }

    private init(signedData reader: inout DERReader) throws {
        self = try reader.sequence { reader in
            let start = reader.offset
            let version = try reader.integer()
            let digests = try reader.setOf(limit: 1) { try CMSAlgorithms.readDigest(&$0) }
            try reader.sequence { try CMSAlgorithms.expect(CMSAlgorithms.data, &$0) }
            let signers = try reader.setOf(limit: 1) { try Information(&$0) }
            guard let outer = digests.first, let info = signers.first, outer.0 == info.digest.0,
                version == info.signer.version
            else { throw ASN1Error(.badValue, at: start) }
            return ModuleSignature(
                signer: info.signer, digest: outer.0, family: info.family, signature: info.signature,
                hasNull: [outer.hasNull, info.digest.hasNull])
        }
    }

    private init(
        signer: SignerName, digest: DigestAlgorithm, family: KeyAlgorithm.Family, signature: [UInt8],
        hasNull: [Bool]
    ) {
        self.signer = signer
        self.digest = digest
        self.family = family
        self.signature = signature
        self.hasNull = hasNull
    }

    private struct Information {
        var signer: SignerName
        var digest: (DigestAlgorithm, hasNull: Bool)
        var family: KeyAlgorithm.Family
        var signature: [UInt8]

        init(_ reader: inout DERReader) throws {
            (signer, digest, family, signature) = try reader.sequence { reader in
                let signer = try SignerName.read(&reader)
                let digest = try CMSAlgorithms.readDigest(&reader)
                let family = try CMSAlgorithms.readFamily(&reader, digest.0)
                return (signer, digest, family, try reader.octetString(limit: 2048))
            }
        }
    }

    // MARK: Writing

    /// DER of the ContentInfo.
    public var encoded: [UInt8] {
        var writer = DERWriter()
        writer.sequence { writer in
            writer.oid(CMSAlgorithms.signedData)
            writer.explicit(0) { $0.sequence { write(signedData: &$0) } }
        }
        return writer.bytes
    }

    private func write(signedData writer: inout DERWriter) {
        writer.integer(signer.version)
        writer.setOf([hasNull[0]]) { CMSAlgorithms.write(digest, hasNull: $1, to: &$0) }
        writer.sequence { $0.oid(CMSAlgorithms.data) }
        writer.setOf([signer]) { writer, signer in
            writer.sequence { writer in
                signer.write(to: &writer)
                CMSAlgorithms.write(digest, hasNull: hasNull[1], to: &writer)
                CMSAlgorithms.write(family, digest, to: &writer)
                writer.octetString(signature)
            }
        }
    }
}

extension ModuleSignature {
    /// Judges it with the certificates that are trusted to sign modules. `running` has taken the module, with the
    /// signature's own digest.
    ///
    /// A certificate's validity does not count, since the signature does not say when it was made; the kernel does not
    /// look at it either.
    public func verdict(after running: RunningDigest, signers: [Certificate]) throws -> SignatureVerdict {
        let named = signers.filter { signer.names($0) }
        guard let last = named.last else { return verdict(.signerUnknown, by: nil) }
        var refusal: SignatureVerdict.Refusal?
        for certificate in named {
            refusal = try self.refusal(by: certificate, running)
            if refusal == nil { return verdict(nil, by: certificate) }
        }
        return verdict(refusal, by: last)
    }

    /// The same for a module at hand.
    public func verdict(content: Span<UInt8>, signers: [Certificate]) throws -> SignatureVerdict {
        var running = RunningDigest(digest)
        running.update(content)
        return try verdict(after: running, signers: signers)
    }

    private func refusal(
        by certificate: Certificate, _ running: RunningDigest
    ) throws -> SignatureVerdict.Refusal? {
        guard running.algorithm == digest, let key = try? certificate.publicKey() else { return .unsupported }
        guard key.algorithm.family == family else { return .mismatch }
        guard certificate.keyUsage?.contains(.digitalSignature) ?? true else { return .notAllowed }
        let handle = try VerifyingHandle(key, CMSAlgorithms.algorithm(family, digest))
        return try handle.isValid(signature.span, for: running.finish()) ? nil : .mismatch
    }

    private func verdict(
        _ refusal: SignatureVerdict.Refusal?, by certificate: Certificate?
    ) -> SignatureVerdict {
        let name = certificate?.fingerprint.description.uppercased() ?? signer.text
        return SignatureVerdict(
            refusal, signer: name, name: certificate?.subject.description, created: nil,
            algorithm: "\(family == .rsa ? "RSA" : "ECDSA") with \(digest.rawValue)")
    }
}
