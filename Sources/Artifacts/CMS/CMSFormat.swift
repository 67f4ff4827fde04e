// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Cryptography
internal import Diagnostics
internal import Signatures

/// Any file, signed in CMS: the claim is its digest, the signature (DER) goes into a file beside it, together with those of
/// other signers.
struct CMSFormat: ArtifactFormat {
    let kind = SigningKind.cms
    let suffixes: [String] = []
    var detachedSuffix: String? { DetachedCMS.suffix }
    private let beside = DetachedCMS(
        name: "no CMS signature",
        signatures: { content in
            let found = try? CMSSignatures(content.span)
            return found?.signatures.map { DetachedCMS.Signature(signer: $0.signer, encoded: $0.encoded) }
        },
        joined: { present, new in
            try CMSSignatures(present.span).adding(CMSSignature(new.span)).encoded
        })

    func memory(toRead file: borrowing SourceFile) throws(ArtifactError) -> Int {
        min(file.size, SourceFile.chunk)
    }

    /// No file says of itself that it wants to be signed so.
    func recognises(_ start: [UInt8], of file: borrowing SourceFile) -> Bool { false }

    func read(
        _ file: borrowing SourceFile, _ digest: DigestAlgorithm
    ) throws(ArtifactError) -> Claim.Content {
        guard !file.name.hasSuffix(DetachedCMS.suffix) else {
            throw ArtifactError(.artifactUnrecognised, "it is a signature itself")
        }
        var running = RunningDigest(digest)
        try file.forEachChunk(of: 0..<file.size) { running.update($0) }
        return .digest(running.finish())
    }

    func signatures(in file: borrowing SourceFile) throws(ArtifactError) -> [[UInt8]] {
        try beside.signatures(of: file)
    }

    func embed(
        _ signature: [UInt8], in file: borrowing SourceFile, replacing: Bool
    ) throws(ArtifactError) -> Patch.Effect {
        try beside.embed(signature, in: file, replacing: replacing)
    }

    func strip(_ file: borrowing SourceFile) throws(ArtifactError) -> Patch.Effect? {
        try beside.strip(file)
    }

    func facts(of content: Claim.Content) throws(ArtifactError) -> ClaimFacts {
        guard case .digest = content else {
            throw ArtifactError(.artifactMalformed, "for a CMS signature a file is claimed by its digest")
        }
        var facts = ClaimFacts(size: 0)
        facts.isBlind = true
        return facts
    }
}
