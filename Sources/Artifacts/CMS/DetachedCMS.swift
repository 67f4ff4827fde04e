// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import Signatures

/// A CMS signature in a file beside what it is over. Whatever else lies there is not to be touched.
struct DetachedCMS: Sendable {
    static let suffix = ".p7s"

    struct Signature: Sendable {
        let signer: SignerName
        /// As a server sends it.
        let encoded: [UInt8]
    }

    /// What a file that holds something else is, for errors: such as `no CMS signature`.
    let name: String
    /// The signatures of this sort in a file; nil where there is something else.
    let signatures: @Sendable ([UInt8]) -> [Signature]?
    /// What is there with one more signature, in the place of one by the same signer; nil where a file holds one alone.
    let joined: (@Sendable (_ present: [UInt8], _ new: [UInt8]) throws -> [UInt8])?

    init(
        name: String, signatures: @escaping @Sendable ([UInt8]) -> [Signature]?,
        joined: (@Sendable ([UInt8], [UInt8]) throws -> [UInt8])? = nil
    ) {
        self.name = name
        self.signatures = signatures
        self.joined = joined
    }

    func signatures(of file: borrowing SourceFile) throws(ArtifactError) -> [[UInt8]] {
        let content = try DetachedFile(of: file, Self.suffix)?.content
        return content.flatMap { signatures($0) }?.map(\.encoded) ?? []
    }

    func embed(
        _ signature: [UInt8], in file: borrowing SourceFile, replacing: Bool
    ) throws(ArtifactError) -> Patch.Effect {
        guard let present = try DetachedFile(of: file, Self.suffix) else {
            return .beside(suffix: Self.suffix, signature)
        }
        let (content, there) = try signatures(in: present)
        let new = signatures(signature)?.first?.signer
        guard !there.allSatisfy({ $0.signer == new }) else {
            return .beside(suffix: Self.suffix, signature, over: present.snapshot)
        }
        guard let joined else {
            guard replacing else {
                throw ArtifactError(.artifactSigned, "\(present.path) holds another key's signature")
            }
            return .beside(suffix: Self.suffix, signature, over: present.snapshot)
        }
        do {
            return .beside(suffix: Self.suffix, try joined(content, signature), over: present.snapshot)
        } catch {
            let coded = error as? any CodedError
            throw ArtifactError(.artifactSigned, "\(present.path): \(coded?.message ?? "\(error)")")
        }
    }

    func strip(_ file: borrowing SourceFile) throws(ArtifactError) -> Patch.Effect? {
        guard let present = try DetachedFile(of: file, Self.suffix) else { return nil }
        _ = try signatures(in: present)
        return .removed(suffix: Self.suffix, present.snapshot)
    }

    private func signatures(
        in present: DetachedFile
    ) throws(ArtifactError) -> (content: [UInt8], signatures: [Signature]) {
        guard let content = present.content, let found = signatures(content) else {
            throw ArtifactError(
                .artifactSigned, "\(present.path) is there and is \(name); move it away first")
        }
        return (content, found)
    }
}
