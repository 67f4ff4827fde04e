// SPDX-License-Identifier: Apache-2.0

import Bytes
import Cryptography
import TestSupport
import Testing

@testable import Signatures

@Suite struct OpenPGPVerdictTests {
    static let content = Array("content".utf8)

    static func verdict(
        _ packet: [UInt8], _ certificate: OpenPGPCertificate, at time: Int64 = TestKeys.now
    ) throws -> SignatureVerdict.Refusal? {
        let signature = try OpenPGPSignature(packet.span)
        return try certificate.verdict(on: signature, content: content, at: time).refusal
    }

    /// A packet with anything in it, signed by the owner's key.
    static func packet(
        _ owner: TestOwner, type: UInt8 = 0, created: Int64 = TestKeys.now, extra: [UInt8] = [],
        key: OpenPGPKey? = nil, by handle: SigningHandle? = nil
    ) throws -> [UInt8] {
        var running = RunningDigest(.sha256)
        running.update(content)
        let unsigned = try UnsignedPacket(
            type, key ?? owner.signer().key, created: UInt32(created), after: running, extra: extra)
        let body = try unsigned.signed(by: handle ?? TestKeys.handle(owner.signingKey))
        return OpenPGPPacket(tag: PacketTag.signature, body: body).encoded
    }

