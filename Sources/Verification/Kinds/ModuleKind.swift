// SPDX-License-Identifier: Apache-2.0

internal import Artifacts
internal import Cryptography
internal import Signatures

/// Kernel modules: CMS behind the module, by a certificate that is trusted itself.
struct ModuleKind: VerifiedKind {
    let kind = SigningKind.module

    /// The kernel looks at the last signature, over all that is before it, so this one decides.
    func read(_ path: String, detached: [UInt8]?) throws -> SignedFile {
        if let detached {
            guard case .bytes(let content) = try Artifact(reading: path, as: kind).claim.content else {
                return SignedFile(signatures: [])
            }
            return try signed(content, detached)
        }
        // It has to be a module, whatever is behind it.
        _ = try Artifact(reading: path, as: kind)
        guard let (content, last) = try Artifact.outermostSignature(ofModule: path) else {
            return SignedFile(signatures: [])
        }
        return try signed(content, last)
    }

    private func signed(_ content: [UInt8], _ signature: [UInt8]) throws -> SignedFile {
        let signature = try ModuleSignature(signature.span)
        return SignedFile(signatures: [
            { keys, _ in try signature.verdict(content: content.span, signers: keys.certificates) }
        ])
    }

    func inspect(_ path: String, detached: [UInt8]?, into inspection: inout Inspection) throws {
        let artifact = try Artifact(reading: path, as: kind)
        if case .bytes(let content) = artifact.claim.content {
            inspection.claim = "the module of \(content.count) bytes without what stands behind it"
            inspection.add(Digest(hashing: content.span, with: .sha256), of: "module")
        }
        let signatures = detached.map { [$0] } ?? artifact.signatures
        if let last = signatures.last, let outline = try? CMSOutline(last.span) {
            inspection.judge(outline.parts, by: Taker<[CMSOutline.Part]>.kernels)
        }
        let module = try artifact.claim.facts().module
        inspection.name = module?.name
        inspection.version = module?.kernel
        if let module { inspection.add("machine", "\(module.machine)") }
    }
}
