// SPDX-License-Identifier: Apache-2.0

internal import Bytes

extension ELFObject {
    /// A kernel module's tables are far smaller.
    private static let largestTable = 1 << 20

    /// Whether an object file has a section of that name; of the file no more than its tables are read.
    static func has(section name: String, in file: borrowing SourceFile) -> Bool {
        guard let header = try? file.read(0..<min(file.size, 64)),
            let tables = try? Tables(header.span),
            let sections = try? file.read(tables.sections(before: file.size)),
            let names = try? file.read(tables.names(in: sections.span, before: file.size))
        else { return false }
        let wanted = Array(name.utf8) + [0]
        for index in 0..<tables.number {
            guard let start = try? tables.nameOffset(of: index, in: sections.span),
                start <= names.count, names[start...].starts(with: wanted)
            else { continue }
            return true
        }
        return false
    }

    /// Where the tables of a file are; the grammar stands at `ELFObject`.
    private struct Tables {
        let order: ByteOrder
        let isWide: Bool
        let start: UInt64
        let number: Int
        let nameIndex: Int

        init(_ header: Span<UInt8>) throws(BytesError) {
            var reader = ByteReader(header)
            try reader.skip(4)
            isWide = try reader.readUInt8() == 2
            order = try reader.readUInt8() == 1 ? .little : .big
            try reader.seek(to: isWide ? 40 : 32)
            start = isWide ? try reader.readUInt64(order) : UInt64(try reader.readUInt32(order))
            try reader.seek(to: isWide ? 60 : 48)
            number = Int(try reader.readUInt16(order))
            nameIndex = Int(try reader.readUInt16(order))
        }

        private var width: Int { isWide ? 64 : 40 }

        func sections(before end: Int) throws(BytesError) -> Range<Int> {
            try Self.range(start, UInt64(number * width), before: end)
        }

        func names(in sections: Span<UInt8>, before end: Int) throws(BytesError) -> Range<Int> {
            var reader = ByteReader(sections)
            try reader.seek(to: nameIndex * width + (isWide ? 24 : 16))
            let offset = isWide ? try reader.readUInt64(order) : UInt64(try reader.readUInt32(order))
            let size = isWide ? try reader.readUInt64(order) : UInt64(try reader.readUInt32(order))
            return try Self.range(offset, size, before: end)
        }

        func nameOffset(of index: Int, in sections: Span<UInt8>) throws(BytesError) -> Int {
            var reader = ByteReader(sections)
            try reader.seek(to: index * width)
            return Int(try reader.readUInt32(order))
        }

        private static func range(
            _ start: UInt64, _ count: UInt64, before end: Int
        ) throws(BytesError) -> Range<Int> {
            guard count <= UInt64(largestTable), start <= UInt64(end), count <= UInt64(end) - start else {
                throw BytesError(.truncated, at: 0)
            }
            return Int(start)..<Int(start) + Int(count)
        }
    }
}
