// SPDX-License-Identifier: Apache-2.0

internal import ASN1
internal import Cryptography
internal import Diagnostics
internal import Keyring
internal import Signatures

extension KeyRegister {
    /// Gives a key another end. An OpenPGP key says so itself; an X.509 key gets a new certificate of its authority, or of
    /// itself as a root, with the same name and key. The one before stays good until its own end, and is listed with the
    /// new one when the key is revoked.
    func renew(
        _ idOrName: String, until end: Moment, by caller: Caller,
        isExpected: (StoredKey) throws -> Void = { _ in }
    ) async throws -> StoredKey {
        let stored = try await find(idOrName, for: caller, to: .manageKeys)
        try isExpected(stored)
        let now = clock()
        var record = try stored.record.applying(.renew)
        guard now < end else { throw ControlError(.invalidArgument, "expire_at: it lies in the past") }
        record.expires = end
        var former: FormerCertificate?
        var others: [StoredKey] = []
        do {
            if record.scheme == .openpgp {
                let family = try await family(of: stored)
                record.certificate = try await renewed(family.primary, until: end, at: now)
                others = try await changed(family.others, certificate: record.certificate, until: end)
            } else {
                former = try FormerCertificate(of: stored.record, replaced: now)
                record.certificate = try await reissued(stored, until: end, at: now)
            }
        } catch let error as SignaturesError where error.code == .draftRefused {
            throw ControlError(.invalidArgument, "expire_at: \(error.message)")
        }
        var change = KeyChange(try await ring.changed(stored, to: record))
        (change.former, change.others) = (former, others)
        return try await keys.change(
            change,
            caller.event(
                .keyRenew, record.id.description, at: now,
                [
                    ("name", record.name.text), ("expires", Timestamp.text(end)),
                    ("expired", stored.record.expires.map { Timestamp.text($0) } ?? "never"),
                ]))
    }

    /// The keys that have one OpenPGP certificate: its primary, and all of them but this one.
    private func family(of stored: StoredKey) async throws -> (primary: StoredKey, others: [StoredKey]) {
        let primary: StoredKey =
            if let id = stored.record.parent { try await any(id.description) } else { stored }
        guard primary.record.purpose == .certifying else { return (primary, []) }
        var query = KeyQuery()
        (query.parent, query.limit) = (primary.record.id, KeyQuery.largest)
        let children = try await keys.keys(query).keys
        for key in children { try await ring.check(key) }
        return (primary, ([primary] + children).filter { $0.record.id != stored.record.id })
    }

    private func changed(
        _ others: [StoredKey], certificate: [UInt8], until end: Moment? = nil
    ) async throws -> [StoredKey] {
        var rows: [StoredKey] = []
        for other in others {
            var record = other.record
            record.certificate = certificate
            if let end, let renewed = try? record.applying(.renew) {
                record = renewed
                record.expires = end
            }
            rows.append(try await ring.changed(other, to: record))
        }
        return rows
    }

    /// By the primary, for all of the certificate.
    private func renewed(_ stored: StoredKey, until end: Moment, at now: Moment) async throws -> [UInt8] {
        let digest = stored.record.algorithm.usualDigest
        let certificate = try OpenPGPCertificate(stored.record.certificate.span)
        return try await ring.sign(aboutItself: stored, for: .renew, digest) { handle in
            try OpenPGPRenewalDraft(
                of: certificate, until: end.seconds, at: now.seconds, digest: digest
            ).signed(by: handle).encoded
        }
    }

    private func reissued(_ stored: StoredKey, until end: Moment, at now: Moment) async throws -> [UInt8] {
        let record = stored.record
        let chain = try Certificate.chain(der: record.certificate.span)
        let profile: CertificateProfile =
            if let profile = CertificateProfile(signersOf: record.scheme) { profile } else {
                .authority(pathLength: chain[0].basicConstraints?.pathLength)
            }
        let draft = CertificateDraft(
            subject: chain[0].subject, key: try PublicKey(spki: record.publicKey.span),
            serial: try .random(), notBefore: try TransportAuthority.time(now + .seconds(-Self.backdating)),
            notAfter: try TransportAuthority.time(end), profile: profile)
        guard let id = record.parent else {
            guard record.scheme == .ca, chain[0].issuer == chain[0].subject else {
                throw ControlError(
                    .keySchemeMismatch,
                    "the key \(record.name) was certified by an authority that is not here; let that one renew it"
                )
            }
            return try await ring.sign(aboutItself: stored, for: .renew, record.algorithm.usualDigest) {
                try draft.selfSigned(by: $0).der
            }
        }
        let parent = try await any(id.description)
        guard end <= parent.record.expires ?? end else {
            throw ControlError(.invalidArgument, "expire_at: it lies behind the end of \(parent.record.name)")
        }
        let made = try await ring.sign(as: parent, at: now) { issuer in
            try draft.begun(within: issuer.certificate)
                .signed(by: issuer.handle(.sha256), issuer: issuer.certificate)
        }
        return made.der + Self.authorities(of: record.scheme, below: parent)
    }

    /// The OpenPGP certificate with the owner's word that it is revoked, or that the subkey is; and the other rows that
    /// have the same certificate.
    func revoked(
        _ stored: StoredKey, because reason: RevocationReason, at now: Moment
    ) async throws -> (certificate: [UInt8], others: [StoredKey]) {
        let record = stored.record
        let (primary, others) = try await family(of: stored)
        let digest = primary.record.algorithm.usualDigest
        let certificate = try OpenPGPCertificate(record.certificate.span)
        let own = try PublicKey(spki: record.publicKey.span)
        let subkey = certificate.primary.key.publicKey == own ? nil : own
        let made = try await ring.sign(aboutItself: primary, for: .revoke, digest) { handle in
            let draft = OpenPGPRevocationDraft(
                of: certificate, subkey: subkey, reason: reason.ofOpenPGP, at: now.seconds, digest: digest)
            return try certificate.revoked(by: draft.signed(by: handle)).encoded
        }
        return (made, try await changed(others, certificate: made))
    }
}

extension FormerCertificate {
    /// Of a key with an X.509 certificate that is about to be renewed.
    fileprivate init(of record: KeyRecord, replaced: Moment) throws {
        let certificate = try Certificate.chain(der: record.certificate.span)[0]
        self.init(
            key: record.id, serialNumber: certificate.serialNumber,
            expires: Moment(seconds: certificate.notAfter.secondsSince1970), replaced: replaced)
    }
}

extension RevocationReason {
    /// OpenPGP knows fewer; what says nothing about the private half is none of them.
    fileprivate var ofOpenPGP: OpenPGPRevocationDraft.Reason {
        switch self {
        case .keyCompromise: .compromised
        case .superseded: .superseded
        case .cessationOfOperation: .retired
        case .unspecified, .authorityCompromise, .affiliationChanged, .certificateHold, .privilegeWithdrawn,
            .attributeAuthorityCompromise:
            .unspecified
        }
    }
}
