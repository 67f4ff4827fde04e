// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import Cryptography
internal import Diagnostics

/// The revocation of a certificate or of one of its subkeys before its owner signs it.
public struct OpenPGPRevocationDraft: Sendable {
    /// Why. After the second and the fourth, what was signed before still holds.
    public enum Reason: UInt8, CaseIterable, Sendable {
        case unspecified = 0
        case superseded = 1
        case compromised = 2
        case retired = 3
    }

    public let certificate: OpenPGPCertificate
    /// The subkey that is revoked; `nil` for the whole certificate.
    public var subkey: PublicKey?
    public var reason: Reason
    /// For people.
    public var comment: String
    /// Seconds since 1970.
    public var time: Int64
    public var digest: DigestAlgorithm

    public init(
        of certificate: OpenPGPCertificate, subkey: PublicKey? = nil, reason: Reason, comment: String = "",
        at time: Int64, digest: DigestAlgorithm = .sha512
    ) {
        self.certificate = certificate
        self.subkey = subkey
        self.reason = reason
        self.comment = comment
        self.time = time
        self.digest = digest
    }

    public func signed(by handle: SigningHandle) throws -> OpenPGPRevocation {
        let primary = certificate.primary.key
        try handle.checkOwns(primary.publicKey, "primary key", digest)
        let text = Array(comment.utf8)
        guard text.count <= 1024, !comment.unicodeScalars.contains(where: { $0.value < 0x20 }) else {
            throw refused("a comment has at most 1024 bytes and no control characters")
        }
        guard let seconds = UInt32(exactly: time), primary.created <= time else {
            throw refused("the time \(time) is before the key or does not fit")
        }
        var hashed = primary.hashed
        var type = SignatureType.keyRevocation
        if let subkey {
            guard let found = certificate.subkeys.first(where: { $0.key.publicKey == subkey }) else {
                throw refused("the certificate has no such subkey")
            }
            hashed += found.key.hashed
            type = SignatureType.subkeyRevocation
        }
        var running = RunningDigest(digest)
        running.update(hashed.span)
        var extra = ByteWriter()
        SignatureFields.write(SignatureFields.Number.revocationReason, [reason.rawValue] + text, to: &extra)
        let packet = try UnsignedPacket(type, primary, created: seconds, after: running, extra: extra.bytes)
        let body = try packet.signed(by: handle)
        return OpenPGPRevocation(
            encoded: OpenPGPPacket(tag: PacketTag.signature, body: body).encoded, type: type, hashed: hashed)
    }

    private func refused(_ reason: String) -> SignaturesError {
        SignaturesError(.draftRefused, "the revocation of an OpenPGP key: \(reason)")
    }
}

/// A revocation by the owner: kept in a safe place until it is needed, then put into the certificate and published.
public struct OpenPGPRevocation: Hashable, Sendable {
    /// The signature packet.
    public let encoded: [UInt8]
    let type: UInt8
    let hashed: [UInt8]

    /// The form that `gpg --import` takes.
    public var armored: String { OpenPGPArmor.publicKey.encode(encoded) }
}

extension OpenPGPCertificate {
    /// The certificate with the revocation in it, which has to be its owner's.
    public func revoked(by revocation: OpenPGPRevocation) throws -> OpenPGPCertificate {
        var parts = try OpenPGPSections(self)
        guard
            let index = parts.sections.firstIndex(where: {
                $0.hashed == revocation.hashed && $0.revocationType == revocation.type
            })
        else {
            throw SignaturesError(.draftRefused, "the revocation is of another OpenPGP certificate")
        }
        var reader = ByteReader(revocation.encoded.span)
        let packet = try OpenPGPPacket(reading: &reader)
        let type = revocation.type
        guard try parts.statement(packet, in: parts.sections[index], of: type...type) != nil else {
            throw SignaturesError(.draftRefused, "the revocation is not its owner's")
        }
        if !parts.sections[index].signatures.contains(packet) {
            // A primary's comes first, and a subkey's behind its binding, as readers expect.
            let place = index == 0 ? 0 : parts.sections[index].signatures.count
            parts.sections[index].signatures.insert(packet, at: place)
        }
        return try parts.certificate()
    }
}
