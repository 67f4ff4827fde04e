// SPDX-License-Identifier: Apache-2.0

internal import ASN1
internal import Bytes
public import Cryptography
internal import Diagnostics
public import Keyring
internal import Secrets
internal import Signatures

/// The authority of the transport as files in a folder of its own.
///
/// ```
/// ca.crt              its certificate, for the settings of every program
/// ca.key              its private key, for its owner alone
/// crl.pem             what was revoked, for the settings of servers; each list is numbered
/// issued/SERIAL.crt   every certificate that it issued
/// ```
public struct AuthorityFolder: Sendable {
    public let path: String

    public init(_ path: String) { self.path = path }

    public var certificateFile: String { path + "/ca.crt" }
    public var revocationFile: String { path + "/crl.pem" }
    private var keyFile: String { path + "/ca.key" }
    private var issuedFolder: String { path + "/issued" }

    // MARK: Making

    /// Makes the folder, the authority and an empty revocation list. Nothing is overwritten.
    public func create(name: String, at now: Moment, life: Duration) throws {
        try PublicFile.makeFolder(path)
        try PublicFile.withLock(on: path) {
            for file in [certificateFile, keyFile] where PublicFile.exists(file) {
                throw ControlError(.authorityExists, "\(file) is there")
            }
            try PublicFile.makeFolder(issuedFolder)
            let (authority, key) = try TransportAuthority.make(name: name, at: now, life: life)
            try key.pem().write(toNewFile: keyFile)
            try PublicFile.write(authority.certificate.pem, to: certificateFile, replacing: false)
            try writeList([], of: authority, after: nil, at: now)
        }
    }

    /// Issues a certificate for a new key, and writes both: `files` in front of `.crt` and `.key`.
    public func issue(
        _ name: TransportName, at now: Moment, life: Duration, files: String, replacing: Bool
    ) throws -> Certificate {
        try PublicFile.withLock(on: path) {
            let (certificateFile, keyFile) = (files + ".crt", files + ".key")
            for file in [certificateFile, keyFile] where !replacing && PublicFile.exists(file) {
                throw ControlError(.fileNotWritten, "\(file): exists already; --replace takes its place")
            }
            let authority = try authority()
            let key = try PrivateKey.generate(.p256)
            let certificate = try authority.issue(name, for: key.publicKey, at: now, life: life)
            // What was issued is known before anybody has it.
            try PublicFile.write(
                certificate.pem, to: "\(issuedFolder)/\(Hex.encode(certificate.serialNumber, .upper)).crt",
                replacing: false)
            let beside = keyFile + ".new"
            try PublicFile.remove(beside)
            try key.pem().write(toNewFile: beside)
            try PublicFile.place(beside, at: keyFile, replacing: replacing)
            try PublicFile.write(certificate.pem, to: certificateFile, replacing: replacing)
            return certificate
        }
    }

    // MARK: Reading

    public func authority() throws -> TransportAuthority {
        guard let text = try PublicFile.text(certificateFile), PublicFile.exists(keyFile) else {
            throw ControlError(.authorityMissing, "\(path): ca.crt or ca.key is not there")
        }
        guard let certificate = try Certificate.pem(text, limit: 1).first else {
            throw ControlError(.authorityMissing, "\(certificateFile) holds no certificate")
        }
        let key = try KeyFile(SecretBytes(contentsOf: keyFile)).key
        return try TransportAuthority(certificate: certificate, key: key)
    }

    /// Everything that was issued, the oldest first.
    public func issued() throws -> [IssuedCertificate] {
        let list = try revocationList()
        var all: [IssuedCertificate] = []
        for name in try PublicFile.names(in: issuedFolder) where name.hasSuffix(".crt") {
            guard let text = try PublicFile.text(issuedFolder + "/" + name),
                let certificate = try Certificate.pem(text, limit: 1).first
            else { continue }
            all.append(
                IssuedCertificate(
                    certificate: certificate,
                    revoked: list?.entry(serialNumber: certificate.serialNumber)?.date.secondsSince1970))
        }
        return all.sorted { ($0.certificate.notBefore, $0.serial) < ($1.certificate.notBefore, $1.serial) }
    }

    public func revocationList() throws -> CertificateRevocationList? {
        try PublicFile.text(revocationFile).flatMap { try CertificateRevocationList.pem($0, limit: 1).first }
    }

    // MARK: Revoking

    /// Puts certificates on the list, whose number grows. Those that are on it stay as they were.
    public func revoke(
        _ certificates: [IssuedCertificate], because reason: CertificateRevocationList.Reason, at now: Moment
    ) throws {
        try PublicFile.withLock(on: path) {
            let last = try revocationList()
            let known = Set(last?.entries.map(\.serialNumber) ?? [])
            let date = try TransportAuthority.time(now)
            let new = certificates.map(\.certificate.serialNumber).filter { !known.contains($0) }
            try writeList(
                Self.entries(of: last)
                    + new.map { RevocationListDraft.Entry(serialNumber: $0, date: date, reason: reason) },
                of: authority(), after: last, at: now)
        }
    }

    /// Writes the list anew, so that it is good for another while.
    public func renewRevocationList(at now: Moment) throws {
        try PublicFile.withLock(on: path) {
            let last = try revocationList()
            try writeList(Self.entries(of: last), of: authority(), after: last, at: now)
        }
    }

    /// A list that ran out would shut everybody out, and revocation reaches the servers by the deny list too.
    private static let listLife: Duration = .seconds(366 * 86_400)

    private static func entries(of list: CertificateRevocationList?) -> [RevocationListDraft.Entry] {
        list?.entries.map {
            RevocationListDraft.Entry(
                serialNumber: $0.serialNumber, date: $0.date, reason: $0.reason ?? .unspecified)
        } ?? []
    }

    private func writeList(
        _ entries: [RevocationListDraft.Entry], of authority: TransportAuthority,
        after last: CertificateRevocationList?, at now: Moment
    ) throws {
        let list = try authority.revocationList(entries, after: last, at: now, life: Self.listLife)
        try PublicFile.write(list.pem, to: revocationFile, replacing: true)
    }
}

/// A certificate of the transport, and whether it is still good.
public struct IssuedCertificate: Hashable, Sendable {
    public let certificate: Certificate
    /// Since when it is revoked, in seconds since 1970.
    public let revoked: Int64?

    /// As `openssl x509 -serial` prints it.
    public var serial: String { Hex.encode(certificate.serialNumber, .upper) }

    /// Its URI.
    public var uri: String? {
        for case .uri(let text) in certificate.subjectAlternativeNames { return text }
        return nil
    }

    public func isGood(at now: Moment) -> Bool {
        revoked == nil && now.seconds <= certificate.notAfter.secondsSince1970
    }
}
