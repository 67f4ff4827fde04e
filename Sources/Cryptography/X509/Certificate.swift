// SPDX-License-Identifier: Apache-2.0

public import ASN1
internal import Bytes
internal import Diagnostics

/// An X.509 certificate (RFC 5280), read strictly. Nothing about it is verified: see `UnverifiedChain`.
///
/// ```
/// Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm AlgorithmIdentifier, signature BIT STRING }
/// TBSCertificate ::= SEQUENCE {
///     version [0] EXPLICIT INTEGER { v1(0), v2(1), v3(2) } DEFAULT v1,
///     serialNumber INTEGER, signature AlgorithmIdentifier, issuer Name,
///     validity SEQUENCE { notBefore Time, notAfter Time }, subject Name,
///     subjectPublicKeyInfo SEQUENCE { algorithm AlgorithmIdentifier, subjectPublicKey BIT STRING },
///     issuerUniqueID [1], subjectUniqueID [2] IMPLICIT BIT STRING OPTIONAL,   -- refused here
///     extensions [3] EXPLICIT Extensions OPTIONAL }                           -- v3 alone
/// AlgorithmIdentifier ::= SEQUENCE { algorithm OBJECT IDENTIFIER, parameters ANY OPTIONAL }
/// ```
public struct Certificate: Hashable, Sendable {
    /// The whole certificate.
    public let der: [UInt8]
    /// What the signature is over.
    public let tbs: [UInt8]
    /// Big endian, without zeros in front.
    public let serialNumber: [UInt8]
    public let issuer: DistinguishedName
    public let subject: DistinguishedName
    public let notBefore: ASN1Time
    public let notAfter: ASN1Time
    /// The DER of SubjectPublicKeyInfo, of any algorithm.
    public let publicKeyInfo: [UInt8]
    public let signatureAlgorithm: OID
    public let signature: [UInt8]
    /// All extensions, those that are read below too.
    public let extensions: [CertificateExtension]

    public let subjectAlternativeNames: [GeneralName]
    public let basicConstraints: BasicConstraints?
    public let keyUsage: KeyUsage?
    public let extendedKeyUsage: [OID]?
    public let subjectKeyIdentifier: [UInt8]?
    public let authorityKeyIdentifier: AuthorityKeyIdentifier?

    /// More is refused.
    public static let largest = 1 << 16

    public init(der bytes: Span<UInt8>) throws {
        guard bytes.count <= Self.largest else {
            throw CryptographyError(.certificateMalformed, "a certificate of \(bytes.count) bytes")
        }
        do {
            var reader = DERReader(bytes, DER())
            self = try Certificate(reading: &reader, bytes)
            try reader.expectEnd()
        } catch let error as ASN1Error {
            throw CryptographyError(.certificateMalformed, "a certificate: \(error)")
        }
    }

    /// The certificates of a PEM text, which holds nothing else.
    public static func pem(_ text: String, limit: Int = 100) throws -> [Certificate] {
        do {
            return try PEMBlock.decode(text, label: "CERTIFICATE", limit: limit).map {
                try Certificate(der: $0.span)
            }
        } catch let error as ASN1Error {
            throw CryptographyError(.certificateMalformed, "certificates in PEM: \(error)")
        }
    }

    /// Certificates one behind the other in DER: a leaf, and then the authorities between it and a root.
    public static func chain(der bytes: Span<UInt8>, limit: Int = 8) throws -> [Certificate] {
        var chain: [Certificate] = []
        var place = 0
        while place < bytes.count || chain.isEmpty {
            guard chain.count < limit else {
                throw CryptographyError(.certificateMalformed, "more than \(limit) certificates")
            }
            let rest = bytes.extracting(place..<bytes.count)
            var reader = DERReader(rest, DER())
            let range: Range<Int>
            do { range = try reader.elementRange() } catch {
                throw CryptographyError(.certificateMalformed, "certificate \(chain.count + 1): \(error)")
            }
            chain.append(try Certificate(der: rest.extracting(range)))
            place += range.count
        }
        return chain
    }

    public var pem: String { PEMBlock.encode(der, label: "CERTIFICATE") }

