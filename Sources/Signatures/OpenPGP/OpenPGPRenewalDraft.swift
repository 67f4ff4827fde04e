// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import Cryptography
internal import Diagnostics

/// A certificate with another end before its owner signs that: later, earlier or none.
///
/// The owner's statements that are in force are made anew with all that they say but the time and the end, and take the
/// place of the old ones: those about the primary key and its user ids, and the bindings of subkeys that have an end.
/// What was revoked, and what others signed, stays as it is. The subkeys need not sign: their own word has no end.
///
/// ```swift
/// let longer = try OpenPGPRenewalDraft(of: certificate, until: now + year, at: now).signed(by: handle)
/// ```
public struct OpenPGPRenewalDraft: Sendable {
    public let certificate: OpenPGPCertificate
    /// Seconds since 1970; `nil` for no end.
    public let expires: Int64?
    /// When it is said, in seconds since 1970; later than what was said before.
    public let time: Int64
    public let digest: DigestAlgorithm

    public init(
        of certificate: OpenPGPCertificate, until expires: Int64?, at time: Int64,
        digest: DigestAlgorithm = .sha512
    ) {
        self.certificate = certificate
        self.expires = expires
        self.time = time
        self.digest = digest
    }

    public func signed(by handle: SigningHandle) throws -> OpenPGPCertificate {
        let primary = certificate.primary
        try handle.checkOwns(primary.key.publicKey, "primary key", digest)
        guard primary.isBound, primary.revocation == nil else { throw refused("it is not bound, or revoked") }
        guard let seconds = UInt32(exactly: time), primary.key.created <= time,
            expires.map({ time < $0 }) ?? true
        else {
            throw refused("its end is not after the time of the statement, or that not after its beginning")
        }
        var parts = try OpenPGPSections(certificate)
        for index in parts.sections.indices {
            try renew(&parts.sections[index], of: parts, seconds, handle)
        }
        let made = try parts.certificate()
        let ends =
            [made.primary.expires]
            + zip(made.subkeys, certificate.subkeys).map { new, old in
                old.isBound && old.revocation == nil && old.expires != nil ? new.expires : expires
            }
        guard made.primary.isBound, ends.allSatisfy({ $0 == expires }), made.userIDs == certificate.userIDs,
            made.subkeys.map(\.maySign) == certificate.subkeys.map(\.maySign)
        else { throw SignaturesError(.signatureFault, "a renewed OpenPGP certificate does not hold") }
        return made
    }

    private func renew(
        _ section: inout OpenPGPSections.Section, of parts: OpenPGPSections, _ seconds: UInt32,
        _ handle: SigningHandle
    ) throws {
        var key = parts.primary
        if section.subject.tag == PacketTag.publicSubkey {
            key = try OpenPGPKey(body: section.subject.body)
            let known = certificate.subkeys.first { $0.key == key }
            guard let known, known.isBound, known.expires != nil else { return }
        }
        var (latest, others): (OpenPGPSignature?, [OpenPGPPacket]) = (nil, [])
        var revoked: Int64?
        for packet in section.signatures {
            if let statement = try parts.statement(packet, in: section, of: section.types) {
                let isNewer = latest.map { ($0.created ?? 0) <= (statement.created ?? 0) } ?? true
                if isNewer { latest = statement }
                continue
            }
            others.append(packet)
            let type = section.revocationType
            let revocation = try parts.statement(packet, in: section, of: type...type)
            if let revocation { revoked = max(revoked ?? 0, revocation.created ?? 0) }
        }
        guard let latest, let created = latest.created else { return }
        // A subkey's revocation is for good, and a user id can be taken up again.
        if let revoked, section.subject.tag == PacketTag.publicSubkey || revoked >= created { return }
        guard created < time else { throw refused("its owner's last statement is of \(created), not before") }
        var running = RunningDigest(digest)
        running.update(section.hashed.span)
        let packet = try UnsignedPacket(
            latest.type, parts.primary, created: seconds, after: running, extra: extra(of: latest, key))
        section.signatures =
            [OpenPGPPacket(tag: PacketTag.signature, body: try packet.signed(by: handle))] + others
    }

    /// What the old statement said, but for its time, its own end, the key's end and its issuer.
    private func extra(of statement: OpenPGPSignature, _ key: OpenPGPKey) throws -> [UInt8] {
        typealias Number = SignatureFields.Number
        let left: Set<UInt8> = [
            Number.created, Number.lifetime, Number.keyLifetime, Number.issuer, Number.issuerFingerprint,
            Number.embedded,
        ]
        var writer = ByteWriter()
        for packet in try SignatureFields.subpackets(of: statement.hashedArea)
        where !left.contains(packet.type & 0x7f) {
            SignatureFields.write(packet.type, packet.body, to: &writer)
        }
        if let expires {
            guard let end = UInt32(exactly: expires), let begin = UInt32(exactly: key.created), begin < end
            else {
                throw refused("it ends at \(expires), before it begins or too late")
            }
            SignatureFields.write(Number.keyLifetime, SignatureFields.octets(end - begin), to: &writer)
        }
        for body in statement.fields.embedded { SignatureFields.write(Number.embedded, body, to: &writer) }
        return writer.bytes
    }

    private func refused(_ reason: String) -> SignaturesError {
        SignaturesError(.draftRefused, "a new end of an OpenPGP certificate: \(reason)")
    }
}
