// SPDX-License-Identifier: Apache-2.0

internal import Cryptography
internal import Diagnostics
internal import Keyring
internal import Signatures

/// An unsealed key, and what its signatures say of their signer.
final class ReadyKey: Sendable {
    private enum Signer: Sendable {
        case openPGP(OpenPGPSigner)
        case module(Certificate)
        /// With the authorities between the certificate and a root, which signatures bring along.
        case image([Certificate])
        case content([Certificate])
    }

    let record: KeyRecord
    private let key: SigningKey
    private let signer: Signer

    init(_ key: SigningKey, _ record: KeyRecord, at now: Moment) throws {
        self.key = key
        self.record = record
        switch record.scheme {
        case .openpgp:
            let certificate = try OpenPGPCertificate(record.certificate.span)
            let publicKey = try PublicKey(spki: record.publicKey.span)
            signer = .openPGP(try certificate.signer(for: publicKey, at: now.seconds))
        case .module:
            signer = .module(try Certificate(der: record.certificate.span))
        case .authenticode: signer = .image(try Certificate.chain(der: record.certificate.span))
        case .cms: signer = .content(try Certificate.chain(der: record.certificate.span))
        case .timestamp, .ca:
            throw DataServiceError(
                .unsupported, "keys of the scheme \(record.scheme.rawValue) sign nothing here yet")
        }
    }

    /// The structure that is signed, built around the claim.
    func draft(for claim: InspectedClaim, at time: Moment) throws -> any SignatureDraft {
        switch (signer, claim.running) {
        case (.openPGP(let signer), let running?):
            return try OpenPGPSignatureDraft(
                claim.document, after: running, signer: signer, created: time.seconds)
        case (.module(let certificate), let running?):
            return try ModuleSignatureDraft(after: running, signer: certificate)
        case (.image(let chain), nil):
            return try AuthenticodeDraft(imageDigest: claim.content, signer: chain, created: time.seconds)
        case (.content(let chain), nil):
            return try CMSSignatureDraft(contentDigest: claim.content, signer: chain, created: time.seconds)
        default:
            throw DataServiceError(.badClaim, "claim: it is not what keys of \(record.scheme.rawValue) sign")
        }
    }

    /// Makes the signature, verified; the permit is used up.
    func sign(_ draft: any SignatureDraft, _ slot: PermitSlot) throws -> [UInt8] {
        guard let permit = slot.take() else {
            throw DataServiceError(.internalError, "a permit was used twice")
        }
        return try key.sign(draft, permit: permit)
    }
}
