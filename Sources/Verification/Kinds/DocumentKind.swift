// SPDX-License-Identifier: Apache-2.0

internal import Artifacts
internal import Signatures

/// Any file: OpenPGP signatures in files beside it, armored or not.
struct DocumentKind: VerifiedKind {
    let kind = SigningKind.generic

    func read(_ path: String, detached: [UInt8]?) throws -> SignedFile {
        let artifact = try Artifact(reading: path, as: kind)
        var found: [OpenPGPSignature]
        if let detached {
            found = try OpenPGPSignature.all(in: detached.span)
        } else {
            found = []
            for form in SignatureForm.all(of: kind) {
                for packet in try Artifact.signatures(of: path, as: kind, form: form) {
                    let signature = try OpenPGPSignature(packet.span)
                    // The same signature in both forms is one.
                    if !found.contains(signature) { found.append(signature) }
                }
            }
        }
        return SignedFile(signatures: SignedDocument(artifact).judgements(found))
    }

    func inspect(_ path: String, into inspection: inout Inspection) throws {
        inspection.describe(try Artifact(reading: path, as: kind))
    }
}
