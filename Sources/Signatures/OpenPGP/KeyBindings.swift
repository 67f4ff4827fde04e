// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Cryptography
internal import Diagnostics

/// Walks over the packets of a certificate and finds out what its owner said.
///
/// Of several statements about one thing the latest counts.
struct KeyBindings {
    typealias Component = OpenPGPCertificate.Component
    typealias Revocation = OpenPGPCertificate.Revocation

    private(set) var primary: Component
    private(set) var subkeys: [Component] = []
    private(set) var userIDs: [String] = []

    /// What the signatures that come next are about.
    private enum Subject {
        case primary
        /// `hashed` is what stands for the user id or attribute where it is signed.
        case user(hashed: [UInt8], text: String?)
        case subkey
    }

    private var subject = Subject.primary
    /// When the statement was made that is in force.
    private var primaryStated: UInt32?
    private var subkeyStated: UInt32?
    private var userStated: UInt32?
    private var userRevoked: UInt32?

    static let mostPackets = 5_000
    /// Each statement of the owner costs a check of a signature.
    static let mostStatements = 500
    private var statements = 0
    private enum Flag {
        static let certify: UInt8 = 1
        static let sign: UInt8 = 2
    }

    init(_ packets: [OpenPGPPacket]) throws {
        guard let first = packets.first, packets.count <= Self.mostPackets else {
            throw BytesError(.overLimit, at: 0)
        }
        primary = Component(key: try OpenPGPKey(body: first.body))
        for packet in packets.dropFirst() { try take(packet) }
        closeUser()
    }

    private mutating func take(_ packet: OpenPGPPacket) throws {
        switch packet.tag {
        case PacketTag.userID, PacketTag.userAttribute:
            closeUser()
            guard subkeys.isEmpty else { throw OpenPGPCertificate.refused("a user id behind a subkey") }
            let text = packet.tag == PacketTag.userID ? String(validatingUTF8: packet.body.span) : nil
            subject = .user(hashed: packet.hashedAsUser, text: text)
        case PacketTag.publicSubkey:
            closeUser()
            subject = .subkey
            subkeyStated = nil
            subkeys.append(Component(key: try OpenPGPKey(body: packet.body)))
        case PacketTag.signature: try take(signature: packet.body)
        case PacketTag.trust: break
        case PacketTag.marker where packet.isMarker: break
        default: throw OpenPGPCertificate.refused("a packet with the tag \(packet.tag)")
        }
    }

    private mutating func closeUser() {
        if case .user(_, let text?) = subject, let stated = userStated,
            userRevoked.map({ $0 < stated }) ?? true
        {
            userIDs.append(text)
        }
        (userStated, userRevoked) = (nil, nil)
    }

    private mutating func take(signature body: [UInt8]) throws {
        // Somebody else's may be of any version or algorithm.
        guard let signature = try? OpenPGPSignature(body: body), isOwners(signature),
            let created = signature.fields.created
        else { return }
        statements += 1
        guard statements <= Self.mostStatements else {
            throw OpenPGPCertificate.refused("more than \(Self.mostStatements) signatures of its owner")
        }
        switch (subject, signature.type) {
        case (.primary, SignatureType.directKey):
            if try holds(signature, over: primary.key.hashed) { state(signature, created) }
        case (.primary, SignatureType.keyRevocation):
            if try holds(signature, over: primary.key.hashed) {
                primary.revocation = Self.merge(primary.revocation, signature, created)
            }
        case (.user(let hashed, _), SignatureType.certifications):
            guard try holds(signature, over: primary.key.hashed + hashed) else { return }
            userStated = max(userStated ?? 0, created)
            state(signature, created)
        case (.user(let hashed, _), SignatureType.certificationRevocation):
            guard try holds(signature, over: primary.key.hashed + hashed) else { return }
            userRevoked = max(userRevoked ?? 0, created)
        case (.subkey, _): try take(subkeySignature: signature, created)
        default: break
        }
    }

    private mutating func take(subkeySignature signature: OpenPGPSignature, _ created: UInt32) throws {
        guard var subkey = subkeys.last else { return }
        let both = primary.key.hashed + subkey.key.hashed
        switch signature.type {
        case SignatureType.subkeyBinding:
            guard try holds(signature, over: both), created >= subkeyStated ?? 0 else { return }
            subkeyStated = created
            subkey.isBound = true
            subkey.expires = Self.end(of: subkey.key, signature)
            let flags = signature.fields.keyFlags ?? 0
            // A subkey that signs has to say itself that it belongs to the primary.
            let hasBack = try hasBackSignature(signature, subkey.key, both)
            subkey.maySign = flags & Flag.sign != 0 && hasBack
            subkey.mayCertify = false
        case SignatureType.subkeyRevocation:
            guard try holds(signature, over: both) else { return }
            subkey.revocation = Self.merge(subkey.revocation, signature, created)
        default: return
        }
        subkeys[subkeys.count - 1] = subkey
    }

    /// Takes what a signature over the primary key or one of its user ids says about the primary.
    private mutating func state(_ signature: OpenPGPSignature, _ created: UInt32) {
        guard created >= primaryStated ?? 0 else { return }
        primaryStated = created
        primary.isBound = true
        primary.expires = Self.end(of: primary.key, signature)
        // Keys from before there were flags do everything.
        let flags = signature.fields.keyFlags ?? (Flag.certify | Flag.sign)
        primary.maySign = flags & Flag.sign != 0
        primary.mayCertify = flags & Flag.certify != 0
    }

    // MARK: Checks

    /// Whether it names the primary key as its issuer.
    private func isOwners(_ signature: OpenPGPSignature) -> Bool { signature.names(primary.key) }

    private func holds(_ signature: OpenPGPSignature, over bytes: [UInt8]) throws -> Bool {
        try Self.holds(signature, over: bytes, by: primary.key)
    }

    static func holds(
        _ signature: OpenPGPSignature, over bytes: [UInt8], by key: OpenPGPKey
    ) throws -> Bool {
        guard let digest = signature.digestAlgorithm, !digest.isWeak, signature.version == 4,
            signature.fields.unknownCritical == nil
        else { return false }
        var running = RunningDigest(digest)
        running.update(bytes.span)
        return try signature.isMade(by: key, after: running) ?? false
    }

    private func hasBackSignature(
        _ binding: OpenPGPSignature, _ subkey: OpenPGPKey, _ bytes: [UInt8]
    ) throws -> Bool {
        for body in binding.fields.embedded {
            guard let signature = try? OpenPGPSignature(body: body),
                signature.type == SignatureType.primaryBinding
            else { continue }
            if try Self.holds(signature, over: bytes, by: subkey) { return true }
        }
        return false
    }

    /// The key's end, or the statement's own where that comes first.
    private static func end(of key: OpenPGPKey, _ signature: OpenPGPSignature) -> Int64? {
        let lifetime = Int64(signature.fields.keyLifetime)
        let end = lifetime == 0 ? nil : key.created + lifetime
        return [end, signature.expires].compactMap { $0 }.min()
    }

    /// A hard revocation outweighs a soft one, and among soft ones the first counts.
    private static func merge(
        _ old: Revocation?, _ signature: OpenPGPSignature, _ created: UInt32
    ) -> Revocation {
        let reason = signature.fields.revocationReason
        let new = Revocation(created: Int64(created), isSoft: reason == 1 || reason == 3)
        guard let old else { return new }
        if old.isSoft != new.isSoft { return old.isSoft ? new : old }
        return old.created <= new.created ? old : new
    }
}
