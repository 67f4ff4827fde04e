// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Cryptography
internal import Diagnostics
internal import Keyring
internal import Signatures

extension KeyRegister {
    /// One key that certifies itself and signs.
    static func openPGPRecord(_ order: KeyOrder, _ userID: String, _ key: PrivateKey, at now: Moment) throws
        -> KeyRecord
    {
        let draft = OpenPGPCertificateDraft(
            userID: userID, key: key.publicKey, created: now.seconds, expires: order.expires.seconds,
            digest: order.digest)
        let handle = try SigningHandle(key, order.algorithm.signature(order.digest))
        let certificate = try draft.signed(by: handle)
        return try KeyRecord(
            id: .random(), scheme: .openpgp, purpose: .signing, algorithm: order.algorithm,
            publicKey: key.publicKey.spki(), fingerprint: certificate.fingerprint, created: now,
            owner: order.owner, name: order.name, summary: order.summary, state: order.firstState,
            expires: order.expires,
            certificate: certificate.encoded)
    }

    /// A primary that certifies, for the control plane alone, and its subkey that signs. Both rows have the whole OpenPGP
    /// certificate; the subkey has the name that was asked for, the primary the one of `primaryName`.
    func generatePair(_ order: KeyOrder, _ userID: String, by caller: Caller, at now: Moment) async throws
        -> StoredKey
    {
        let name = try Self.primaryName(of: order.name)
        guard try await keys.key(named: name) == nil else {
            throw ControlError(.keyNameTaken, "there is a key \(name), as the primary would be called")
        }
        let start = now + .seconds(-Self.backdating)
        let (primary, subkey) = (
            try await Self.generate(order.algorithm), try await Self.generate(order.algorithm)
        )
        let draft = OpenPGPCertificateDraft(
            userID: userID, key: primary.publicKey, created: start.seconds, expires: order.expires.seconds,
            signingSubkey: subkey.publicKey, digest: order.digest)
        let algorithm = order.algorithm.signature(order.digest)
        let certificate = try draft.signed(
            by: SigningHandle(primary, algorithm), subkey: SigningHandle(subkey, algorithm))
        guard let component = certificate.subkeys.first else {
            throw ControlError(.internalError, "a new OpenPGP certificate lacks its subkey")
        }
        func record(
            _ key: PrivateKey, _ fingerprint: [UInt8], _ purpose: KeyPurpose, _ name: KeyName, parent: KeyID?
        ) throws -> KeyRecord {
            var record = try KeyRecord(
                id: .random(), scheme: .openpgp, purpose: purpose, algorithm: order.algorithm,
                publicKey: key.publicKey.spki(), fingerprint: fingerprint, created: start, parent: parent,
                owner: order.owner, name: name, summary: order.summary, state: order.firstState,
                expires: order.expires, certificate: certificate.encoded)
            record.isGuarded = order.isGuarded
            return record
        }
        let certifying = try record(primary, certificate.fingerprint, .certifying, name, parent: nil)
        let signing = try record(
            subkey, component.key.fingerprint, .signing, order.name, parent: certifying.id)
        try await keys.add(
            [try await ring.sealed(certifying, primary), try await ring.sealed(signing, subkey)],
            Self.generation(
                of: signing, by: caller, at: now,
                [
                    ("primary", certifying.id.description),
                    ("primary-fingerprint", Hex.encode(certificate.fingerprint)),
                ]))
        return try await any(signing.id.description)
    }

    /// `NAME-primary`
    static func primaryName(of name: KeyName) throws -> KeyName {
        do {
            return try KeyName(name.text + "-primary")
        } catch {
            throw ControlError(
                .invalidArgument, "name: too long, since the primary's is longer by \"-primary\"")
        }
    }

    static func armored(_ record: KeyRecord) throws -> String {
        try OpenPGPCertificate(record.certificate.span).armored
    }
}
