// SPDX-License-Identifier: Apache-2.0

public import ASN1
internal import Bytes
internal import COpenSSL
internal import Diagnostics

/// A list of revoked certificates (RFC 5280, section 5), read strictly. Its signature is not checked here:
/// `ChainPolicy.revocationLists` sees to that.
///
/// ```
/// CertificateList ::= SEQUENCE { tbsCertList, signatureAlgorithm AlgorithmIdentifier, signature BIT STRING }
/// TBSCertList ::= SEQUENCE {
///     version INTEGER { v2(1) } OPTIONAL, signature AlgorithmIdentifier, issuer Name,
///     thisUpdate Time, nextUpdate Time OPTIONAL,
///     revokedCertificates SEQUENCE OF SEQUENCE {
///         userCertificate INTEGER, revocationDate Time, crlEntryExtensions Extensions OPTIONAL } OPTIONAL,
///     crlExtensions [0] EXPLICIT Extensions OPTIONAL }                        -- extensions: v2 alone
/// ```
public struct CertificateRevocationList: Hashable, Sendable {
    /// One revoked certificate.
    public struct Entry: Hashable, Sendable {
        /// Big endian, without zeros in front.
        public let serialNumber: [UInt8]
        public let date: ASN1Time
        public let reason: Reason?
        public let extensions: [CertificateExtension]
    }

    /// `CRLReason ::= ENUMERATED`
    public enum Reason: Int, Hashable, Sendable {
        case unspecified = 0
        case keyCompromise = 1
        case authorityCompromise = 2
        case affiliationChanged = 3
        case superseded = 4
        case cessationOfOperation = 5
        case certificateHold = 6
        case removeFromList = 8
        case privilegeWithdrawn = 9
        case attributeAuthorityCompromise = 10
    }

    public let der: [UInt8]
    public let tbs: [UInt8]
    public let issuer: DistinguishedName
    public let thisUpdate: ASN1Time
    public let nextUpdate: ASN1Time?
    public let entries: [Entry]
    public let extensions: [CertificateExtension]
    /// The number of the list, big endian; each new one has a greater number.
    public let number: [UInt8]?
    public let authorityKeyIdentifier: AuthorityKeyIdentifier?
    public let signatureAlgorithm: OID

    /// More is refused.
    public static let largest = 1 << 24

    public init(der bytes: Span<UInt8>) throws {
        guard bytes.count <= Self.largest else {
            throw CryptographyError(.certificateMalformed, "a revocation list of \(bytes.count) bytes")
        }
        do {
            var reader = DERReader(bytes, DER())
            self = try CertificateRevocationList(reading: &reader, bytes)
            try reader.expectEnd()
        } catch let error as ASN1Error {
            throw CryptographyError(.certificateMalformed, "a revocation list: \(error)")
        }
    }

    private init(reading reader: inout DERReader, _ bytes: Span<UInt8>) throws {
        let (body, place, outer, bits) = try reader.sequence { reader in
            let (body, place) = try reader.located { try Body(reading: &$0) }
            return (body, place, try reader.element(limit: 1024), try reader.bitString(limit: 2048))
        }
        guard outer == body.signatureAlgorithm, bits.unusedBits == 0 else {
            throw ASN1Error(.badValue, at: place.upperBound)
        }
        der = [UInt8](copying: bytes)
        tbs = [UInt8](copying: bytes.extracting(place))
        signatureAlgorithm = try SignatureIdentifier(outer).oid
        issuer = body.issuer
        thisUpdate = body.thisUpdate
        nextUpdate = body.nextUpdate
        entries = body.entries
        extensions = body.extensions
        number = try extensions.read("2.5.29.20") { try $0.magnitude(limit: 20) }
        authorityKeyIdentifier = try extensions.read("2.5.29.35") { try AuthorityKeyIdentifier(reading: &$0) }
    }

    /// The lists of a PEM text, which holds nothing else.
    public static func pem(_ text: String, limit: Int = 100) throws -> [CertificateRevocationList] {
        do {
            return try PEMBlock.decode(text, label: "X509 CRL", limit: limit).map {
                try CertificateRevocationList(der: $0.span)
            }
        } catch let error as ASN1Error {
            throw CryptographyError(.certificateMalformed, "revocation lists in PEM: \(error)")
        }
    }

    public var pem: String { PEMBlock.encode(der, label: "X509 CRL") }

    /// The entry of a certificate of this issuer's.
    public func entry(serialNumber: [UInt8]) -> Entry? {
        entries.first { $0.serialNumber == serialNumber }
    }

    private struct Body {
        var signatureAlgorithm: [UInt8]
        var issuer: DistinguishedName
        var thisUpdate: ASN1Time
        var nextUpdate: ASN1Time?
        var entries: [Entry] = []
        var extensions: [CertificateExtension] = []

        init(reading reader: inout DERReader) throws {
            self = try reader.sequence { reader in
                let start = reader.offset
                let version = try reader.optional(.integer) { try $0.integer() }
                guard version == nil || version == 1 else { throw ASN1Error(.badValue, at: start) }
                return try Body(&reader, hasExtensions: version == 1)
            }
        }

        private init(_ reader: inout DERReader, hasExtensions: Bool) throws {
            signatureAlgorithm = try reader.element(limit: 1024)
            issuer = try DistinguishedName(reading: &reader)
            thisUpdate = try reader.time()
            if reader.isNext(.utcTime) || reader.isNext(.generalizedTime) { nextUpdate = try reader.time() }
            if reader.isNext(.sequence) {
                let start = reader.offset
                entries = try reader.sequenceOf(limit: 1_000_000) { try Self.entry(&$0, hasExtensions) }
                guard !entries.isEmpty else { throw ASN1Error(.badValue, at: start) }
            }
            if hasExtensions {
                extensions = try reader.optionalExplicit(0) { try CertificateExtension.list(&$0) } ?? []
            }
        }

        private static func entry(_ reader: inout DERReader, _ hasExtensions: Bool) throws -> Entry {
            try reader.sequence { reader in
                let serial = try reader.magnitude(limit: 20)
                let date = try reader.time()
                var extensions: [CertificateExtension] = []
                if hasExtensions, !reader.isAtEnd { extensions = try CertificateExtension.list(&reader) }
                let reason = try extensions.read("2.5.29.21") { reader in
                    guard let reason = Reason(rawValue: try reader.integer(.enumerated)) else {
                        throw ASN1Error(.badValue, at: 0)
                    }
                    return reason
                }
                return Entry(serialNumber: serial, date: date, reason: reason, extensions: extensions)
            }
        }
    }

    /// The library's form of it.
    func object() throws -> OpenSSLPointer<RevocationListObject> {
        var object: OpaquePointer?
        // The buffer is read by the call alone.
        unsafe der.withUnsafeBufferPointer { buffer in
            var next = buffer.baseAddress
            unsafe object = d2i_X509_CRL(nil, &next, buffer.count)
        }
        return unsafe try OpenSSLPointer(object, "d2i_X509_CRL")
    }
}
