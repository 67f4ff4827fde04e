// SPDX-License-Identifier: Apache-2.0

/// What became of one signature: who made it, when, how, and why it does not hold, if so.
public struct SignatureVerdict: Hashable, Sendable {
    /// Why a signature does not hold.
    public enum Refusal: String, CaseIterable, Hashable, Sendable {
        /// Nobody who was given made it.
        case signerUnknown = "signer-unknown"
        /// It is not the signer's over this content.
        case mismatch
        /// Its digest, such as SHA-1, proves nothing any more.
        case weakDigest = "weak-digest"
        /// An algorithm or form that is not verified here.
        case unsupported
        /// It is over a key and not over a document, or has another form than this kind of artifact needs.
        case wrongType = "wrong-type"
        /// It does not say when it was made.
        case noTime = "no-time"
        /// It was made in the future.
        case fromFuture = "from-future"
        /// Its own time is over.
        case expired
        /// It was made before the key or after the key's end.
        case outsideValidity = "outside-validity"
        /// The key was revoked.
        case revoked
        /// The key may not sign documents, or its owner never said that it is his.
        case notAllowed = "not-allowed"
        /// It holds, and covers only a part of the file.
        case partial
        /// The signer is known, but the policy does not trust him with such a file.
        case notTrusted = "not-trusted"
    }

    public let refusal: Refusal?
    /// The signer's fingerprint in upper case where it is known, else what the signature says of him.
    public let signer: String
    /// Whose key it is: a user id or a subject, where a given certificate tells.
    public let name: String?
    /// What counts as one signer: the primary key's fingerprint where a subkey signed, else the signer.
    public let owner: String
    /// Seconds since 1970, where the signature tells.
    public let created: Int64?
    /// Such as `EdDSA with sha256`.
    public let algorithm: String

    public var isValid: Bool { refusal == nil }

    init(
        _ refusal: Refusal?, signer: String, name: String? = nil, owner: String? = nil, created: Int64?,
        algorithm: String
    ) {
        self.refusal = refusal
        self.signer = signer
        self.name = name
        self.owner = owner ?? signer
        self.created = created
        self.algorithm = algorithm
    }

    /// The same, refused for a reason that lies outside of it.
    public func refused(_ refusal: Refusal) -> SignatureVerdict {
        SignatureVerdict(
            refusal, signer: signer, name: name, owner: owner, created: created, algorithm: algorithm)
    }
}