    private init(reading reader: inout DERReader, _ bytes: Span<UInt8>) throws {
        let (body, place, outer, bits) = try reader.sequence { reader in
            let (body, place) = try reader.located { try Body(reading: &$0) }
            return (body, place, try reader.element(limit: 1024), try reader.bitString(limit: 2048))
        }
        // What names the algorithm inside is signed; the outer one is not, so it has to be the same.
        guard outer == body.signatureAlgorithm, bits.unusedBits == 0 else {
            throw ASN1Error(.badValue, at: place.upperBound)
        }
        der = [UInt8](copying: bytes)
        tbs = [UInt8](copying: bytes.extracting(place))
        signature = bits.bytes
        signatureAlgorithm = try SignatureIdentifier(outer).oid
        serialNumber = body.serialNumber
        issuer = body.issuer
        subject = body.subject
        (notBefore, notAfter) = (body.notBefore, body.notAfter)
        publicKeyInfo = body.publicKeyInfo
        extensions = body.extensions

        subjectAlternativeNames =
            try extensions.read("2.5.29.17") { reader in
                let names = try reader.sequenceOf(limit: 1000) { try GeneralName(reading: &$0) }
                guard !names.isEmpty else { throw ASN1Error(.badValue, at: 0) }
                return names
            } ?? []
        basicConstraints = try extensions.read("2.5.29.19") { try BasicConstraints(reading: &$0) }
        keyUsage = try extensions.read("2.5.29.15") { try KeyUsage(reading: &$0) }
        extendedKeyUsage = try extensions.read("2.5.29.37") { reader in
            let uses = try reader.sequenceOf(limit: 100) { try $0.oid() }
            guard !uses.isEmpty else { throw ASN1Error(.badValue, at: 0) }
            return uses
        }
        subjectKeyIdentifier = try extensions.read("2.5.29.14") { try $0.octetString(limit: 255) }
        authorityKeyIdentifier = try extensions.read("2.5.29.35") { try AuthorityKeyIdentifier(reading: &$0) }
    }

    // MARK: More about it

    /// The subject's key, when it is of an algorithm that is used here.
    public func publicKey() throws -> PublicKey { try PublicKey(spki: publicKeyInfo.span) }

    /// SHA-256 of the whole certificate.
    public var fingerprint: Digest { Digest(hashing: der.span, with: .sha256) }

    public func isValid(at time: ASN1Time) -> Bool { notBefore <= time && time <= notAfter }

    public static func == (one: Certificate, other: Certificate) -> Bool { one.der == other.der }
    public func hash(into hasher: inout Hasher) { hasher.combine(der) }

    // MARK: The signed part

    private struct Body {
        var serialNumber: [UInt8]
        var signatureAlgorithm: [UInt8]
        var issuer: DistinguishedName
        var notBefore: ASN1Time
        var notAfter: ASN1Time
        var subject: DistinguishedName
        var publicKeyInfo: [UInt8]
        var extensions: [CertificateExtension]

        init(reading reader: inout DERReader) throws {
            self = try reader.sequence { reader in
                let start = reader.offset
                let version = try reader.optionalExplicit(0) { try $0.integer() } ?? 0
                // A version 1 that is written out is not canonical; 2 is not in use.
                guard version == 2 || version == 0 && reader.offset == start else {
                    throw ASN1Error(.badValue, at: start)
                }
                var body = try Body(signed: &reader)
                if version == 2 {
                    body.extensions =
                        try reader.optionalExplicit(3) { try CertificateExtension.list(&$0) } ?? []
                }
                return body
            }
        }

        private init(signed reader: inout DERReader) throws {
            serialNumber = try reader.magnitude(limit: 20)
            signatureAlgorithm = try reader.element(limit: 1024)
            issuer = try DistinguishedName(reading: &reader)
            (notBefore, notAfter) = try reader.sequence { (try $0.time(), try $0.time()) }
            subject = try DistinguishedName(reading: &reader)
            let place = try reader.located { reader in
                try reader.sequence { reader in
                    _ = try SignatureIdentifier(reader.element(limit: 4096))
                    _ = try reader.bitString(limit: 8192)
                }
            }.range
            publicKeyInfo = try reader.copy(place)
            extensions = []
        }
    }
}

/// The algorithm of a signature; what parameters there are is not looked at.
struct SignatureIdentifier {
    let oid: OID

    init(_ der: [UInt8]) throws {
        var reader = DERReader(der.span, DER())
        oid = try reader.sequence { reader in
            let oid = try reader.oid()
            if !reader.isAtEnd { try reader.elementRange() }
            return oid
        }
    }
}
