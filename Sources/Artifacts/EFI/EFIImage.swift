// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Diagnostics

/// Where the parts of an EFI image (PE32 or PE32+) lie: what firmware hashes, and what a signature changes.
///
/// ```
/// image    = dos *OCTET coff optional *section *OCTET     ; sections and their data in any order
/// dos      = %s"MZ" 58OCTET place                         ; 4 bytes: where coff begins; all numbers little endian
/// coff     = %s"PE" 2%x00 machine count 12OCTET optionalCount flags     ; count: sections
/// optional = %x0B.01 / %x0B.02                            ; PE32 or PE32+; then, counted from here:
///            60: headerCount  64: checksum  68: subsystem  92 or 108: directoryCount
///            96 or 112: directories, 8 bytes each; the fifth is place and length of the certificate table
/// section  = 8OCTET virtualCount 4OCTET count place 16OCTET
/// ```
/// What is hashed is what firmware hashes: the headers without checksum and fifth directory, the sections in the order of
/// their places, and then what is left when as many bytes as were hashed are counted from the start. In a file with gaps
/// that is less, or other bytes, than what lies between the last section and the certificate table.
///
/// It refuses images that are not for EFI, or for a processor that has none, fewer than five directories or more than sixteen, sections that overlap or lie
/// outside, and a certificate table that is not the aligned end of the file.
package struct EFIImage: Hashable, Sendable {
    package struct Section: Hashable, Sendable {
        package var name: String
        package var range: Range<Int>
        /// How much of it is loaded.
        var loaded: Int
    }

    /// 4 bytes.
    package let checksum: Int
    /// The 8 bytes that say where the certificate table is.
    package let directory: Int
    /// What is hashed, in this order, without the padding of an unsigned image.
    package let regions: [Range<Int>]
    package let sections: [Section]
    package let table: Range<Int>?
    /// Where the certificate table begins, or would without padding.
    package let end: Int

    /// The headers have to be within so many bytes of the start.
    static let headLimit = 64 << 10
    /// More certificates are refused.
    static let tableLimit = 1 << 20
    private static let subsystems: ClosedRange<UInt16> = 10...13
    /// The processors of UEFI, and whether their images are PE32+.
    private static let machines: [UInt16: Bool] = [
        0x14c: false, 0x1c2: false, 0x200: true, 0x5032: false, 0x5064: true, 0x5128: true, 0x6232: false,
        0x6264: true, 0x8664: true, 0xaa64: true,
    ]

    /// Zeros that are hashed and written between an unsigned image and its certificate table.
    var padding: Int { table == nil ? (8 - end % 8) % 8 : 0 }

    // MARK: Reading

    /// Whether a file that begins so is an image for EFI.
    static func begins(_ head: Span<UInt8>) -> Bool {
        guard head.count >= 64, head[0] == 0x4d, head[1] == 0x5a, let start = try? Start(head) else {
            return false
        }
        return subsystems.contains(start.subsystem)
    }

    /// `head` is the start of a file with `size` bytes: all of it, or `headLimit` of it.
    package init(_ head: Span<UInt8>, size: Int) throws(ArtifactError) {
        let parsed: (start: Start, sections: [Section])
        do throws(BytesError) {
            let start = try Start(head)
            parsed = (start, try Self.sections(head, start))
        } catch {
            throw Self.malformed("its headers: \(error)")
        }
        guard Self.subsystems.contains(parsed.start.subsystem) else {
            throw ArtifactError(
                .artifactUnsupported,
                "not an EFI image: its subsystem is \(parsed.start.subsystem), not one of 10 to 13")
        }
        try self.init(parsed.start, parsed.sections, size)
    }

    private init(_ start: Start, _ sections: [Section], _ size: Int) throws(ArtifactError) {
        checksum = start.optional + 64
        directory = start.directories + 4 * 8
        self.sections = sections
        table = try Self.table(start, size)
        end = table?.lowerBound ?? size
        guard size <= Int(UInt32.max) - Self.tableLimit else {
            throw ArtifactError(.tooLarge, "an EFI image of \(size) bytes; places in it have 32 bits")
        }
        var regions = [
            0..<checksum, checksum + 4..<directory, directory + 8..<start.headerCount,
        ]
        var last = start.headerCount
        var hashed = start.headerCount
        for section in sections.map(\.range).filter({ !$0.isEmpty }).sorted(by: {
            $0.lowerBound < $1.lowerBound
        }) {
            guard section.lowerBound >= last else {
                throw Self.malformed("a section at \(section.lowerBound) overlaps what is before it")
            }
            regions.append(section)
            last = section.upperBound
            hashed += section.count
        }
        guard last <= end else {
            throw Self.malformed("headers or sections end at \(last), behind the end at \(end)")
        }
        if hashed < end { regions.append(hashed..<end) }
        self.regions = regions.filter { !$0.isEmpty }
    }

    private static func table(_ start: Start, _ size: Int) throws(ArtifactError) -> Range<Int>? {
        let (place, count) = (Int(start.tablePlace), Int(start.tableCount))
        if place == 0, count == 0 { return nil }
        guard place % 8 == 0, count % 8 == 0, count >= 8, count <= tableLimit, place >= start.headerCount
        else {
            throw malformed("a certificate table of \(count) bytes at \(place)")
        }
        guard place <= size, count == size - place else {
            throw malformed("the certificate table at \(place) does not end with the file")
        }
        return place..<size
    }

    private static func sections(_ head: Span<UInt8>, _ start: Start) throws(BytesError) -> [Section] {
        var reader = ByteReader(head.extracting(first: start.headerCount))
        try reader.seek(to: start.sections)
        var sections: [Section] = []
        for _ in 0..<start.sectionCount {
            let name = try reader.readArray(8).prefix { $0 != 0 }
            let virtual = try reader.readUInt32(.little)
            try reader.skip(4)
            let (count, place) = (try reader.readUInt32(.little), try reader.readUInt32(.little))
            try reader.skip(16)
            let (first, length) = (Int(place), Int(count))
            let range = length == 0 ? 0..<0 : first..<first + length
            sections.append(
                Section(
                    name: String(decoding: name, as: UTF8.self), range: range,
                    loaded: virtual == 0 ? length : min(Int(virtual), length)))
        }
        return sections
    }

    static func malformed(_ text: String) -> ArtifactError {
        ArtifactError(.artifactMalformed, "EFI image: \(text)")
    }

    /// What the headers say, and where they say it.
    private struct Start {
        var optional: Int
        var directories: Int
        var sections: Int
        var sectionCount: Int
        var headerCount: Int
        var subsystem: UInt16
        var tablePlace: UInt32
        var tableCount: UInt32

        init(_ head: Span<UInt8>) throws(BytesError) {
            var reader = ByteReader(head)
            guard try reader.readArray(2) == Array("MZ".utf8) else { throw BytesError(.notCanonical, at: 0) }
            try reader.seek(to: 60)
            let coff = Int(try reader.readUInt32(.little))
            guard coff % 2 == 0, coff >= 64 else { throw BytesError(.notCanonical, at: 60) }
            try reader.seek(to: coff)
            guard try reader.readArray(4) == [0x50, 0x45, 0, 0] else {
                throw BytesError(.notCanonical, at: coff)
            }
            let machine = try reader.readUInt16(.little)
            sectionCount = Int(try reader.readUInt16(.little))
            guard sectionCount > 0 else { throw BytesError(.notCanonical, at: coff + 6) }
            try reader.skip(12)
            let optionalCount = Int(try reader.readUInt16(.little))
            try reader.skip(2)
            optional = reader.offset
            let magic = try reader.readUInt16(.little)
            guard magic == 0x10b || magic == 0x20b else { throw BytesError(.notCanonical, at: optional) }
            let isWide = magic == 0x20b
            guard EFIImage.machines[machine] == isWide else { throw BytesError(.notCanonical, at: coff + 4) }
            try reader.seek(to: optional + 60)
            headerCount = Int(try reader.readUInt32(.little))
            try reader.skip(4)
            subsystem = try reader.readUInt16(.little)
            directories = optional + (isWide ? 112 : 96)
            try reader.seek(to: directories - 4)
            let count = Int(try reader.readUInt32(.little))
            guard 5...16 ~= count, optionalCount == directories - optional + 8 * count else {
                throw BytesError(.notCanonical, at: directories - 4)
            }
            try reader.seek(to: directories + 4 * 8)
            tablePlace = try reader.readUInt32(.little)
            tableCount = try reader.readUInt32(.little)
            sections = optional + optionalCount
            guard headerCount >= sections + 40 * sectionCount else {
                throw BytesError(.notCanonical, at: optional + 60)
            }
            guard headerCount <= head.count else { throw BytesError(.truncated, at: head.count) }
        }
    }
}
