// SPDX-License-Identifier: Apache-2.0

public import Cryptography
internal import Diagnostics
public import Signatures

/// A file that was read to be signed: what kind it is, what is claimed about it and who has signed it already.
///
/// Nothing of the file stays open. `patch(embedding:)` looks at it again and refuses it when it is another one by then.
/// All that is done here reads and writes files, so it blocks.
public struct Artifact: Sendable {
    public let path: String
    public let claim: Claim
    /// The signatures of the same content that the file has, in the form in which a server sends them.
    public let signatures: [[UInt8]]
    let snapshot: FileSnapshot
    private let signatureFolder: String?
    private let form: SignatureForm

    public var kind: SigningKind { claim.kind }

    /// Reads a file in bounded memory, but for a kernel module, which is claimed whole. Without a kind the file is
    /// recognised. `digest` is for claims that are hashed here. Detached signatures are looked for, and will be written,
    /// in `folder`, or beside the file. `form` is how the signature is to be written.
    @available(*, noasync, message: "it reads a file")
    public init(
        reading path: String, as kind: SigningKind? = nil, digest: DigestAlgorithm = .sha256,
        signaturesIn folder: String? = nil, form: SignatureForm = .usual
    ) throws(ArtifactError) {
        let file = try SourceFile(path, signaturesIn: folder)
        do throws(ArtifactError) {
            let format = try ArtifactFormats.format(of: file, as: kind, form: form)
            let content = try format.read(file, digest)
            claim = Claim(format.kind(of: content), content)
            signatures =
                claim.kind == format.kind
                ? try format.signatures(in: file)
                : try ArtifactFormats.format(claim.kind).signatures(in: file)
            try file.checkUnchanged(since: file.snapshot)
            self.path = path
            snapshot = file.snapshot
            signatureFolder = folder
            self.form = form
        } catch {
            throw error.of(path)
        }
    }

    /// The content as a signature over text hashes it, read again in bounded memory; nil when it is no text, since a
    /// carriage return stands in it alone. A file that is another one by now is refused.
    @available(*, noasync, message: "it reads a file")
    public func textDigest(_ digest: DigestAlgorithm) throws(ArtifactError) -> RunningDigest? {
        let file = try SourceFile(path)
        try file.checkUnchanged(since: snapshot)
        var text: CanonicalText? = CanonicalText(digest)
        try file.forEachChunk(of: 0..<file.size) { bytes throws(ArtifactError) in
            do throws(SignaturesError) { try text?.update(bytes) } catch { text = nil }
        }
        try file.checkUnchanged(since: snapshot)
        return try? text?.finish()
    }

    /// What the file is, by its content and name.
    @available(*, noasync, message: "it reads a file")
    public static func kind(of path: String) throws(ArtifactError) -> SigningKind {
        try ArtifactFormats.format(of: SourceFile(path)).kind
    }

    /// What can be told of a file before it is read: its kind, unless one is named, how many bytes reading it will hold
    /// at most, its path behind all links, and what a detached signature's name has behind its name.
    @available(*, noasync, message: "it reads a file")
    public static func survey(
        of path: String, as kind: SigningKind? = nil, form: SignatureForm = .usual
    ) throws(ArtifactError) -> (kind: SigningKind, memory: Int, place: String, detachedSuffix: String?) {
        let file = try SourceFile(path)
        do throws(ArtifactError) {
            let format = try ArtifactFormats.format(of: file, as: kind, form: form)
            return (
                format.kind, try format.memory(toRead: file), file.place, format.detachedSuffix
            )
        } catch {
            throw error.of(path)
        }
    }

    /// The signatures that a file has now, without a look at what they sign: to see that one was written.
    @available(*, noasync, message: "it reads a file")
    public static func signatures(
        of path: String, as kind: SigningKind, in folder: String? = nil, form: SignatureForm = .usual
    ) throws(ArtifactError) -> [[UInt8]] {
        let file = try SourceFile(path, signaturesIn: folder)
        do throws(ArtifactError) {
            return try ArtifactFormats.format(of: file, as: kind, form: form).signatures(in: file)
        } catch {
            throw error.of(path)
        }
    }

    /// Of a kernel module the last signature, which is the one that a kernel looks at, and all that stands before it,
    /// earlier signatures among them; nil without a signature.
    @available(*, noasync, message: "it reads a file")
    public static func outermostSignature(
        ofModule path: String
    ) throws(ArtifactError) -> (content: [UInt8], signature: [UInt8])? {
        let file = try SourceFile(path)
        do throws(ArtifactError) {
            return try ModuleFormat().outermostSignature(in: file)
        } catch {
            throw error.of(path)
        }
    }

    /// How the file gets the signature. A signature that the same key made before gives way; one of another key in
    /// its place only when `replacing`, which drops all others.
    @available(*, noasync, message: "it reads a file")
    public func patch(embedding signature: [UInt8], replacing: Bool = false) throws(ArtifactError) -> Patch {
        let file = try SourceFile(path, signaturesIn: signatureFolder)
        try file.checkUnchanged(since: snapshot)
        do throws(ArtifactError) {
            let format = try ArtifactFormats.format(of: file, as: kind, form: form)
            return Patch(file, try format.embed(signature, in: file, replacing: replacing))
        } catch {
            throw error.of(path)
        }
    }

    /// What the name of a signature header has behind the package's, see `patch(embeddingElsewhere:)`.
    public static let headerSuffix = ".sighdr"

    /// The signature header that a package would get, as a file of its own in `folder`: all that a build system has to
    /// keep of a signed package. The package stays as it is.
    @available(*, noasync, message: "it reads a file")
    public func patch(
        embeddingElsewhere signature: [UInt8], in folder: String, replacing: Bool = false
    ) throws(ArtifactError) -> Patch {
        let file = try SourceFile(path, signaturesIn: folder)
        try file.checkUnchanged(since: snapshot)
        do throws(ArtifactError) {
            let format = try ArtifactFormats.format(kind)
            guard let packages = format as? RPMFormat else {
                throw ArtifactError(
                    .artifactUnsupported, "a file of kind \(kind.rawValue) has no header for signatures alone"
                )
            }
            return Patch(
                file,
                try packages.embed(elsewhere: signature, Self.headerSuffix, of: file, replacing: replacing))
        } catch {
            throw error.of(path)
        }
    }

    /// Whether a file has any signature, whoever made it.
    @available(*, noasync, message: "it reads a file")
    public static func isSigned(
        _ path: String, as kind: SigningKind, in folder: String? = nil, form: SignatureForm = .usual
    ) throws(ArtifactError) -> Bool {
        try patch(stripping: path, as: kind, signaturesIn: folder, form: form) != nil
    }

    /// How a file loses its signatures; nil when it has none.
    @available(*, noasync, message: "it reads a file")
    public static func patch(
        stripping path: String, as kind: SigningKind? = nil, signaturesIn folder: String? = nil,
        form: SignatureForm = .usual
    ) throws(ArtifactError) -> Patch? {
        let file = try SourceFile(path, signaturesIn: folder)
        do throws(ArtifactError) {
            let format = try ArtifactFormats.format(of: file, as: kind, form: form)
            guard let effect = try format.strip(file) else { return nil }
            return Patch(file, effect)
        } catch {
            throw error.of(path)
        }
    }
}
