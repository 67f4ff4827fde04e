// SPDX-License-Identifier: Apache-2.0

import Bytes
import TestSupport

@testable import Signatures

/// Changes OpenPGP data along its grammar: packets, their headers, the fields, areas, subpackets and numbers of
/// signatures, and now and then a bit anywhere.
struct PacketMutator {
    var random: SeededGenerator

    private struct Packet {
        var tag: UInt8
        var body: [UInt8]
        /// How the header is written: 0 and 1 old forms, 2 to 5 new ones, one of them with parts.
        var form = 0
    }

    mutating func changed(_ bytes: [UInt8]) -> [UInt8] {
        var packets: [Packet] = []
        var reader = ByteReader(bytes.span)
        while !reader.isAtEnd, let packet = try? OpenPGPPacket(reading: &reader) {
            packets.append(Packet(tag: packet.tag, body: packet.body))
        }
        for _ in 0..<pick(1, 1, 1, 2, 3) {
            switch Int.random(in: 0..<10, using: &random) {
            case 0: changeOrder(of: &packets)
            case 1: changeHeader(of: &packets)
            default:
                let signatures = packets.indices.filter { packets[$0].tag == PacketTag.signature }
                guard let place = signatures.randomElement(using: &random) else { break }
                packets[place].body = changedSignature(packets[place].body)
            }
        }
        var made = packets.flatMap(Self.encoded)
        if Int.random(in: 0..<12, using: &random) == 0, !made.isEmpty {
            made[Int.random(in: 0..<made.count, using: &random)] ^=
                1 << UInt8.random(in: 0...7, using: &random)
        }
        if Int.random(in: 0..<40, using: &random) == 0 { made.removeLast(min(made.count, pick(1, 2, 20))) }
        return made
    }

    private mutating func pick<Value>(_ values: Value...) -> Value {
        values[Int.random(in: 0..<values.count, using: &random)]
    }

    // MARK: Packets

    private mutating func changeOrder(of packets: inout [Packet]) {
        guard let place = packets.indices.randomElement(using: &random) else { return }
        let other = Int.random(in: 0..<packets.count, using: &random)
        switch Int.random(in: 0..<5, using: &random) {
        case 0: packets.remove(at: place)
        case 1: packets.insert(packets[place], at: other)
        case 2: packets.swapAt(place, other)
        case 3: packets.insert(Packet(tag: PacketTag.marker, body: Array("PGP".utf8)), at: other)
        default: packets.insert(Packet(tag: pick(PacketTag.trust, 11, 20, 60, 1), body: [1, 2]), at: other)
        }
    }

    private mutating func changeHeader(of packets: inout [Packet]) {
        guard let place = packets.indices.randomElement(using: &random) else { return }
        if Bool.random(using: &random) {
            packets[place].form = Int.random(in: 1..<6, using: &random)
        } else {
            packets[place].tag = pick(2, 6, 13, 14, 17, 10)
        }
    }

    private static func encoded(_ packet: Packet) -> [UInt8] {
        let (tag, body) = (packet.tag, packet.body)
        let four = SignatureFields.octets(UInt32(body.count))
        switch packet.form {
        case 1: return [0x80 | (tag & 15) << 2 | 2] + four + body
        case 2: return [0xc0 | tag, 0xff] + four + body
        case 3 where body.count < 192: return [0xc0 | tag, UInt8(body.count)] + body
        case 4 where 192..<8384 ~= body.count:
            return [0xc0 | tag, UInt8((body.count - 192) >> 8 + 192), UInt8((body.count - 192) & 0xff)] + body
        case 5 where body.count > 1:
            return [0xc0 | tag, 0xe0] + body.prefix(1) + [0xff]
                + SignatureFields.octets(UInt32(body.count - 1)) + body.dropFirst()
        default: return OpenPGPPacket(tag: tag & 15, body: body).encoded
        }
    }

    // MARK: Signatures

    private mutating func changedSignature(_ body: [UInt8]) -> [UInt8] {
        guard body.count > 8, body[0] == 4 else { return body }
        let hashedEnd = 6 + Int(body[4]) << 8 + Int(body[5])
        guard hashedEnd + 2 <= body.count else { return body }
        let unhashedEnd = hashedEnd + 2 + Int(body[hashedEnd]) << 8 + Int(body[hashedEnd + 1])
        guard unhashedEnd + 2 <= body.count else { return body }
        var front = Array(body[..<4])
        var areas = [Array(body[6..<hashedEnd]), Array(body[(hashedEnd + 2)..<unhashedEnd])]
        var end = Array(body[unhashedEnd...])
        switch Int.random(in: 0..<6, using: &random) {
        case 0:
            let place = Int.random(in: 0..<4, using: &random)
            front[place] = pick(0, 1, 3, 4, 5, 6, 8, 9, 10, 16, 19, 22, 24, 31, 32)
        case 1: end = changedNumbers(end)
        default: areas = changedAreas(areas)
        }
        let drift = Int.random(in: 0..<12, using: &random) == 0 ? pick(-1, 1) : 0
        var made = front
        for (number, area) in areas.enumerated() {
            let count = max(0, area.count + (number == 0 ? drift : 0))
            made += [UInt8(truncatingIfNeeded: count >> 8), UInt8(truncatingIfNeeded: count)] + area
        }
        return made + end
    }

