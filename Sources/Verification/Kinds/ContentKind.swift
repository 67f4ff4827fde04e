// SPDX-License-Identifier: Apache-2.0

internal import Artifacts
internal import Cryptography
internal import Signatures

/// Any file: CMS signatures in a file beside it, each by a signer that is trusted itself or has a certificate of a trusted
/// authority.
struct ContentKind: VerifiedKind {
    let kind = SigningKind.cms

    func read(_ path: String, detached: [UInt8]?) throws -> SignedFile {
        let file = ClaimedDigests(try Artifact(reading: path, as: kind))
        let signatures =
            if let detached { try CMSSignatures(detached.span).signatures } else {
                try file.artifact.signatures.map { try CMSSignature($0.span) }
            }
        return SignedFile(
            signatures: signatures.map { signature in
                { keys, time in
                    let digest = try file.digest(signature.contentDigest.algorithm)
                    return try signature.verdict(on: digest, by: keys.ofX509, at: time)
                }
            })
    }

    func inspect(_ path: String, into inspection: inout Inspection) throws {
        inspection.describe(try Artifact(reading: path, as: kind))
    }
}
