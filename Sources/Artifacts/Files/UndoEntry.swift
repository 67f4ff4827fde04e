// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Cryptography

/// All that is needed to take a change of some bytes of a file back when it broke off half way.
///
/// ```
/// journal = %s"signet undo 1" %x0A length *entry digest   ; what stands behind it is of an earlier batch
/// length  = 4OCTET                                        ; of the entries; numbers are big endian
/// digest  = 32OCTET                                       ; SHA-256 of all before it
/// entry   = name size 4time number *segment
/// name    = OCTET 1*255OCTET                              ; of a file in the journal's own folder
/// time    = 8OCTET                                        ; seconds and nanoseconds of reading and of writing
/// segment = place count old new                           ; 8 and 4 bytes, then twice as many as count says
/// ```
/// A journal that does not follow this was never whole, so nothing that it speaks of was begun.
package struct UndoEntry: Hashable, Sendable {
    package struct Segment: Hashable, Sendable {
        package var place: Int
        package var old: [UInt8]
        package var new: [UInt8]
    }

    package var name: String
    package var size: Int
    /// Seconds and nanoseconds of the last reading and the last writing.
    var times: [Int]
    package var segments: [Segment]

    /// A change of more bytes is not made in place.
    static let largest = 64 << 10
    package static let batchLimit = 1 << 20
    private static let magic = Array("signet undo 1\n".utf8)

    /// Only what differs; bytes that differ a little apart are one segment.
    static func segments(at place: Int, old: [UInt8], new: [UInt8]) -> [Segment] {
        var segments: [Segment] = []
        var start: Int?
        var end = 0
        func close() {
            guard let from = start else { return }
            segments.append(
                Segment(place: place + from, old: Array(old[from..<end]), new: Array(new[from..<end])))
            start = nil
        }
        for index in 0..<min(old.count, new.count) where old[index] != new[index] {
            if start != nil, index - end > 64 { close() }
            if start == nil { start = index }
            end = index + 1
        }
        close()
        return segments
    }

    // MARK: Encoding

    package var encoded: [UInt8] {
        var writer = ByteWriter()
        writer.write(UInt8(truncatingIfNeeded: name.utf8.count))
        writer.write(Array(name.utf8))
        for number in [size] + times { writer.write(UInt64(bitPattern: Int64(number))) }
        writer.write(UInt8(truncatingIfNeeded: segments.count))
        for segment in segments {
            writer.write(UInt64(segment.place))
            writer.write(UInt32(segment.old.count))
            writer.write(segment.old)
            writer.write(segment.new)
        }
        return writer.bytes
    }

    package static func journal(of entries: [[UInt8]]) -> [UInt8] {
        var writer = ByteWriter()
        writer.write(magic)
        writer.write(UInt32(entries.reduce(0) { $0 + $1.count }))
        for entry in entries { writer.write(entry) }
        let digest = Digest(hashing: writer.bytes.span, with: .sha256)
        writer.write(digest.bytes)
        return writer.bytes
    }

    /// The entries of a journal; nil when it is not whole.
    package static func entries(of journal: [UInt8]) -> [UndoEntry]? {
        try? decode(journal.span)
    }

    private static func decode(_ journal: Span<UInt8>) throws(BytesError) -> [UndoEntry] {
        var reader = ByteReader(journal)
        guard try reader.readArray(magic.count) == magic else { throw BytesError(.badCharacter, at: 0) }
        let length = Int(try reader.readUInt32())
        guard length <= batchLimit else { throw BytesError(.badLength, at: magic.count) }
        let end = reader.offset + length
        guard end <= journal.count else { throw BytesError(.truncated, at: journal.count) }
        let digest = Digest(hashing: journal.extracting(first: end), with: .sha256)
        var entries: [UndoEntry] = []
        while reader.offset < end { entries.append(try UndoEntry(&reader)) }
        guard reader.offset == end, try reader.readArray(32) == digest.bytes else {
            throw BytesError(.notCanonical, at: end)
        }
        return entries
    }

    private init(_ reader: inout ByteReader) throws(BytesError) {
        let count = Int(try reader.readUInt8())
        let start = reader.offset
        let bytes = try reader.readArray(count)
        name = String(decoding: bytes, as: UTF8.self)
        guard count > 0, !bytes.contains(0x2f), !bytes.contains(0), name != ".", name != "..",
            name.utf8.elementsEqual(bytes)
        else { throw BytesError(.badCharacter, at: start) }
        size = try Self.number(&reader)
        times = []
        for _ in 0..<4 { times.append(Int(Int64(bitPattern: try reader.readUInt64()))) }
        segments = []
        for _ in 0..<(try reader.readUInt8()) {
            let place = try Self.number(&reader)
            let count = Int(try reader.readUInt32())
            guard count <= size, place <= size - count else {
                throw BytesError(.badLength, at: reader.offset)
            }
            segments.append(
                Segment(place: place, old: try reader.readArray(count), new: try reader.readArray(count)))
        }
    }

    private static func number(_ reader: inout ByteReader) throws(BytesError) -> Int {
        guard let number = Int(exactly: try reader.readUInt64()) else {
            throw BytesError(.badLength, at: reader.offset)
        }
        return number
    }

    init(name: String, size: Int, times: [Int], segments: [Segment]) {
        self.name = name
        self.size = size
        self.times = times
        self.segments = segments
    }
}
