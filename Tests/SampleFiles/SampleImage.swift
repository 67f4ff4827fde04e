// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// An EFI image as little as one can be: headers, sections of nothing, and what may be wrong or odd about them.
public struct SampleImage: Sendable {
    public struct Section: Sendable {
        public var name: String
        public var bytes: [UInt8]
        /// Bytes that belong to nothing before its data.
        public var gap: Int

        public init(_ name: String, _ bytes: [UInt8], gap: Int = 0) {
            self.name = name
            self.bytes = bytes
            self.gap = gap
        }
    }

    /// PE32+, or PE32.
    public var isWide = true
    public var subsystem: UInt16 = 10
    public var directories = 16
    public var sections: [Section] = [
        Section(".text", (0..<1024).map { UInt8(truncatingIfNeeded: $0 &* 5 &+ $0 >> 3) }),
        Section(".data", (0..<512).map { UInt8(truncatingIfNeeded: $0 &* 11) }),
    ]
    public var sbat: String? = SampleImage.generations
    /// The table of sections has them in the reverse order of their places.
    public var isReversed = false
    /// A section without bytes stands between the others.
    public var hasEmptySection = false
    /// Behind the last section.
    public var trailing: [UInt8] = []
    public var checksum: UInt32 = 0

    public static let generations = """
        sbat,1,SBAT Version,sbat,1,https://github.com/rhboot/shim/blob/main/SBAT.md
        sample,3,Sample Project,sample,1.2,https://example.com/

        """

    public init() {}

    /// Where the checksum stands.
    public static let checksumPlace = 0x80 + 24 + 64

    public var directoryPlace: Int { 0x80 + 24 + (isWide ? 112 : 96) + 32 }

    public var bytes: [UInt8] {
        var all = sections
        if let sbat {
            let text = Array(sbat.utf8)
            all.append(Section(".sbat", text + [UInt8](repeating: 0, count: (512 - text.count % 512) % 512)))
        }
        if hasEmptySection { all.insert(Section(".bss", []), at: 1) }
        let table = 0x80 + 24 + (isWide ? 112 : 96) + 8 * directories
        let headerCount = (table + 40 * all.count + 511) / 512 * 512
        var place = headerCount
        var rows: [[UInt8]] = []
        var data: [UInt8] = []
        for (index, section) in all.enumerated() {
            data += [UInt8](repeating: 0xee, count: section.gap)
            place += section.gap
            let loaded = section.name == ".sbat" ? sbat?.utf8.count ?? 0 : max(section.bytes.count, 16)
            var row = ByteWriter()
            row.write(Array(section.name.utf8) + [UInt8](repeating: 0, count: 8 - section.name.utf8.count))
            for value in [
                loaded, 0x1000 * (index + 1), section.bytes.count, section.bytes.isEmpty ? 0 : place, 0, 0, 0,
            ] {
                row.write(UInt32(value), .little)
            }
            row.write(UInt32(0x4000_0040), .little)
            rows.append(row.bytes)
            data += section.bytes
            place += section.bytes.count
        }
        var writer = ByteWriter()
        writer.write(Array("MZ".utf8) + [UInt8](repeating: 0, count: 58))
        writer.write(UInt32(0x80), .little)
        writer.write([UInt8](repeating: 0x90, count: 0x40))
        writer.write([0x50, 0x45, 0, 0])
        writer.write(UInt16(isWide ? 0x8664 : 0x14c), .little)
        writer.write(UInt16(all.count), .little)
        writer.write([UInt8](repeating: 0, count: 12))
        writer.write(UInt16((isWide ? 112 : 96) + 8 * directories), .little)
        writer.write(UInt16(isWide ? 0x22e : 0x30e), .little)
        writeOptional(to: &writer, headerCount, 0x1000 * (all.count + 1))
        for row in isReversed ? rows.reversed() : rows { writer.write(row) }
        writer.write([UInt8](repeating: 0, count: headerCount - writer.bytes.count))
        return writer.bytes + data + trailing
    }

    private func writeOptional(to writer: inout ByteWriter, _ headerCount: Int, _ imageCount: Int) {
        writer.write(UInt16(isWide ? 0x20b : 0x10b), .little)
        writer.write([2, 40])
        for value in [0x400, 0x200, 0, 0x1000, 0x1000] { writer.write(UInt32(value), .little) }
        if isWide {
            writer.write(UInt64(0x40_0000), .little)
        } else {
            writer.write(UInt32(0x2000), .little)
            writer.write(UInt32(0x40_0000), .little)
        }
        for value in [0x1000, 0x200] { writer.write(UInt32(value), .little) }
        writer.write([UInt8](repeating: 0, count: 16))
        writer.write(UInt32(imageCount), .little)
        writer.write(UInt32(headerCount), .little)
        writer.write(checksum, .little)
        writer.write(subsystem, .little)
        writer.write(UInt16(0), .little)
        writer.write([UInt8](repeating: 0, count: isWide ? 32 : 16))
        writer.write(UInt32(0), .little)
        writer.write(UInt32(directories), .little)
        writer.write([UInt8](repeating: 0, count: 8 * directories))
    }
}
