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
    /// How the signer is named.
    public enum Signer: Hashable, Sendable {
        /// DER of the issuer's name, and the serial number without zeros in front.
        case issuer([UInt8], serialNumber: [UInt8])
        case keyIdentifier([UInt8])
    }

    public let signer: Signer
    public let digest: DigestAlgorithm
    /// RSA or ECDSA.
    let family: KeyAlgorithm.Family
    public let signature: [UInt8]
    /// Other programs than `sign-file` write NULL after the digest's name.
    let hasNull: [Bool]

    /// More is refused.
    public static let largest = 1 << 16

    init(signer: Signer, digest: DigestAlgorithm, family: KeyAlgorithm.Family, signature: [UInt8]) {
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
                try Self.expect("1.2.840.113549.1.7.2", &reader)
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
            let digests = try reader.setOf(limit: 1) { try Self.readDigest(&$0) }
            try reader.sequence { try Self.expect("1.2.840.113549.1.7.1", &$0) }
            let signers = try reader.setOf(limit: 1) { try Information(&$0) }
            guard let outer = digests.first, let info = signers.first, outer.0 == info.digest.0,
                version == info.version
            else { throw ASN1Error(.badValue, at: start) }
            return ModuleSignature(
                signer: info.signer, digest: outer.0, family: info.family, signature: info.signature,
                hasNull: [outer.1, info.digest.1])
        }
    }

    private init(
        signer: Signer, digest: DigestAlgorithm, family: KeyAlgorithm.Family, signature: [UInt8],
        hasNull: [Bool]
    ) {
        self.signer = signer
        self.digest = digest
        self.family = family
        self.signature = signature
        self.hasNull = hasNull
    }

    private struct Information {
        var version: Int
        var signer: Signer
        var digest: (DigestAlgorithm, Bool)
        var family: KeyAlgorithm.Family
        var signature: [UInt8]

        init(_ reader: inout DERReader) throws {
            self = try reader.sequence { reader in
                let start = reader.offset
                let version = try reader.integer()
                let signer: Signer
                if version == 3 {
                    signer = .keyIdentifier(try reader.octetString(.primitive(0), limit: 255))
                } else {
                    guard version == 1 else { throw ASN1Error(.badValue, at: start) }
                    signer = try reader.sequence { reader in
                        let name = try reader.located { try $0.sequence { try Self.skip(&$0) } }.range
                        return .issuer(try reader.copy(name), serialNumber: try reader.magnitude(limit: 20))
                    }
                }
                let digest = try ModuleSignature.readDigest(&reader)
                let family = try ModuleSignature.readFamily(&reader, digest.0)
                return Information(
                    version: version, signer: signer, digest: digest, family: family,
                    signature: try reader.octetString(limit: 2048))
            }
        }

        private init(
            version: Int, signer: Signer, digest: (DigestAlgorithm, Bool), family: KeyAlgorithm.Family,
            signature: [UInt8]
        ) {
            self.version = version
            self.signer = signer
            self.digest = digest
            self.family = family
            self.signature = signature
        }

        private static func skip(_ reader: inout DERReader) throws {
            while !reader.isAtEnd { try reader.elementRange() }
        }
    }

    private static func expect(_ oid: OID, _ reader: inout DERReader) throws {
        let start = reader.offset
        guard try reader.oid() == oid else { throw ASN1Error(.badValue, at: start) }
    }

    private static let digests: [(DigestAlgorithm, OID)] = [
        (.sha256, "2.16.840.1.101.3.4.2.1"), (.sha384, "2.16.840.1.101.3.4.2.2"),
        (.sha512, "2.16.840.1.101.3.4.2.3"),
    ]

    /// The digest, and whether NULL stands behind it.
    private static func readDigest(_ reader: inout DERReader) throws -> (DigestAlgorithm, Bool) {
        let start = reader.offset
        return try reader.sequence { reader in
            let oid = try reader.oid()
            guard let digest = digests.first(where: { $0.1 == oid })?.0 else {
                throw ASN1Error(.badValue, at: start)
            }
            let hasNull = !reader.isAtEnd
            if hasNull { try reader.null() }
            return (digest, hasNull)
        }
    }

    private static let rsaEncryption: OID = "1.2.840.113549.1.1.1"

    private static func readFamily(
        _ reader: inout DERReader, _ digest: DigestAlgorithm
    ) throws -> KeyAlgorithm.Family {
        let start = reader.offset
        return try reader.sequence { reader in
            switch try reader.oid() {
            case rsaEncryption:
                try reader.null()
                return .rsa
            case SignatureAlgorithm.ecdsa(digest).identifier: return .ecdsa
            default: throw ASN1Error(.badValue, at: start)
            }
        }
    }

    // MARK: Writing

    /// DER of the ContentInfo.
    public var encoded: [UInt8] {
        var writer = DERWriter()
        writer.sequence { writer in
            writer.oid("1.2.840.113549.1.7.2")
            writer.explicit(0) { $0.sequence { write(signedData: &$0) } }
        }
        return writer.bytes
    }

    private var version: Int { if case .keyIdentifier = signer { 3 } else { 1 } }

    private func write(signedData writer: inout DERWriter) {
        writer.integer(version)
        writer.setOf([hasNull[0]]) { writeDigest(&$0, $1) }
        writer.sequence { $0.oid("1.2.840.113549.1.7.1") }
        writer.setOf([signer]) { writer, signer in
            writer.sequence { writer in
                writer.integer(version)
                switch signer {
                case .issuer(let name, let serial):
                    writer.sequence { writer in
                        writer.encoded(name)
                        writer.integer(magnitude: serial)
                    }
                case .keyIdentifier(let identifier): writer.octetString(identifier, .primitive(0))
                }
                writeDigest(&writer, hasNull[1])
                writer.sequence { writer in
                    if family == .ecdsa, let oid = SignatureAlgorithm.ecdsa(digest).identifier {
                        writer.oid(oid)
                    } else {
                        writer.oid(Self.rsaEncryption)
                        writer.null()
                    }
                }
                writer.octetString(signature)
            }
        }
    }

    private func writeDigest(_ writer: inout DERWriter, _ hasNull: Bool) {
        writer.sequence { writer in
            if let oid = Self.digests.first(where: { $0.0 == digest })?.1 { writer.oid(oid) }
            if hasNull { writer.null() }
        }
    }
}

