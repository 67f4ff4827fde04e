// SPDX-License-Identifier: Apache-2.0

public import ASN1
internal import Bytes
public import Cryptography
internal import Diagnostics

/// A request for a certificate (PKCS #10, RFC 2986), whose maker holds the key's private half.
///
/// ```
/// CertificationRequest     ::= SEQUENCE { CertificationRequestInfo, AlgorithmIdentifier, signature BIT STRING }
/// CertificationRequestInfo ::= SEQUENCE {
///     version INTEGER (0), subject Name, SubjectPublicKeyInfo, attributes [0] IMPLICIT SET OF Attribute }
/// ```
/// What it asks for beyond name and key, such as extensions, is not looked at: the profile settles what a certificate says.
/// It refuses a signature that is not the key's own, a weak digest, and keys of other algorithms than are used here.
///
/// ```swift
/// let request = try CertificateRequest(pem: text)
/// let draft = CertificateDraft(for: request, serial: try .random(), notBefore: now, notAfter: end, profile: .imageSigner)
/// let certificate = try draft.signed(by: handle, issuer: authority)
/// ```
public struct CertificateRequest: Hashable, Sendable {
    public let der: [UInt8]
    public let subject: DistinguishedName
    public let publicKeyInfo: [UInt8]

    /// More is refused.
    public static let largest = 1 << 16
    private static let label = "CERTIFICATE REQUEST"

    public init(der bytes: Span<UInt8>) throws {
        guard bytes.count <= Self.largest else {
            throw SignaturesError(.requestMalformed, "a certificate request of \(bytes.count) bytes")
        }
        do {
            var reader = DERReader(bytes, DER())
            let (info, algorithm, signature) = try reader.sequence { reader in
                (
                    try reader.located { try Self.readInfo(&$0) }, try reader.element(limit: 1024),
                    try reader.bitString(limit: 2048)
                )
            }
            try reader.expectEnd()
            (subject, publicKeyInfo) = info.value
            der = Array(copying: bytes)
            let signed = bytes.extracting(info.range)
            guard signature.unusedBits == 0, try Self.isOwn(signature.bytes, signed, algorithm, publicKeyInfo)
            else {
                throw SignaturesError(
                    .requestMalformed, "a certificate request: its signature is not its key's")
            }
        } catch let error as ASN1Error {
            throw SignaturesError(.requestMalformed, "a certificate request: \(error)")
        } catch let error as CryptographyError {
            throw SignaturesError(.requestMalformed, "a certificate request: \(error.message)")
        }
    }

    /// Of a PEM text that holds nothing else.
    public init(pem text: String) throws {
        let blocks: [[UInt8]]
        do { blocks = try PEMBlock.decode(text, label: Self.label, limit: 1) } catch {
            throw SignaturesError(.requestMalformed, "a certificate request in PEM: \(error)")
        }
        guard let block = blocks.first else {
            throw SignaturesError(.requestMalformed, "no certificate request in the text")
        }
        try self.init(der: block.span)
    }

    /// Made with the key itself.
    public init(subject: DistinguishedName, by handle: SigningHandle) throws {
        var writer = DERWriter()
        try writer.sequence { writer in
            writer.integer(0)
            writer.encoded(subject.der)
            writer.encoded(try handle.publicKey.spki())
            writer.element(.constructed(0)) { _ in }
        }
        let made = try SignedStructure.make(tbs: writer.bytes, by: handle)
        try self.init(der: made.span)
    }

    public var pem: String { PEMBlock.encode(der, label: Self.label) }

    public func publicKey() throws -> PublicKey { try PublicKey(spki: publicKeyInfo.span) }

    // MARK: Parts

    private static func readInfo(_ reader: inout DERReader) throws -> (DistinguishedName, [UInt8]) {
        try reader.sequence { reader in
            let start = reader.offset
            guard try reader.integer() == 0 else { throw ASN1Error(.badValue, at: start) }
            let subject = try DistinguishedName(reading: &reader)
            let key = try reader.element(limit: 1 << 14)
            _ = try reader.setOf(.constructed(0), limit: 32) { try $0.elementRange() }
            return (subject, key)
        }
    }

    private static let algorithms: [SignatureAlgorithm] =
        [.sha256, .sha384, .sha512].flatMap { [.rsaPKCS1($0), .ecdsa($0)] } + [.ed25519]

    private static func isOwn(
        _ signature: [UInt8], _ signed: Span<UInt8>, _ identifier: [UInt8], _ spki: [UInt8]
    ) throws -> Bool {
        let found = algorithms.first { algorithm in
            var writer = DERWriter()
            return (try? algorithm.writeIdentifier(to: &writer)) != nil && writer.bytes == identifier
        }
        let key = try PublicKey(spki: spki.span)
        guard let found, found.family == key.algorithm.family else { return false }
        let handle = try VerifyingHandle(key, found)
        guard let digest = found.digest else { return try handle.isValid(signature.span, forMessage: signed) }
        return try handle.isValid(signature.span, for: Digest(hashing: signed, with: digest))
    }
}

extension CertificateDraft {
    /// For who made the request.
    public init(
        for request: CertificateRequest, serial: SerialNumber, notBefore: ASN1Time, notAfter: ASN1Time,
        profile: CertificateProfile
    ) throws {
        self.init(
            subject: request.subject, key: try request.publicKey(), serial: serial, notBefore: notBefore,
            notAfter: notAfter, profile: profile)
    }
}