    @Test func timesAndTypes() throws {
        let owner = try TestOwner(.ed25519, expires: TestKeys.now + 1000)
        let certificate = owner.certificate
        #expect(try Self.verdict(Self.packet(owner), certificate) == nil)
        #expect(try Self.verdict(Self.packet(owner, type: 2), certificate) == .wrongType)
        #expect(try Self.verdict(Self.packet(owner, type: 0x13), certificate) == .wrongType)
        let day: Int64 = 86_400
        #expect(try Self.verdict(Self.packet(owner, created: TestKeys.now + 61), certificate) == .fromFuture)
        #expect(try Self.verdict(Self.packet(owner, created: TestKeys.now + 60), certificate) == nil)
        #expect(
            try Self.verdict(Self.packet(owner, created: TestOwner.created - 1), certificate)
                == .outsideValidity)
        let late = try Self.packet(owner, created: TestKeys.now + 1000)
        #expect(try Self.verdict(late, certificate, at: TestKeys.now + day) == .outsideValidity)
        // A signature that was good when it was made stays good when the key ends.
        #expect(try Self.verdict(Self.packet(owner), certificate, at: TestKeys.now + day) == nil)
        // Its own end, a critical subpacket that nobody knows, and one that is not critical.
        let brief = try Self.packet(owner, extra: [5, 3, 0, 0, 0, 10])
        #expect(try Self.verdict(brief, certificate, at: TestKeys.now + 9) == nil)
        #expect(try Self.verdict(brief, certificate, at: TestKeys.now + 10) == .expired)
        #expect(try Self.verdict(Self.packet(owner, extra: [2, 0x80 | 99, 0]), certificate) == .unsupported)
        #expect(try Self.verdict(Self.packet(owner, extra: [2, 99, 0]), certificate) == nil)
    }

    @Test func signers() throws {
        let owner = try TestOwner(.rsa2048, subkey: .ed25519)
        let other = try TestOwner(.p256)
        #expect(try Self.verdict(Self.packet(owner), owner.certificate) == nil)
        #expect(try Self.verdict(Self.packet(owner), other.certificate) == .signerUnknown)
        // The primary of a certificate with a signing subkey does not sign documents.
        let byPrimary = try Self.packet(
            owner, key: owner.certificate.primary.key, by: TestKeys.handle(owner.primary))
        #expect(try Self.verdict(byPrimary, owner.certificate) == .notAllowed)
        // Somebody else's signature in the owner's name.
        let forged = try Self.packet(owner, by: TestKeys.handle(PrivateKey.generate(.ed25519)))
        #expect(try Self.verdict(forged, owner.certificate) == .mismatch)
    }

    /// A subkey that somebody took into his own certificate without the subkey's word.
    @Test func subkeysNeedTheirOwnWord() throws {
        let victim = try TestOwner(.ed25519)
        let thief = try TestOwner(.rsa2048)
        let (owner, stolen) = (thief.certificate.primary.key, victim.certificate.primary.key)
        func taken(extra: [UInt8]) throws -> OpenPGPCertificate {
            var running = RunningDigest(.sha256)
            running.update((owner.hashed + stolen.hashed))
            let binding = try UnsignedPacket(
                SignatureType.subkeyBinding, owner, created: UInt32(TestKeys.now), after: running,
                extra: [2, 27, 2] + extra
            ).signed(by: TestKeys.handle(.rsa2048))
            let packets = [
                OpenPGPPacket(tag: PacketTag.publicSubkey, body: stolen.body),
                OpenPGPPacket(tag: PacketTag.signature, body: binding),
            ]
            let bytes = thief.certificate.encoded + packets.flatMap(\.encoded)
            return try OpenPGPCertificate(bytes.span)
        }
        let bare = try taken(extra: [])
        #expect(bare.subkeys.map(\.isBound) == [true] && bare.subkeys.map(\.maySign) == [false])
        let packet = try victim.sign(Self.content, .sha256)
        #expect(try Self.verdict(packet, bare) == .notAllowed)
        // The thief's own signature in the place of the subkey's.
        var running = RunningDigest(.sha256)
        running.update((owner.hashed + stolen.hashed))
        let back = try UnsignedPacket(
            SignatureType.primaryBinding, stolen, created: UInt32(TestKeys.now), after: running
        ).signed(by: TestKeys.handle(PrivateKey.generate(.ed25519)))
        var extra = ByteWriter()
        SignatureFields.write(SignatureFields.Number.embedded, back, to: &extra)
        #expect(try taken(extra: extra.bytes).subkeys.map(\.maySign) == [false])
    }

    /// Revocations by the owner, soft and hard, and one that is not his.
    @Test(arguments: [
        (UInt8(2), Int64(0), SignatureVerdict.Refusal.revoked as SignatureVerdict.Refusal?),
        (0, 0, .revoked), (1, 100, nil), (3, 100, nil), (1, -100, .revoked), (3, 0, .revoked),
    ])
    func revocations(_ reason: UInt8, _ later: Int64, _ expected: SignatureVerdict.Refusal?) throws {
        let owner = try TestOwner(.ed25519)
        let key = owner.certificate.primary.key
        func revoked(by handle: SigningHandle) throws -> OpenPGPCertificate {
            var running = RunningDigest(.sha256)
            running.update(key.hashed.span)
            let body = try UnsignedPacket(
                SignatureType.keyRevocation, key, created: UInt32(TestKeys.now + later), after: running,
                extra: [2, 29, reason]
            ).signed(by: handle)
            let primary = OpenPGPPacket(tag: PacketTag.publicKey, body: key.body).encoded
            let rest = owner.certificate.encoded.dropFirst(primary.count)
            let bytes = primary + OpenPGPPacket(tag: PacketTag.signature, body: body).encoded + rest
            return try OpenPGPCertificate(bytes.span)
        }
        let packet = try owner.sign(Self.content, .sha256)
        #expect(try Self.verdict(packet, revoked(by: TestKeys.handle(.ed25519))) == expected)
        let stranger = try TestKeys.handle(PrivateKey.generate(.ed25519))
        #expect(try Self.verdict(packet, revoked(by: stranger)) == nil)
    }

    /// Packets of version 3, as rpm wrote them for long.
    @Test func version3IsRead() throws {
        let owner = try TestOwner(.rsa2048)
        let time = SignatureFields.octets(UInt32(TestKeys.now))
        var running = RunningDigest(.sha256)
        running.update((Self.content + [0] + time))
        let digest = running.finish()
        let raw = try TestKeys.handle(.rsa2048).sign(digest)
        var writer = ByteWriter()
        writer.write([3, 5, 0] + time + owner.certificate.keyID + [1, 8] + digest.bytes.prefix(2))
        MPI.write(raw, to: &writer)
        let packet = OpenPGPPacket(tag: PacketTag.signature, body: writer.bytes).encoded
        #expect(try Verifier.gpgv.accepts(packet, Self.content, owner.certificate))
        #expect(try Self.verdict(packet, owner.certificate) == nil)
        var changed = writer.bytes
        changed[6] ^= 1
        let other = OpenPGPPacket(tag: PacketTag.signature, body: changed).encoded
        #expect(try Self.verdict(other, owner.certificate) == .mismatch)
    }

    /// The owner's later word counts, also when his statement has an end of its own.
    @Test func laterStatementsCount() throws {
        let owner = try TestOwner(.ed25519)
        let key = owner.certificate.primary.key
        func stated(_ created: Int64, _ extra: [UInt8]) throws -> OpenPGPCertificate {
            var running = RunningDigest(.sha256)
            running.update(key.hashed)
            let body = try UnsignedPacket(
                SignatureType.directKey, key, created: UInt32(created), after: running, extra: extra
            ).signed(by: TestKeys.handle(.ed25519))
            let primary = OpenPGPPacket(tag: PacketTag.publicKey, body: key.body).encoded
            let rest = owner.certificate.encoded.dropFirst(primary.count)
            return try OpenPGPCertificate(
                primary + OpenPGPPacket(tag: PacketTag.signature, body: body).encoded + rest)
        }
        let lifetime: [UInt8] = [5, 9, 0, 0, 1, 0]
        #expect(try stated(TestKeys.now, lifetime).primary.expires == TestOwner.created + 256)
        #expect(try stated(TestKeys.now, [5, 3, 0, 0, 1, 0]).primary.expires == TestKeys.now + 256)
        #expect(try stated(TestOwner.created - 1, lifetime).primary.expires == nil)
        #expect(try stated(TestKeys.now, [2, 27, 1]).primary.maySign == false)
        #expect(try stated(TestKeys.now, [2, 0x80 | 99, 0]).primary.maySign)
    }

    /// Each statement of the owner costs time, so there may not be any number of them.
    @Test func endlessStatementsAreRefused() throws {
        let owner = try TestOwner(.ed25519)
        let encoded = owner.certificate.encoded
        var reader = ByteReader(encoded.span)
        var packets: [[UInt8]] = []
        while !reader.isAtEnd { packets.append(try OpenPGPPacket(reading: &reader).encoded) }
        let last = try #require(packets.last)
        let most = owner.certificate.encoded + [[UInt8]](repeating: last, count: 499).joined()
        #expect(try OpenPGPCertificate(most).primary.isBound)
        #expect(throws: SignaturesError.self) { try OpenPGPCertificate(most + last) }
    }

    /// No bit of a packet can change but those of the hint that old programs read.
    @Test func noChangedBitIsAccepted() throws {
        let owner = try TestOwner(.ed25519)
        let good = try owner.sign(Self.content, .sha256)
        for place in good.indices {
            for bit in 0..<8 {
                var bad = good
                bad[place] ^= 1 << UInt8(bit)
                guard let signature = try? OpenPGPSignature(bad) else { continue }
                let verdict = try owner.certificate.verdict(
                    on: signature, content: Self.content, at: TestKeys.now)
                if verdict.isValid {
                    #expect(OpenPGPCertificateTests.isHint(place, good), "byte \(place), bit \(bit)")
                }
            }
        }
    }
}
