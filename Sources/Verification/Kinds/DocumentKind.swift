// SPDX-License-Identifier: Apache-2.0

internal import Artifacts
internal import Signatures

/// Any file: OpenPGP signatures in a file beside it.
struct DocumentKind: VerifiedKind {
    let kind = SigningKind.generic

    func read(_ path: String, detached: [UInt8]?) throws -> SignedFile {
        let artifact = try Artifact(reading: path, as: kind)
        return SignedFile(signatures: try SignedDocument(artifact).judgements(detached))
    }

    func inspect(_ path: String, into inspection: inout Inspection) throws {
        inspection.describe(try Artifact(reading: path, as: kind))
    }
}
