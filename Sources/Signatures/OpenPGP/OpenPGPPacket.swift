// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// A packet (RFC 4880, 4.2).
///
/// ```
/// packet = old / new
/// old    = %b10 tag(4 bits) sort(2 bits) length body     ; sort 0, 1, 2: a length of 1, 2, 4 octets
/// new    = %b11 tag(6 bits) nlength body
/// nlength = %x00-BF                                      ; itself
///         / %xC0-DF OCTET                                ; (first - 192) * 256 + second + 192
///         / %xFF 4OCTET
/// ```
/// Indeterminate and partial lengths are refused: they are for streams of data, not for keys and signatures. A length
/// need not be in its shortest form, since GnuPG writes two octets before short keys.
struct OpenPGPPacket: Hashable, Sendable {
    var tag: UInt8
    var body: [UInt8]

    static let largest = 1 << 20

    init(tag: UInt8, body: [UInt8]) {
        self.tag = tag
        self.body = body
    }

    /// Whether it is the packet that means nothing, and has these three letters and no others.
    var isMarker: Bool { tag == PacketTag.marker && body == Array("PGP".utf8) }

    init(reading reader: inout ByteReader) throws(BytesError) {
        let length: Int
        (tag, length) = try Self.readHeader(&reader)
        body = try reader.readArray(length, limit: Self.largest)
    }

    /// The tag and the length of the body, which comes next.
    static func readHeader(_ reader: inout ByteReader) throws(BytesError) -> (tag: UInt8, length: Int) {
        let start = reader.offset
        let first = try reader.readUInt8()
        guard first & 0x80 != 0 else { throw BytesError(.badCharacter, at: start) }
        let (tag, length): (UInt8, Int)
        if first & 0x40 != 0 {
            tag = first & 0x3f
            length = try Self.readNewLength(&reader)
        } else {
            tag = first >> 2 & 0x0f
            switch first & 3 {
            case 0: length = Int(try reader.readUInt8())
            case 1: length = Int(try reader.readUInt16())
            case 2: length = Int(try reader.readUInt32())
            default: throw BytesError(.notCanonical, at: start)
            }
        }
        guard tag != 0 else { throw BytesError(.badCharacter, at: start) }
        return (tag, length)
    }

    private static func readNewLength(_ reader: inout ByteReader) throws(BytesError) -> Int {
        let start = reader.offset
        let first = try reader.readUInt8()
        switch first {
        case 0..<192: return Int(first)
        case 192..<224: return (Int(first) - 192) << 8 + Int(try reader.readUInt8()) + 192
        case 255: return Int(try reader.readUInt32())
        default: throw BytesError(.notCanonical, at: start)
        }
    }

    /// The old form, which every reader takes; the tags that are written here are below 16.
    var encoded: [UInt8] {
        var writer = ByteWriter(reserving: body.count + 5)
        let first = 0x80 | (tag & 0x0f) << 2
        if let length = UInt8(exactly: body.count) {
            writer.write(first)
            writer.write(length)
        } else if let length = UInt16(exactly: body.count) {
            writer.write(first | 1)
            writer.write(length)
        } else {
            writer.write(first | 2)
            writer.write(UInt32(truncatingIfNeeded: body.count))
        }
        writer.write(body)
        return writer.bytes
    }
}
