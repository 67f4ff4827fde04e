// SPDX-License-Identifier: Apache-2.0

internal import Cryptography
internal import Diagnostics
internal import Signatures

/// Kernel modules whose signature goes into a file beside them, as `sign-file -d` writes it: for builders that append it
/// later. A module that has a signature inside is refused, since the one beside it would not be over the file.
struct DetachedModuleFormat: ArtifactFormat {
    private let module = ModuleFormat()
    private let beside = DetachedCMS(name: "no module's signature") { content in
        let found = try? ModuleSignature(content.span)
        return found.map { [DetachedCMS.Signature(signer: $0.signer, encoded: content)] }
    }

    var kind: SigningKind { module.kind }
    var suffixes: [String] { module.suffixes }
    var detachedSuffix: String? { DetachedCMS.suffix }

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
        try module.facts(of: content)
    }
}
