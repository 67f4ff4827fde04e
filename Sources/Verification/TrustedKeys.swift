// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import Cryptography
internal import Diagnostics
public import Signatures

/// The keys that are trusted to sign.
public struct TrustedKeys: Sendable {
    public private(set) var openPGP: [OpenPGPCertificate] = []
    /// Certificates of module signers themselves, not of their authorities.
    public private(set) var certificates: [Certificate] = []

    /// More of either sort are refused.
    public static let limit = 1000

    public init() {}

    public init(openPGP: [OpenPGPCertificate] = [], certificates: [Certificate] = []) {
        self.openPGP = openPGP
        self.certificates = certificates
    }

    public var isEmpty: Bool { openPGP.isEmpty && certificates.isEmpty }

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
        guard openPGP.count + pgp.count <= Self.limit, certificates.count + x509.count <= Self.limit else {
            throw VerificationError(.trustedKeysMalformed, "\(name): more than \(Self.limit) keys")
        }
        openPGP += pgp.filter { !openPGP.contains($0) }
        certificates += x509.filter { !certificates.contains($0) }
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
        return text.contains("-----BEGIN CERTIFICATE-----") ? .pem(text) : nil
    }
}
