// SPDX-License-Identifier: Apache-2.0

internal import Cryptography
internal import Diagnostics
internal import Signatures

/// Kernel modules whose signature goes into a file beside them, as `sign-file -d` writes it: for builders that append it
/// later. A module that has a signature inside is refused, since the one beside it would not be over the file.
struct DetachedModuleFormat: ArtifactFormat {
    private let module = ModuleFormat()
    private static let suffix = ".p7s"

    var kind: SigningKind { module.kind }
    var suffixes: [String] { module.suffixes }
    var detachedSuffix: String? { Self.suffix }

    func recognises(_ start: [UInt8], of file: borrowing SourceFile) -> Bool {
        module.recognises(start, of: file)
    }

    func memory(toRead file: borrowing SourceFile) throws(ArtifactError) -> Int {
        try module.memory(toRead: file)
    }

    func read(
        _ file: borrowing SourceFile, _ digest: DigestAlgorithm
    ) throws(ArtifactError) -> Claim.Content {
        guard try module.signatures(in: file).isEmpty else {
            throw ArtifactError(
                .artifactSigned, "the module has a signature inside, which one beside it would not be over")
        }
        return try module.read(file, digest)
    }

    func signatures(in file: borrowing SourceFile) throws(ArtifactError) -> [[UInt8]] {
        guard let content = try DetachedFile(of: file, Self.suffix)?.content,
            (try? ModuleSignature(content.span)) != nil
        else { return [] }
        return [content]
    }

    func embed(
        _ signature: [UInt8], in file: borrowing SourceFile, replacing: Bool
    ) throws(ArtifactError) -> Patch.Effect {
        let present = try DetachedFile(of: file, Self.suffix)
        if let present {
            let signer = try present.module.signer
            guard replacing || (try? ModuleSignature(signature.span))?.signer == signer else {
                throw ArtifactError(.artifactSigned, "\(present.path) holds another key's signature")
            }
        }
        return .beside(suffix: Self.suffix, signature, over: present?.snapshot)
    }

    func strip(_ file: borrowing SourceFile) throws(ArtifactError) -> Patch.Effect? {
        guard let present = try DetachedFile(of: file, Self.suffix) else { return nil }
        _ = try present.module
        return .removed(suffix: Self.suffix, present.snapshot)
    }

    func facts(of content: Claim.Content) throws(ArtifactError) -> ClaimFacts {
        try module.facts(of: content)
    }
}

extension DetachedFile {
    /// The signature that lies there; what is none is not to be touched.
    fileprivate var module: ModuleSignature {
        get throws(ArtifactError) {
            guard let content, let signature = try? ModuleSignature(content.span) else {
                throw ArtifactError(
                    .artifactSigned, "\(path) is there and is no module's signature; move it away first")
            }
            return signature
        }
    }
}
