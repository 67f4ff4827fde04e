// SPDX-License-Identifier: Apache-2.0

internal import ASN1
internal import Bytes
internal import Cryptography
internal import Diagnostics
internal import Keyring
internal import Signatures

/// Keys that were made elsewhere: with their private half, or, where its maker keeps that, with a certificate of ours.
extension KeyRegister {
    func bring(_ order: ImportOrder, by caller: Caller) async throws -> StoredKey {
        try caller.require(order.isPrivate ? .ownKeys : .manageKeys)
        let name = order.isPrivate ? try Self.privateName(order.name, of: caller) : order.name
        let owner = order.isPrivate ? caller.user?.id : nil
        try await expectFree(name)
        let now = clock()
        // The numbers of large RSA keys are looked at for a while, which no loop has.
        let found = try await Task.detached { try ImportedKey(order, at: now) }.value
        let parent = try await parent(of: found, owner)
        func record(
            _ key: PrivateKey, _ fingerprint: [UInt8], _ purpose: KeyPurpose, _ name: KeyName,
            _ parent: KeyID?
        ) throws -> KeyRecord {
            try KeyRecord(
                id: .random(), scheme: found.scheme, purpose: purpose, algorithm: key.algorithm,
                publicKey: key.publicKey.spki(), fingerprint: fingerprint, created: now, parent: parent,
                owner: owner, name: name, summary: order.summary,
                state: owner == nil ? .disabled : .enabled, expires: found.expires,
                certificate: found.certificate)
        }
        guard found.expires.map({ now < $0 }) ?? true else {
            throw ControlError(.keyExpired, "the key \(name) has expired")
        }
        // A primary whose subkey signs is kept from the data-servers, as one that was made here.
        var rows: [StoredKey] = []
        var above = parent?.record.id
        if let primary = found.primary {
            let name = try Self.primaryName(of: name)
            try await expectFree(name)
            let fingerprint = try OpenPGPCertificate(found.certificate.span).fingerprint
            let certifying = try record(primary, fingerprint, .certifying, name, nil)
            rows.append(try await ring.sealed(certifying, primary))
            above = certifying.id
        }
        let own = try record(
            found.key, found.fingerprint, found.scheme == .ca ? .certifying : .signing, name, above)
        rows.append(try await ring.sealed(own, found.key))
        return try await add(rows, below: parent, .keyImport, by: caller, at: now)
    }

    /// A certificate for a key whose private half stays with who made it. The profile settles what it says; of what the
    /// request asks for, name and key alone pass.
    func issue(_ order: CertificateOrder, by idOrName: String, for caller: Caller) async throws -> StoredKey {
        try caller.require(.manageKeys)
        try await expectFree(order.name)
        let now = clock()
        guard now < order.expires else {
            throw ControlError(.invalidArgument, "expire_at: it lies in the past")
        }
        let parent = try await find(idOrName, for: caller)
        guard parent.record.owner == nil else {
            throw ControlError(.invalidArgument, "\(parent.record.name) is somebody's own authority")
        }
        try ClusterKeyRing.checkSigns(parent.record, at: now)
        guard order.expires <= parent.record.expires ?? order.expires else {
            throw ControlError(.invalidArgument, "expire_at: it lies behind the end of \(parent.record.name)")
        }
        let algorithm = try order.request.publicKey().algorithm
        guard let profile = CertificateProfile(signersOf: order.scheme), order.scheme.takes(algorithm) else {
            throw ControlError(
                .invalidArgument,
                "request: the scheme \(order.scheme.rawValue) does not sign with \(algorithm.rawValue)")
        }
        let start = now + .seconds(-Self.backdating)
        let draft = try CertificateDraft(
            for: order.request, serial: .random(), notBefore: TransportAuthority.time(start),
            notAfter: TransportAuthority.time(order.expires), profile: profile)
        let certificate: Certificate
        do {
            certificate = try await ring.sign(as: parent, at: now) { issuer in
                try draft.begun(within: issuer.certificate)
                    .signed(by: issuer.handle(.sha256), issuer: issuer.certificate)
            }
        } catch let error as SignaturesError where error.code == .draftRefused {
            throw ControlError(.invalidArgument, "request: \(error.message)")
        }
        let spki = order.request.publicKeyInfo
        let record = try KeyRecord(
            id: .random(), scheme: order.scheme, purpose: .signing, algorithm: algorithm, publicKey: spki,
            fingerprint: Digest(hashing: spki.span, with: .sha256).bytes, created: start,
            parent: parent.record.id, name: order.name, summary: order.summary, state: .disabled,
            expires: order.expires,
            certificate: certificate.der + Self.authorities(of: order.scheme, below: parent))
        return try await add([ring.outside(record)], below: parent, .certificateIssue, by: caller, at: now)
    }

    /// Signatures bring along who stands between their signer and a root; the kernel's do not.
    static func authorities(of scheme: SigningScheme, below parent: StoredKey?) -> [UInt8] {
        guard let parent, parent.record.parent != nil, scheme != .module, scheme != .ca else { return [] }
        return parent.record.certificate
    }

    private func expectFree(_ name: KeyName) async throws {
        guard try await keys.key(named: name) == nil else {
            throw ControlError(.keyNameTaken, "there is a key \(name)")
        }
    }

    private func add(
        _ rows: [StoredKey], below parent: StoredKey?, _ action: AuditAction, by caller: Caller,
        at now: Moment
    ) async throws -> StoredKey {
        guard let record = rows.last?.record else { throw ControlError(.internalError, "no key to add") }
        try await keys.add(
            rows, seen: parent.map { [$0] } ?? [],
            caller.event(
                action, record.id.description, at: now,
                [
                    ("name", record.name.text), ("scheme", record.scheme.rawValue),
                    ("algorithm", record.algorithm.rawValue), ("fingerprint", Hex.encode(record.fingerprint)),
                ]))
        return try await any(record.id.description)
    }

    /// The authority that certified an imported key, where it lives here: only then the key can be revoked.
    private func parent(of found: ImportedKey, _ owner: UserID?) async throws -> StoredKey? {
        guard let own = found.chain.first, own.issuer != own.subject else { return nil }
        var query = KeyQuery()
        query.schemes = [.ca]
        query.sight = owner.map { .privateOf($0) } ?? .publicOnly
        query.limit = KeyQuery.largest
        while true {
            let page = try await keys.keys(query)
            for stored in page.keys {
                try await ring.check(stored)
                let certificate = try Certificate.chain(der: stored.record.certificate.span)[0]
                if own.isIssued(by: certificate) { return stored }
            }
            query.offset += page.keys.count
            guard !page.keys.isEmpty, query.offset < page.total else { return nil }
        }
    }
}

/// A certificate that somebody wants for a key of his own.
struct CertificateOrder: Sendable {
    var name: KeyName
    var summary: String
    var request: CertificateRequest
    var scheme: SigningScheme
    var expires: Moment
}
