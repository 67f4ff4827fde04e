// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// The packets of a certificate, each key or user id with the signatures that follow it: what a certificate is taken
/// apart into when its owner says something new.
struct OpenPGPSections {
    struct Section {
        /// The key, user id or attribute.
        let subject: OpenPGPPacket
        var signatures: [OpenPGPPacket] = []
        /// What the owner's statements about it are hashed over.
        let hashed: [UInt8]
        /// The types of these statements.
        let types: ClosedRange<UInt8>
        let revocationType: UInt8

        var packets: [OpenPGPPacket] { [subject] + signatures }
    }

    let primary: OpenPGPKey
    var sections: [Section] = []

    /// A certificate was read before, so that its packets are known to be in order.
    init(_ certificate: OpenPGPCertificate) throws {
        primary = certificate.primary.key
        var reader = ByteReader(certificate.encoded.span)
        while !reader.isAtEnd {
            let packet = try OpenPGPPacket(reading: &reader)
            switch packet.tag {
            case PacketTag.signature:
                guard let last = sections.indices.last else { continue }
                sections[last].signatures.append(packet)
            case PacketTag.publicKey:
                let type = SignatureType.directKey
                add(packet, primary.hashed, type...type, SignatureType.keyRevocation)
            case PacketTag.publicSubkey:
                let (key, type) = (try OpenPGPKey(body: packet.body), SignatureType.subkeyBinding)
                add(packet, primary.hashed + key.hashed, type...type, SignatureType.subkeyRevocation)
            case PacketTag.userID, PacketTag.userAttribute:
                let hashed = primary.hashed + packet.hashedAsUser
                add(packet, hashed, SignatureType.certifications, SignatureType.certificationRevocation)
            // What other programs note down about trust is theirs.
            default: continue
            }
        }
    }

    private mutating func add(
        _ packet: OpenPGPPacket, _ hashed: [UInt8], _ types: ClosedRange<UInt8>, _ revocationType: UInt8
    ) {
        sections.append(
            Section(subject: packet, hashed: hashed, types: types, revocationType: revocationType))
    }

    /// The signature when it is the owner's, of one of the types, and holds.
    func statement(
        _ packet: OpenPGPPacket, in section: Section, of types: ClosedRange<UInt8>
    ) throws -> OpenPGPSignature? {
        guard let signature = try? OpenPGPSignature(body: packet.body), types.contains(signature.type),
            signature.created != nil, signature.names(primary),
            try KeyBindings.holds(signature, over: section.hashed, by: primary)
        else { return nil }
        return signature
    }

    /// The certificate, read back strictly.
    func certificate() throws -> OpenPGPCertificate {
        let encoded = sections.flatMap { $0.packets.flatMap(\.encoded) }
        return try OpenPGPCertificate(encoded.span)
    }
}

extension OpenPGPPacket {
    /// What stands for a user id or attribute where it is signed.
    var hashedAsUser: [UInt8] {
        let mark: UInt8 = tag == PacketTag.userID ? 0xb4 : 0xd1
        return [mark] + SignatureFields.octets(UInt32(truncatingIfNeeded: body.count)) + body
    }
}
