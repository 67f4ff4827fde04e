// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Cryptography
internal import Diagnostics
internal import Signatures

/// Any file, signed in CMS: the claim is its digest, the signature (DER) goes into a file beside it.
struct CMSFormat: ArtifactFormat {
    let kind = SigningKind.cms
    let suffixes: [String] = []
    static let suffix = ".p7s"
    var detachedSuffix: String? { Self.suffix }

    func memory(toRead file: borrowing SourceFile) throws(ArtifactError) -> Int {
        min(file.size, SourceFile.chunk)
    }

    /// No file says of itself that it wants to be signed so.
    func recognises(_ start: [UInt8], of file: borrowing SourceFile) -> Bool { false }

    func read(
        _ file: borrowing SourceFile, _ digest: DigestAlgorithm
    ) throws(ArtifactError) -> Claim.Content {
        guard !file.name.hasSuffix(Self.suffix) else {
            throw ArtifactError(.artifactUnrecognised, "it is a signature itself")
        }
        var running = RunningDigest(digest)
        try file.forEachChunk(of: 0..<file.size) { running.update($0) }
        return .digest(running.finish())
    }

    func signatures(in file: borrowing SourceFile) throws(ArtifactError) -> [[UInt8]] {
        guard let content = try DetachedFile(of: file, Self.suffix)?.content,
            (try? CMSSignature(content.span)) != nil
        else { return [] }
        return [content]
    }

    func embed(
        _ signature: [UInt8], in file: borrowing SourceFile, replacing: Bool
    ) throws(ArtifactError) -> Patch.Effect {
        let present = try DetachedFile(of: file, Self.suffix)
        if let present {
            let signer = try present.cms.signer
            guard replacing || (try? CMSSignature(signature.span))?.signer == signer else {
                throw ArtifactError(.artifactSigned, "\(present.path) holds another key's signature")
            }
        }
        return .beside(suffix: Self.suffix, signature, over: present?.snapshot)
    }

    func strip(_ file: borrowing SourceFile) throws(ArtifactError) -> Patch.Effect? {
        guard let present = try DetachedFile(of: file, Self.suffix) else { return nil }
        _ = try present.cms
        return .removed(suffix: Self.suffix, present.snapshot)
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

extension DetachedFile {
    /// The CMS signature that lies there; what is none is not to be touched.
    fileprivate var cms: CMSSignature {
        get throws(ArtifactError) {
            guard let content, let signature = try? CMSSignature(content.span) else {
                throw ArtifactError(
                    .artifactSigned, "\(path) is there and is no CMS signature; move it away first")
            }
            return signature
        }
    }
}
