// SPDX-License-Identifier: Apache-2.0

internal import Artifacts
internal import Cryptography
internal import Signatures

/// Any file: OpenPGP signatures in files beside it, armored or not.
struct DocumentKind: VerifiedKind {
    let kind = SigningKind.generic

    func read(_ path: String, detached: [UInt8]?) throws -> SignedFile {
        let artifact = try Artifact(reading: path, as: kind)
        let found = try signatures(of: path, detached)
        return SignedFile(signatures: SignedDocument(artifact).judgements(found))
    }

    private func signatures(of path: String, _ detached: [UInt8]?) throws -> [OpenPGPSignature] {
        if let detached { return try OpenPGPSignature.all(in: detached.span) }
        var found: [OpenPGPSignature] = []
        for form in SignatureForm.all(of: kind) {
            for packet in try Artifact.signatures(of: path, as: kind, form: form) {
                let signature = try OpenPGPSignature(packet.span)
                // The same signature in both forms is one.
                if !found.contains(signature) { found.append(signature) }
            }
        }
        return found
    }

    func inspect(_ path: String, detached: [UInt8]?, into inspection: inout Inspection) throws {
        let artifact = try Artifact(reading: path, as: kind)
        switch artifact.claim.content {
        case .bytes(let bytes): inspection.claim = "the \(bytes.count) bytes of the file as they are"
        case .midstate(let midstate):
            inspection.claim = "the \(midstate.count) bytes of the file as they are, by their hash"
        case .image, .digest: break
        }
        let found = (try? signatures(of: path, detached)) ?? []
        inspection.judge(found, by: Taker<[OpenPGPSignature]>.documents)
    }
}
