// SPDX-License-Identifier: Apache-2.0

import Bytes
import Cryptography
import Testing

@testable import Signatures

@Suite struct OpenPGPFormTests {
    // MARK: Armor

    /// The checksum of RFC 4880 for known text, and a block without it.
    @Test func armorComesBack() throws {
        for count in [1, 2, 3, 47, 48, 49, 500] {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
            let text = OpenPGPArmor.signature.encode(bytes)
            #expect(try OpenPGPArmor.signature.decode(text.utf8Span.span) == [bytes])
            let loose = "before\n" + text.replacing("\n", with: " \r\n") + "after\n" + text
            #expect(try OpenPGPArmor.signature.decode(loose.utf8Span.span) == [bytes, bytes])
            #expect(throws: SignaturesError.self) { try OpenPGPArmor.publicKey.decode(text.utf8Span.span) }
        }
        #expect(OpenPGPArmor.checksum(Array("123456789".utf8)) == 0x21cf02)
    }

    /// Here `/` stands for a line feed, and BEGIN and END for the whole line.
    @Test(arguments: [
        ("wrong sum", "BEGIN//AAAA/=AAAA/END", false), ("no sum", "BEGIN//AAAA/END/", true),
        ("headers", "BEGIN/Version: x/Hash: y//AAAA/END/", true), ("no empty line", "BEGIN/AAAA/END/", false),
        ("no data", "BEGIN//END/", false), ("no end", "BEGIN//AAAA/", false),
        ("other end", "BEGIN//AAAA/-----END PGP MESSAGE-----/", false),
        ("bad base64", "BEGIN//AA*A/END/", false),
        ("bits left", "BEGIN//AAB=/END/", false),
        ("data behind the sum", "BEGIN//AAAA/=sdmX/AAAA/END/", false),
        ("nothing", "hello/", false), ("empty", "", false),
    ])
    func armor(_ name: String, _ short: String, _ isGood: Bool) {
        let text = short.replacing("BEGIN/", with: "-----BEGIN PGP SIGNATURE-----/")
            .replacing("/END", with: "/-----END PGP SIGNATURE-----")
            .replacing("/", with: "\n")
        let read = try? OpenPGPArmor.signature.decode(text.utf8Span.span)
        #expect((read != nil) == isGood, "\(name)")
    }

    // MARK: Packets

    @Test(
        arguments: [
            ("old, one octet", [0x88, 1, 7], [7]), ("old, two octets", [0x89, 0, 1, 7], [7]),
            ("old, four octets", [0x8a, 0, 0, 0, 1, 7], [7]), ("new, one octet", [0xc2, 1, 7], [7]),
            ("new, five octets", [0xc2, 0xff, 0, 0, 0, 1, 7], [7]), ("old, indeterminate", [0x8b, 7], nil),
            ("new, partial", [0xc2, 0xe0, 7], nil), ("no packet", [0x08, 1, 7], nil),
            ("tag 0", [0x80, 1, 7], nil),
            ("cut off", [0x88, 2, 7], nil), ("huge", [0x8a, 0xff, 0xff, 0xff, 0xff, 7], nil),
            ("empty", [], nil),
        ] as [(String, [UInt8], [UInt8]?)])
    func packets(_ name: String, _ bytes: [UInt8], _ body: [UInt8]?) {
        var reader = ByteReader(bytes.span)
        let packet = try? OpenPGPPacket(reading: &reader)
        #expect(packet?.body == body, "\(name)")
        #expect(packet.map { $0.tag == 2 } ?? true)
    }

    @Test func longPacketsComeBack() throws {
        for count in [0, 191, 192, 255, 256, 8_383, 8_384, 65_535, 65_536] {
            let packet = OpenPGPPacket(tag: 13, body: [UInt8](repeating: 5, count: count))
            let bytes = packet.encoded
            var reader = ByteReader(bytes.span)
            #expect(try OpenPGPPacket(reading: &reader) == packet)
        }
    }

    @Test(
        arguments: [
            ("zero", [0, 0], []), ("one", [0, 1, 1], [1]), ("255", [0, 8, 0xff], [0xff]),
            ("256", [0, 9, 1, 0], [1, 0]),
            ("zero in front", [0, 8, 0x7f], nil), ("one bit too few", [0, 7, 0xff], nil),
            ("zero octet", [0, 9, 0, 1], nil), ("cut off", [0, 9, 1], nil),
            ("longest", [0xff, 0xff, 1], nil),
        ] as [(String, [UInt8], [UInt8]?)])
    func numbers(_ name: String, _ bytes: [UInt8], _ number: [UInt8]?) {
        var reader = ByteReader(bytes.span)
        #expect((try? MPI.read(&reader)) == number, "\(name)")
        guard let number else { return }
        var writer = ByteWriter()
        MPI.write([0, 0] + number, to: &writer)
        #expect(writer.bytes == bytes)
    }

    /// Subpackets of each length come back.
    @Test func subpackets() throws {
        for count in [1, 100, 190, 191, 192, 300, 8_000] {
            let body = [UInt8](repeating: 1, count: count)
            var writer = ByteWriter()
            SignatureFields.write(SignatureFields.Number.embedded, body, to: &writer)
            #expect(try SignatureFields(hashed: writer.bytes, unhashed: []).embedded == [body])
        }
        let bad: [[UInt8]] = [
            [0], [2, 2], [4, 2, 0, 0], [5, 2, 0, 0, 0, 1, 5, 2, 0, 0, 0, 1], [3, 16, 1, 2], [3, 33, 4, 1],
            [255, 0],
        ]
        for area in bad {
            #expect(throws: BytesError.self) { try SignatureFields(hashed: area, unhashed: []) }
        }
        // What is not hashed gives hints at most.
        let loose = try SignatureFields(
            hashed: [], unhashed: [5, 2, 0, 0, 0, 1, 2, 27, 3, 5, 9, 0, 0, 0, 1, 2, 0x80 | 99, 1])
        #expect(loose == SignatureFields())
    }

    /// No prefix of a packet and nothing behind it is a signature.
    @Test func cutAndTrailing() throws {
        let packet = try TestOwner(.ed25519).sign([1, 2, 3], .sha256)
        for count in packet.indices {
            let cut = Array(packet[..<count])
            #expect(throws: SignaturesError.self) { try OpenPGPSignature(cut.span) }
        }
        let more = packet + [0]
        #expect(throws: SignaturesError.self) { try OpenPGPSignature(more.span) }
        let two = packet + packet
        #expect(try OpenPGPSignature.all(in: two.span).count == 2)
        #expect(throws: SignaturesError.self) { try OpenPGPSignature.all(in: two.span, limit: 1) }
    }
}
