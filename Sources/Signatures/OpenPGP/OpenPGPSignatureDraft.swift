// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import Cryptography
internal import Diagnostics

/// A signature over a document before it is made.
///
/// Its type is 0x00 or 0x01 whatever the caller brings, and the trailer that says so is hashed here, behind the
/// content: nothing that a client sends can become a certification or a binding of keys.
///
/// ```swift
/// let draft = try OpenPGPSignatureDraft(
///     content: file.span, digest: .sha256, signer: certificate.signer(for: key.publicKey, at: now), created: now)
/// let packet = try draft.signed(by: handle)
/// let text = OpenPGPArmor.signature.encode(packet)
/// ```
public struct OpenPGPSignatureDraft: SignatureDraft {
    /// What the signature is over.
    public enum Document: UInt8, CaseIterable, Sendable {
        /// The bytes as they are.
        case binary = 0x00
        /// Text whose lines end with CR LF.
        case text = 0x01
    }

    /// Seconds since 1970.
    public let created: Int64
    /// The digest of the content alone, for the record; of text with the line ends that are signed.
    public let contentDigest: Digest
    let packet: UnsignedPacket

    /// Over content at hand. The line ends of text are made CR LF while it is hashed.
    public init(
        _ document: Document = .binary, content: Span<UInt8>, digest: DigestAlgorithm, signer: OpenPGPSigner,
        created: Int64
    ) throws {
        let running: RunningDigest
        switch document {
        case .binary:
            var binary = RunningDigest(digest)
            binary.update(content)
            running = binary
        case .text:
            var text = CanonicalText(digest)
            try text.update(content)
            running = try text.finish()
        }
        try self.init(document, after: running, signer: signer, created: created)
    }

    /// Over what a running digest has taken; text has to have come through `CanonicalText`.
    public init(
        _ document: Document = .binary, after running: RunningDigest, signer: OpenPGPSigner, created: Int64
    ) throws {
        guard let seconds = UInt32(exactly: created), signer.isValid(at: created) else {
            throw SignaturesError(
                .draftRefused, "the time \(created) is outside of the validity of the OpenPGP key \(signer)")
        }
        self.created = created
        contentDigest = running.finish()
        packet = try UnsignedPacket(document.rawValue, signer.key, created: seconds, after: running)
    }

    /// Over what was hashed on another machine.
    public init(
        _ document: Document = .binary, resuming midstate: Midstate, signer: OpenPGPSigner, created: Int64
    ) throws {
        try self.init(
            document, after: RunningDigest(resuming: midstate), signer: signer, created: created)
    }

    public var scheme: SigningScheme { .openpgp }
    public var algorithm: SignatureAlgorithm { packet.algorithm }
    public var signerKey: PublicKey { packet.publicKey }

    /// The signature packet.
    public func signed(by handle: SigningHandle) throws -> [UInt8] {
        try check(handle)
        return OpenPGPPacket(tag: PacketTag.signature, body: try packet.signed(by: handle)).encoded
    }
}

/// A key or subkey of a certificate that may sign documents, and when.
public struct OpenPGPSigner: Sendable, CustomStringConvertible {
    public let key: OpenPGPKey
    /// Seconds since 1970; `nil` without end.
    public let expires: Int64?

    public func isValid(at time: Int64) -> Bool {
        key.created <= time && expires.map { time < $0 } ?? true
    }

    /// The fingerprint.
    public var description: String { Hex.encode(key.fingerprint, .upper) }
}
