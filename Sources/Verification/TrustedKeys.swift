// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import Cryptography
internal import Diagnostics
public import Signatures

/// The keys that are trusted to sign.
public struct TrustedKeys: Sendable {
    public private(set) var openPGP: [OpenPGPCertificate] = []
    /// Certificates of signers themselves, not of their authorities.
    public private(set) var certificates: [Certificate] = []
    /// Roots: who has a certificate of theirs is trusted, where a signature brings its certificates along.
    public private(set) var authorities: [Certificate] = []
    /// Which certificates of the authorities hold no more. Where there are any, each authority has to have one.
    public private(set) var revocationLists: [CertificateRevocationList] = []

    /// More of one sort are refused.
    public static let limit = 1000

    public init() {}

    public init(
        openPGP: [OpenPGPCertificate] = [], certificates: [Certificate] = [], authorities: [Certificate] = [],
        revocationLists: [CertificateRevocationList] = []
    ) {
        self.openPGP = openPGP
        self.certificates = certificates
        self.authorities = authorities
        self.revocationLists = revocationLists
    }

    /// Whether it trusts nobody.
    public var isEmpty: Bool { openPGP.isEmpty && certificates.isEmpty && authorities.isEmpty }

    /// As far as CMS and Authenticode are concerned.
    var ofX509: SignerTrust {
        SignerTrust(signers: certificates, authorities: authorities, revocationLists: revocationLists)
    }

    // MARK: Out of files

    /// Takes the authorities of a file: X.509 in PEM or DER. `name` is for messages.
    public mutating func add(authorities file: Span<UInt8>, name: String) throws {
        var found = TrustedKeys()
        try found.add(contentsOf: file, name: name)
        guard found.openPGP.isEmpty else {
            throw VerificationError(.trustedKeysMalformed, "\(name): an OpenPGP key is no authority")
        }
        for certificate in found.certificates where certificate.basicConstraints?.isAuthority != true {
            throw VerificationError(
                .trustedKeysMalformed,
                "\(name): the certificate of \(certificate.subject) is not an authority's; it is a key to trust itself"
            )
        }
        add(TrustedKeys(authorities: found.certificates))
        try check(name)
    }

    /// Takes the revocation lists of a file, in PEM or DER. `name` is for messages.
    public mutating func add(revocationLists file: Span<UInt8>, name: String) throws {
        let lists: [CertificateRevocationList]
        do {
            switch Self.form(file) {
            case .der: lists = [try CertificateRevocationList(der: file)]
            case .pem(let text): lists = try CertificateRevocationList.pem(text, limit: Self.limit)
            default: throw VerificationError(.trustedKeysMalformed, "no revocation list in PEM or DER")
            }
        } catch let error as any CodedError {
            throw VerificationError(.trustedKeysMalformed, "\(name): \(error.message)")
        }
        add(TrustedKeys(revocationLists: lists))
        try check(name)
    }

    /// Takes all of others, each once.
    mutating func add(_ others: TrustedKeys) {
        openPGP = Self.merged(openPGP, others.openPGP)
        certificates = Self.merged(certificates, others.certificates)
        authorities = Self.merged(authorities, others.authorities)
        revocationLists = Self.merged(revocationLists, others.revocationLists)
    }

    private static func merged<Element: Hashable>(_ one: [Element], _ other: [Element]) -> [Element] {
        guard !other.isEmpty else { return one }
        var seen = Set(one)
        return one + other.filter { seen.insert($0).inserted }
    }

    private func check(_ name: String) throws {
        guard
            [openPGP.count, certificates.count, authorities.count, revocationLists.count]
                .allSatisfy({ $0 <= Self.limit })
        else { throw VerificationError(.trustedKeysMalformed, "\(name): more than \(Self.limit) keys") }
    }

    /// Takes the keys of a file: OpenPGP, armored or not, or X.509 in PEM or DER. `name` is for messages.
    public mutating func add(contentsOf file: Span<UInt8>, name: String) throws {
        var (pgp, x509): ([OpenPGPCertificate], [Certificate]) = ([], [])
        do {
            switch Self.form(file) {
            case .openPGP: pgp = try OpenPGPCertificate.all(in: file, limit: Self.limit)
            case .pem(let text): x509 = try Certificate.pem(text, limit: Self.limit)
            case .der: x509 = [try Certificate(der: file)]
            case nil: throw VerificationError(.trustedKeysMalformed, "neither OpenPGP nor X.509")
            }
        } catch let error as any CodedError {
            throw VerificationError(.trustedKeysMalformed, "\(name): \(error.message)")
        }
        add(TrustedKeys(openPGP: pgp, certificates: x509))
        try check(name)
    }

    private enum Form {
        case openPGP
        case pem(String)
        case der
    }

    /// DER of a certificate begins with a SEQUENCE, an OpenPGP packet with its highest bit set, and text says what it
    /// is.
    private static func form(_ file: Span<UInt8>) -> Form? {
        guard !file.isEmpty else { return nil }
        if file[0] == 0x30 { return .der }
        if file[0] & 0x80 != 0 { return .openPGP }
        guard let text = String(validatingUTF8: file) else { return nil }
        if text.contains("-----BEGIN PGP ") { return .openPGP }
        let isPEM = ["-----BEGIN CERTIFICATE-----", "-----BEGIN X509 CRL-----"].contains(where: text.contains)
        return isPEM ? .pem(text) : nil
    }
}
