// SPDX-License-Identifier: Apache-2.0

internal import Cryptography
internal import Diagnostics
public import Signatures

/// One kind of file. A new kind is a type with these verbs and a row in `ArtifactFormats`.
protocol ArtifactFormat: Sendable {
    var kind: SigningKind { get }
    /// How the names of such files end.
    var suffixes: [String] { get }
    /// What the name of a detached signature has behind the file's; nil where signatures stand inside.
    var detachedSuffix: String? { get }

    /// Whether the content is of this kind, whatever the name. It reads no more than a part of the file.
    func recognises(_ start: [UInt8], of file: borrowing SourceFile) -> Bool

    /// How many bytes `read` will hold at most.
    func memory(toRead file: borrowing SourceFile) throws(ArtifactError) -> Int

    /// The kind that is claimed, where one sort of file can be claimed in two ways.
    func kind(of content: Claim.Content) -> SigningKind

    /// Checks the file and takes out of it what the server has to see. `digest` is for claims that are hashed here.
    func read(
        _ file: borrowing SourceFile, _ digest: DigestAlgorithm
    ) throws(ArtifactError) -> Claim.Content

    /// The signatures of the claim that are there already, as a server would send them.
    func signatures(in file: borrowing SourceFile) throws(ArtifactError) -> [[UInt8]]

    /// How the file changes when it gets the signature, in the place of one that the same key made. `replacing` drops what
    /// other keys have signed in a package, a module or an image; a file of signatures, or a text, keeps it.
    func embed(
        _ signature: [UInt8], in file: borrowing SourceFile, replacing: Bool
    ) throws(ArtifactError) -> Patch.Effect

    /// How the file changes when it loses all signatures; nil when it has none.
    func strip(_ file: borrowing SourceFile) throws(ArtifactError) -> Patch.Effect?

    /// Judges a claim of this kind.
    func facts(of content: Claim.Content) throws(ArtifactError) -> ClaimFacts
}

extension ArtifactFormat {
    var detachedSuffix: String? { nil }

    func memory(toRead file: borrowing SourceFile) throws(ArtifactError) -> Int {
        min(file.size, Claim.genericContentLimit)
    }

    func kind(of content: Claim.Content) -> SigningKind { kind }
}

/// How a signature is written, where a kind of file knows more than one way.
public enum SignatureForm: Hashable, Sendable {
    /// As most readers of the kind expect it.
    case usual
    /// In a file of its own: kernel modules, whose signature stands inside otherwise.
    case detached
    /// As OpenPGP packets without armor, in `FILE.sig`: plain files, which have `FILE.asc` otherwise.
    case binary

    /// All in which the signatures of one file can be.
    public static func all(of kind: SigningKind) -> [SignatureForm] {
        kind == .generic ? [.usual, .binary] : [.usual]
    }
}

/// All kinds that are signed. The order matters: the last one takes every file.
enum ArtifactFormats {
    static let all: [any ArtifactFormat] = [
        RPMFormat(), RPMFormat(isLegacy: true), ModuleFormat(), EFIFormat(), CMSFormat(), CleartextFormat(),
        GenericFormat(),
    ]

    static func format(_ kind: SigningKind) throws(ArtifactError) -> any ArtifactFormat {
        guard let format = all.first(where: { $0.kind == kind }) else {
            throw ArtifactError(.artifactUnsupported, "files of kind \(kind.rawValue) are not signed yet")
        }
        return format
    }

    /// Of a file that is recognised when no kind is named.
    static func format(
        of file: borrowing SourceFile, as kind: SigningKind?, form: SignatureForm
    ) throws(ArtifactError) -> any ArtifactFormat {
        let found: any ArtifactFormat = if let kind { try format(kind) } else { try format(of: file) }
        switch form {
        case .usual: return found
        case .binary:
            guard found.kind == .generic else {
                throw ArtifactError(
                    .artifactUnsupported,
                    "signatures of the kind \(found.kind.rawValue) are no OpenPGP signatures beside the file")
            }
            return GenericFormat(isArmored: false)
        case .detached:
            if found.detachedSuffix != nil { return found }
            guard found.kind == .module else {
                throw ArtifactError(
                    .artifactUnsupported,
                    "signatures of the kind \(found.kind.rawValue) stand inside of the file")
            }
            return DetachedModuleFormat()
        }
    }

    /// By content first and by name second: a file that is called like a package and is none is damaged, and is
    /// not signed as something else.
    static func format(of file: borrowing SourceFile) throws(ArtifactError) -> any ArtifactFormat {
        let start = try file.read(0..<min(file.size, 64))
        for format in all where format.recognises(start, of: file) { return format }
        for format in all where format.suffixes.contains(where: { file.name.hasSuffix($0) }) { return format }
        return GenericFormat()
    }
}
