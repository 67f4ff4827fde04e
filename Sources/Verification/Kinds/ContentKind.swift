// SPDX-License-Identifier: Apache-2.0

internal import Artifacts
internal import Cryptography
internal import Signatures

/// Any file: a CMS signature in a file beside it, by a signer that is trusted itself or has a certificate of a trusted
/// authority.
struct ContentKind: VerifiedKind {
    let kind = SigningKind.cms

    func read(_ path: String, detached: [UInt8]?) throws -> SignedFile {
        let file = ClaimedDigests(try Artifact(reading: path, as: kind))
        let signatures = detached.map { [$0] } ?? file.artifact.signatures
        return SignedFile(
            signatures: try signatures.map { bytes in
                let signature = try CMSSignature(bytes.span)
                return { keys, time in
                    let digest = try file.digest(signature.contentDigest.algorithm)
                    return try signature.verdict(on: digest, by: keys.ofX509, at: time)
                }
            })
    }

    func inspect(_ path: String, into inspection: inout Inspection) throws {
        inspection.describe(try Artifact(reading: path, as: kind))
    }
}
