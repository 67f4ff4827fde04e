// SPDX-License-Identifier: Apache-2.0

public import Cryptography
internal import Diagnostics
public import Signatures

/// What a client asks a signature for: enough of a file for the server to build the signed structure itself.
public struct Claim: Hashable, Sendable {
    public enum Content: Hashable, Sendable {
        /// An RPM's main header, a whole module, a whole small file.
        case bytes([UInt8])
        /// A large file that was hashed where it is; the server does not see it.
        case midstate(Midstate)
        /// What firmware computes of an EFI image, and what the image says of itself.
        case image(ImageClaim)
        /// The digest of a file that is signed in CMS; the server does not see it.
        case digest(Digest)
    }

    public let kind: SigningKind
    public let content: Content

    /// Bytes of a header or module.
    public static let contentLimit = 64 << 20
    /// Larger files of kind `generic` are claimed by a midstate: a message of the protocol holds a MiB.
    public static let genericContentLimit = 1 << 20

    public init(_ kind: SigningKind, _ content: Content) {
        self.kind = kind
        self.content = content
    }

    /// Judges the claim by the rules of its kind, as the server has to before anything is signed.
    public func facts() throws(ArtifactError) -> ClaimFacts {
        try ArtifactFormats.format(kind).facts(of: content)
    }
}

/// What is claimed of an EFI image.
public struct ImageClaim: Hashable, Sendable {
    /// Authenticode's digest.
    public var digest: Digest
    /// The `.sbat` section, as it is in the image; nil without one.
    public var sbat: [UInt8]?

    public init(digest: Digest, sbat: [UInt8]?) {
        self.digest = digest
        self.sbat = sbat
    }
}

/// What is known about the content of a claim that was judged.
public struct ClaimFacts: Hashable, Sendable {
    /// How many bytes are signed for, without the signature's own trailer; 0 where a digest alone is claimed.
    public var size: UInt64
    /// Whether the content was not seen: only a key that allows it may sign.
    public var isBlind = false
    /// Set whenever the content is the header of a package, whatever kind it was sent as.
    public var package: RPMPackage?
    public var payloadDigests: [Digest] = []
    public var module: ModuleFacts?
    /// As the client claims them of an EFI image.
    public var generations: ImageGenerations?

    init(size: UInt64) { self.size = size }

    /// Of content that was not seen.
    init(blind midstate: Midstate) throws(ArtifactError) {
        guard midstate.count >= UInt64(midstate.algorithm.blockCount) else {
            throw ArtifactError(.artifactMalformed, "a midstate of less than a block; send the content")
        }
        size = midstate.count
        isBlind = true
    }

    /// What the header of a package says.
    init(_ header: RPMHeader) {
        size = UInt64(header.bytes.count)
        package = header.package
        payloadDigests = header.payloadDigests
    }
}
