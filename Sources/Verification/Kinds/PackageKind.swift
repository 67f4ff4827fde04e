// SPDX-License-Identifier: Apache-2.0

internal import Artifacts
internal import Signatures

/// RPM packages and source packages: OpenPGP signatures of the main header, which names the payload's digest.
struct PackageKind: VerifiedKind {
    let kind = SigningKind.rpm

    func read(_ path: String, detached: [UInt8]?) throws -> SignedFile {
        let artifact = try Artifact(reading: path, as: kind)
        return SignedFile(
            package: try artifact.claim.facts().package,
            signatures: try SignedDocument(artifact).judgements(detached))
    }

    func inspect(_ path: String, into inspection: inout Inspection) throws {
        let artifact = try Artifact(reading: path, as: kind)
        inspection.describe(artifact)
        let facts = try artifact.claim.facts()
        inspection.name = facts.package?.description
        for digest in facts.payloadDigests { inspection.add(digest: digest, of: "payload") }
    }
}
