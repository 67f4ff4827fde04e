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

    func inspect(_ path: String, detached: [UInt8]?, into inspection: inout Inspection) throws {
        let file = ClaimedDigests(try Artifact(reading: path, as: kind))
        inspection.claim = "attributes with the digest of the file, sha256 \(try file.digest(.sha256))"
        let signatures =
            if let detached { try? CMSSignatures(detached.span).signatures } else {
                file.artifact.signatures.compactMap { try? CMSSignature($0.span) }
            }
        for signature in signatures ?? [] {
            let announced = signature.contentDigest
            inspection.compare(
                announced, in: "file, in its signature", with: try file.digest(announced.algorithm))
            for certificate in signature.certificates {
                inspection.add("certificate", "\(certificate.subject)")
            }
        }
        let parts = (detached.map { [$0] } ?? file.artifact.signatures)
            .compactMap { try? CMSOutline($0.span) }.flatMap(\.parts)
        if !parts.isEmpty { inspection.judge(parts, by: Taker<[CMSOutline.Part]>.readers) }
    }
}