    private mutating func changedAreas(_ areas: [[UInt8]]) -> [[UInt8]] {
        var lists = areas.map { (try? SignatureFields.subpackets(of: $0)) ?? [] }
        let from = Bool.random(using: &random) ? 0 : 1
        guard let place = lists[from].indices.randomElement(using: &random) else { return areas }
        switch Int.random(in: 0..<8, using: &random) {
        case 0: lists[from].remove(at: place)
        case 1: lists[from].append(lists[from][place])
        case 2: lists[1 - from].append(lists[from].remove(at: place))
        case 3: lists[1 - from].insert(lists[from][place], at: 0)
        case 4: lists[from][place].type ^= 0x80
        case 5: lists[from][place].body = Array(lists[from][place].body.dropLast())
        case 6:
            lists[from].append(
                (0, pick(2, 3, 9, 16, 20, 27, 32, 33, 0x80 | 99, 0x80 | 20), pick([], [0, 0, 0, 1], [1])))
        default: lists[from][place].body += [pick(0, 1, 0xff)]
        }
        return lists.map { list in
            var writer = ByteWriter()
            for packet in list {
                // A length may be longer than it has to be.
                if Int.random(in: 0..<15, using: &random) == 0 {
                    writer.write(
                        [0xff] + SignatureFields.octets(UInt32(packet.body.count + 1)) + [packet.type])
                    writer.write(packet.body)
                } else {
                    SignatureFields.write(packet.type, packet.body, to: &writer)
                }
            }
            return writer.bytes
        }
    }

    /// The two octets of the digest, and numbers.
    private mutating func changedNumbers(_ end: [UInt8]) -> [UInt8] {
        var end = end
        guard end.count > 5 else { return end }
        let bits = Int(end[2]) << 8 + Int(end[3])
        switch Int.random(in: 0..<6, using: &random) {
        case 0: end[0] ^= 1
        case 1: end[3] &+= 1
        case 2: end[3] &-= 1
        case 3:
            // A zero in front of the first number.
            end.insert(0, at: 4)
            end[2] = UInt8(truncatingIfNeeded: (bits + 8) >> 8)
            end[3] = UInt8(truncatingIfNeeded: bits + 8)
        case 4: end.append(0)
        default: end += [0, 1, 1]
        }
        return end
    }

    // MARK: Hints

    /// The same with unhashed areas as they are written here, and without damaged signatures. Nobody signs these areas,
    /// and others stumble over what is malformed there: sqv over any subpacket, GnuPG over a missing key id; and a
    /// damaged packet among good ones ends GnuPG's reading.
    static func withPlainHints(_ bytes: [UInt8]) -> [UInt8] {
        var made: [UInt8] = []
        var reader = ByteReader(bytes.span)
        while !reader.isAtEnd, var packet = try? OpenPGPPacket(reading: &reader) {
            if packet.tag == PacketTag.signature {
                guard (try? OpenPGPSignature(body: packet.body)) != nil else { continue }
                packet.body = withPlainHint(packet.body)
            }
            made += packet.encoded
        }
        return made
    }

    private static func withPlainHint(_ body: [UInt8]) -> [UInt8] {
        guard let signature = try? OpenPGPSignature(body: body), signature.version == 4,
            let issuer = signature.issuerKeyID
        else { return body }
        let end = 6 + signature.hashedArea.count
        let count = Int(body[end]) << 8 + Int(body[end + 1])
        var area = ByteWriter()
        SignatureFields.write(SignatureFields.Number.issuer, issuer, to: &area)
        let hints = (try? SignatureFields.subpackets(of: Array(body[(end + 2)..<(end + 2 + count)]))) ?? []
        // A back-signature proves itself wherever it stands.
        for hint in hints where hint.type & 0x7f == SignatureFields.Number.embedded {
            guard let back = try? OpenPGPSignature(body: hint.body), back.type == SignatureType.primaryBinding
            else { continue }
            SignatureFields.write(hint.type & 0x7f, withPlainHint(hint.body), to: &area)
        }
        return body[..<end] + [UInt8(area.count >> 8), UInt8(area.count & 0xff)] + area.bytes
            + body[(end + 2 + count)...]
    }
}
