// SPDX-License-Identifier: Apache-2.0

internal import ASN1
public import Cryptography
internal import Diagnostics
public import Keyring
public import Signatures

/// The certificate authority of the transport: it vouches for the programs to one another over TLS. It stands apart from
/// all signing keys, and a farm with an authority of its own does without it.
///
/// Serial numbers are random; whoever issues keeps what he issued, and gives the list to `revocationList`.
public struct TransportAuthority: Sendable {
    public let certificate: Certificate
    private let handle: SigningHandle

    /// A certificate and its private key, as they were kept.
    public init(certificate: Certificate, key: PrivateKey) throws {
        guard try certificate.publicKey() == key.publicKey, certificate.basicConstraints?.isAuthority == true
        else {
            throw ControlError(
                .authorityMissing,
                "the certificate of \(certificate.subject) does not belong to the private key")
        }
        self.certificate = certificate
        handle = try SigningHandle(key, .ecdsa(.sha256))
    }

    /// A new authority, which signs its own certificate.
    public static func make(name: String, at now: Moment, life: Duration) throws -> (
        authority: TransportAuthority, key: PrivateKey
    ) {
        let key = try PrivateKey.generate(.p256)
        let draft = CertificateDraft(
            subject: try DistinguishedName(commonName: name), key: key.publicKey, serial: try .random(),
            notBefore: try Self.begin(now), notAfter: try Self.time(now + life),
            profile: .authority(pathLength: 0))
        let certificate = try draft.selfSigned(by: SigningHandle(key, .ecdsa(.sha256)))
        return (try TransportAuthority(certificate: certificate, key: key), key)
    }

    public func issue(_ name: TransportName, for key: PublicKey, at now: Moment, life: Duration) throws
        -> Certificate
    {
        let draft = CertificateDraft(
            subject: try DistinguishedName(commonName: name.name), key: key, serial: try .random(),
            notBefore: max(try Self.begin(now), certificate.notBefore), notAfter: try Self.time(now + life),
            profile: .transport(name.role, name.alternatives))
        return try draft.signed(by: handle, issuer: certificate)
    }

    /// The next list, with a greater number than `last`'s.
    public func revocationList(
        _ entries: [RevocationListDraft.Entry], after last: CertificateRevocationList?, at now: Moment,
        life: Duration
    ) throws -> CertificateRevocationList {
        let number = last?.number?.suffix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) } ?? 0
        guard number < .max else {
            throw ControlError(.authorityMissing, "the number of the revocation list cannot grow any more")
        }
        let draft = RevocationListDraft(
            issuer: certificate, number: number + 1, thisUpdate: try Self.begin(now),
            nextUpdate: try Self.time(now + life), entries: entries)
        return try draft.signed(by: handle)
    }

    /// The clocks of a farm are allowed to differ by this much.
    private static let leeway: Duration = .seconds(300)

    private static func begin(_ now: Moment) throws -> ASN1Time { try time(now - leeway) }

    static func time(_ moment: Moment) throws(ControlError) -> ASN1Time {
        guard let time = ASN1Time(secondsSince1970: moment.seconds) else {
            throw ControlError(.invalidArgument, "days: the end lies beyond the year 9999")
        }
        return time
    }
}

extension Moment {
    static func - (moment: Moment, duration: Duration) -> Moment { moment + (.zero - duration) }
}
