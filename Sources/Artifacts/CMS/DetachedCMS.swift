// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import Signatures

/// A CMS signature in a file beside what it is over. Whatever else lies there is not to be touched.
struct DetachedCMS: Sendable {
    static let suffix = ".p7s"

    /// What a file that holds something else is, for errors: such as `no CMS signature`.
    let name: String
    /// Who made a signature of this sort; nil for what is none.
    let signer: @Sendable ([UInt8]) -> SignerName?

    func signatures(of file: borrowing SourceFile) throws(ArtifactError) -> [[UInt8]] {
        guard let content = try DetachedFile(of: file, Self.suffix)?.content, signer(content) != nil else {
            return []
        }
        return [content]
    }

    func embed(
        _ signature: [UInt8], in file: borrowing SourceFile, replacing: Bool
    ) throws(ArtifactError) -> Patch.Effect {
        let present = try DetachedFile(of: file, Self.suffix)
        if let present {
            let there = try signer(of: present)
            guard replacing || signer(signature) == there else {
                throw ArtifactError(.artifactSigned, "\(present.path) holds another key's signature")
            }
        }
        return .beside(suffix: Self.suffix, signature, over: present?.snapshot)
    }

    func strip(_ file: borrowing SourceFile) throws(ArtifactError) -> Patch.Effect? {
        guard let present = try DetachedFile(of: file, Self.suffix) else { return nil }
        _ = try signer(of: present)
        return .removed(suffix: Self.suffix, present.snapshot)
    }

    private func signer(of present: DetachedFile) throws(ArtifactError) -> SignerName {
        guard let signer = present.content.flatMap(signer) else {
            throw ArtifactError(
                .artifactSigned, "\(present.path) is there and is \(name); move it away first")
        }
        return signer
    }
}
