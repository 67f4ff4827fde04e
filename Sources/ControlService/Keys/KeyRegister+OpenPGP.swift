// SPDX-License-Identifier: Apache-2.0

internal import Cryptography
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

    static func armored(_ record: KeyRecord) throws -> String {
        try OpenPGPCertificate(record.certificate.span).armored
    }
}
