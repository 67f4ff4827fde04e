// SPDX-License-Identifier: Apache-2.0

internal import Artifacts
internal import Cryptography
internal import Signatures

/// Text with OpenPGP signatures around it: InRelease, .dsc and CHECKSUM files.
struct TextKind: VerifiedKind {
    let kind = SigningKind.cleartext

    func read(_ path: String, detached: [UInt8]?) throws -> SignedFile {
        let artifact = try Artifact(reading: path, as: kind)
        guard case .bytes(let text) = artifact.claim.content else { return SignedFile(signatures: []) }
        let found =
            if let detached { try OpenPGPSignature.all(in: detached.span) } else {
                try artifact.signatures.map { try OpenPGPSignature($0.span) }
            }
        return SignedFile(
            signatures: found.map { signature in { keys, time in try Self.judge(signature, text, keys, time) }
            })
    }

    private static func judge(
        _ signature: OpenPGPSignature, _ text: [UInt8], _ keys: TrustedKeys, _ time: Int64
    ) throws -> SignatureVerdict {
        var last = signature.verdictWithoutSigner
        for certificate in keys.openPGP where signature.names(certificate) {
            let verdict = try certificate.verdict(on: signature, cleartext: text.span, at: time)
            if verdict.isValid { return verdict }
            if verdict.refusal != .signerUnknown { last = verdict }
        }
        return last
    }

    func inspect(_ path: String, detached: [UInt8]?, into inspection: inout Inspection) throws {
        let artifact = try Artifact(reading: path, as: kind)
        guard case .bytes(let text) = artifact.claim.content else { return }
        inspection.claim =
            "the text of \(text.count) bytes, its lines without white space at their ends and parted by CR LF"
        if let running = CleartextMessage.digest(of: text.span, .sha256) {
            inspection.add(running.finish(), of: "text as it is signed")
        }
        let found =
            if let detached { try? OpenPGPSignature.all(in: detached.span) } else {
                artifact.signatures.compactMap { try? OpenPGPSignature($0.span) }
            }
        inspection.judge(found ?? [], by: Taker<[OpenPGPSignature]>.texts)
    }
}
