// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics

/// One of the two headers of an RPM package, parsed strictly.
///
/// ```
/// header  = %x8E.AD.E8.01 4%x00 number size *entry data   ; number of entries, bytes of data
/// entry   = tag type offset count                         ; 4 bytes each, as all numbers here, big endian
/// region  = the first entry: 62 or 63, binary, the place of the trailer, 16
/// trailer = 62 or 63, binary, -16 * number, 16            ; the last 16 bytes of the data
/// ```
/// What rpm would take in two ways, or not at all, is refused here: a region that does not cover every entry and all
/// of the data; tags twice or out of order; unknown types; values that overlap, leave gaps, do not end or lie outside;
/// and, in the main header, a known value of another type than rpm's. So what this says about a package is what rpm
/// reads in it, and the same values make the same bytes again.
public struct RPMHeader: Hashable, Sendable {
    public enum Region: Sendable {
        /// The one that holds signatures and digests.
        case signature
        /// The package's own, that is signed.
        case main
    }

    /// The whole header, from the magic number to the end of the data: what a signature of the main header covers.
    public let bytes: [UInt8]
    /// In the order of their tags, without the region.
    let entries: [RPMEntry]

    /// rpm's own limits are 65,535 entries and 256 MiB, and 64 MiB for the signature header; no header that comes
    /// near them is known.
    public static let sizeLimit = 64 << 20
    static let introCount = 16
    static let magic: [UInt8] = [0x8e, 0xad, 0xe8, 0x01, 0, 0, 0, 0]
    private static let entryLimit = 65_535
    /// Lower tags are regions.
    private static let lowestTag = 100

    /// Parses a whole header; nothing may follow it.
    public init(_ bytes: [UInt8], _ region: Region) throws(ArtifactError) {
        let count = try Self.count(announcedBy: bytes.span)
        guard bytes.count == count else {
            throw Self.malformed("the header is \(bytes.count) bytes, its start announces \(count)")
        }
        entries = try Self.entries(of: bytes.span, region)
        self.bytes = bytes
        if region == .main { try checkKnownValues() }
    }

    /// The length of the header that starts with these 16 bytes or more.
    static func count(announcedBy intro: Span<UInt8>) throws(ArtifactError) -> Int {
        guard intro.count >= introCount else { throw malformed("the header is cut off") }
        for index in magic.indices where intro[index] != magic[index] {
            throw malformed("a header starts with other bytes")
        }
        let numbers = (word(intro, at: 8), word(intro, at: 12))
        guard numbers.0 >= 1, numbers.0 <= entryLimit else {
            throw malformed("\(numbers.0) entries in a header")
        }
        let count = introCount + 16 * numbers.0 + numbers.1
        guard count <= sizeLimit else {
            throw ArtifactError(.tooLarge, "a header of \(count) bytes; the limit is \(sizeLimit)")
        }
        return count
    }

    /// Whether content begins as a header does, and so has to be judged as one whatever it is called.
    public static func begins(_ content: Span<UInt8>) -> Bool {
        guard content.count >= 4 else { return false }
        for index in 0..<4 where content[index] != magic[index] { return false }
        return true
    }

    // MARK: Values

    func entry(_ tag: RPMTag) -> RPMEntry? { entries.first { $0.tag == tag } }

    /// The first item of text.
    func text(_ tag: RPMTag) -> String? { texts(tag).first }

    /// All items of text.
    func texts(_ tag: RPMTag) -> [String] {
        guard let entry = entry(tag), entry.type.width == nil else { return [] }
        return bytes[entry.range].split(
            separator: 0, maxSplits: entry.count, omittingEmptySubsequences: false
        )
        .prefix(entry.count).map { String(decoding: $0, as: UTF8.self) }
    }

    func number(_ tag: RPMTag) -> UInt64? {
        guard let entry = entry(tag), entry.type == .int32 || entry.type == .int64,
            let width = entry.type.width
        else { return nil }
        return bytes[entry.range].prefix(width).reduce(0) { $0 << 8 | UInt64($1) }
    }

    func binary(_ tag: RPMTag) -> ArraySlice<UInt8>? {
        guard let entry = entry(tag), entry.type == .binary else { return nil }
        return bytes[entry.range]
    }

    // MARK: Parsing

    static func malformed(_ reason: String) -> ArtifactError {
        ArtifactError(.artifactMalformed, "RPM header: \(reason)")
    }

    /// The four bytes at `place`, which has been checked.
    private static func word(_ span: Span<UInt8>, at place: Int) -> Int {
        (0..<4).reduce(0) { $0 << 8 | Int(span[place + $1]) }
    }

    private static func entries(of bytes: Span<UInt8>, _ region: Region) throws(ArtifactError) -> [RPMEntry] {
        let number = word(bytes, at: 8)
        let dataStart = introCount + 16 * number
        let trailer = bytes.count - 16
        let tag = region == .main ? RPMTag.mainRegion : .signatureRegion
        guard trailer >= dataStart,
            words(bytes, at: introCount) == [tag.rawValue, 7, UInt32(trailer - dataStart), 16],
            words(bytes, at: trailer) == [tag.rawValue, 7, UInt32(truncatingIfNeeded: -16 * number), 16]
        else { throw malformed("the region does not cover every entry and all of the data") }
        var entries: [RPMEntry] = []
        entries.reserveCapacity(number - 1)
        var last = lowestTag - 1
        var end = dataStart
        for index in 1..<number {
            let place = introCount + 16 * index
            let fields = words(bytes, at: place)
            let (offset, count) = (Int(fields[2]), Int(fields[3]))
            // rpm reads the number with a sign.
            guard Int(fields[0]) > last, fields[0] <= Int32.max else {
                throw malformed("tag \(fields[0]) is twice there, out of order or out of range")
            }
            last = Int(fields[0])
            guard let type = RPMType(rawValue: fields[1]) else {
                throw malformed("tag \(last) has the unknown type \(fields[1])")
            }
            let start = dataStart + offset
            let gap = start - end
            guard offset.isMultiple(of: type.alignment), gap >= 0, gap < type.alignment,
                (end..<start).allSatisfy({ bytes[$0] == 0 })
            else { throw malformed("the value of tag \(last) does not follow the one before it") }
            guard count > 0, let length = length(of: bytes, type, count: count, from: start, to: trailer)
            else {
                throw malformed("the value of tag \(last) is empty or does not end in the header")
            }
            end = start + length
            entries.append(
                RPMEntry(tag: RPMTag(rawValue: fields[0]), type: type, count: count, range: start..<end))
        }
        guard end == trailer else { throw malformed("there are bytes behind the last value") }
        return entries
    }

    /// The four numbers of an entry, whose place has been checked.
    private static func words(_ span: Span<UInt8>, at place: Int) -> [UInt32] {
        (0..<4).map { UInt32(word(span, at: place + 4 * $0)) }
    }

    /// How many bytes a value takes; nil when it does not end before `end`.
    private static func length(
        of bytes: Span<UInt8>, _ type: RPMType, count: Int, from start: Int, to end: Int
    ) -> Int? {
        guard start < end else { return nil }
        if let width = type.width {
            // Neither factor has more than 32 bits.
            return count * width <= end - start ? count * width : nil
        }
        // An item takes a byte at least, so this ends soon enough.
        guard count <= end - start, type != .string || count == 1 else { return nil }
        var place = start
        for _ in 0..<count {
            while place < end, bytes[place] != 0 { place += 1 }
            guard place < end else { return nil }
            place += 1
        }
        return place - start
    }
}