extension ModuleSignature {
    /// Whether it names this certificate as its signer's.
    public func names(_ certificate: Certificate) -> Bool {
        switch signer {
        case .issuer(let name, let serial):
            certificate.issuer.der == name && certificate.serialNumber == serial
        case .keyIdentifier(let identifier): certificate.subjectKeyIdentifier == identifier
        }
    }

    /// Judges it with the certificates that are trusted to sign modules. `running` has taken the module, with the
    /// signature's own digest.
    ///
    /// A certificate's validity does not count, since the signature does not say when it was made; the kernel does not
    /// look at it either.
    public func verdict(after running: RunningDigest, signers: [Certificate]) throws -> SignatureVerdict {
        let named = signers.filter { names($0) }
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
        let algorithm: SignatureAlgorithm = family == .rsa ? .rsaPKCS1(digest) : .ecdsa(digest)
        let handle = try VerifyingHandle(key, algorithm)
        return try handle.isValid(signature.span, for: running.finish()) ? nil : .mismatch
    }

    private func verdict(
        _ refusal: SignatureVerdict.Refusal?, by certificate: Certificate?
    ) -> SignatureVerdict {
        let name: String
        switch (certificate, signer) {
        case (let certificate?, _): name = certificate.fingerprint.description.uppercased()
        case (nil, .issuer(_, let serial)): name = Hex.encode(serial, .upper)
        case (nil, .keyIdentifier(let identifier)): name = Hex.encode(identifier, .upper)
        }
        return SignatureVerdict(
            refusal, signer: name, name: certificate?.subject.description, created: nil,
            algorithm: "\(family == .rsa ? "RSA" : "ECDSA") with \(digest.rawValue)")
    }
}
