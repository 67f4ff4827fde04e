// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Diagnostics

/// A relocatable ELF file, as far as a kernel checks it before it looks at a module.
///
/// ```
/// header  = %x7F "ELF" class order %x01 9OCTET type machine version entry phoff shoff flags
///           ehsize phentsize phnum shentsize shnum shstrndx    ; numbers in the file's own order and width
/// section = name type flags addr offset size link info addralign entsize
/// ```
/// It refuses other types than relocatable, sections outside of the file, and a file without sections.
struct ELFObject: Sendable {
    var machine: UInt16
    /// Name and place of each section that has bytes in the file.
    private(set) var sections: [(name: String, range: Range<Int>)] = []

    static let magic: [UInt8] = [0x7f, 0x45, 0x4c, 0x46]
    private static let relocatable: UInt16 = 1

    /// Bytes that `begins` looks at.
    static let headCount = 52

    /// Whether a file that begins so is a relocatable ELF file.
    static func begins(_ start: Span<UInt8>) -> Bool {
        guard start.count >= headCount else { return false }
        for index in 0..<4 where start[index] != magic[index] { return false }
        guard 1...2 ~= start[4], 1...2 ~= start[5], start[6] == 1 else { return false }
        return start[start[5] == 1 ? 16 : 17] == 1 && start[start[5] == 1 ? 17 : 16] == 0
    }

    init(_ file: Span<UInt8>) throws(ArtifactError) {
        let parsed: (UInt16, [(String, Range<Int>)])
        do throws(BytesError) {
            parsed = try Self.parse(file)
        } catch {
            throw ArtifactError(.artifactMalformed, "kernel module: ELF header or sections: \(error)")
        }
        machine = parsed.0
        sections = parsed.1.map { (name: $0.0, range: $0.1) }
    }

    private static func parse(_ file: Span<UInt8>) throws(BytesError) -> (UInt16, [(String, Range<Int>)]) {
        var reader = ByteReader(file)
        guard try reader.readArray(4) == magic else { throw BytesError(.notCanonical, at: 0) }
        let wide = try reader.readUInt8()
        let little = try reader.readUInt8()
        let version = try reader.readUInt8()
        guard 1...2 ~= wide, 1...2 ~= little, version == 1 else { throw BytesError(.notCanonical, at: 4) }
        let order = little == 1 ? ByteOrder.little : .big
        try reader.skip(9)
        let type = try reader.readUInt16(order)
        let machine = try reader.readUInt16(order)
        guard type == relocatable, try reader.readUInt32(order) == 1 else {
            throw BytesError(.notCanonical, at: 16)
        }
        try reader.skip(wide == 2 ? 16 : 8)
        let table = wide == 2 ? try reader.readUInt64(order) : UInt64(try reader.readUInt32(order))
        try reader.skip(4)
        let headerCount = try reader.readUInt16(order)
        try reader.skip(4)
        let entryCount = Int(try reader.readUInt16(order))
        let number = Int(try reader.readUInt16(order))
        let names = Int(try reader.readUInt16(order))
        guard headerCount == (wide == 2 ? 64 : 52), entryCount == (wide == 2 ? 64 : 40), number > 0,
            names < number, let start = Int(exactly: table)
        else { throw BytesError(.notCanonical, at: reader.offset) }
        guard start <= file.count, number * entryCount <= file.count - start else {
            throw BytesError(.truncated, at: start)
        }
        var found: [(name: Int, range: Range<Int>)] = []
        for index in 0..<number {
            try reader.seek(to: start + index * entryCount)
            let name = Int(try reader.readUInt32(order))
            let type = try reader.readUInt32(order)
            try reader.skip(wide == 2 ? 16 : 8)
            let offset = wide == 2 ? try reader.readUInt64(order) : UInt64(try reader.readUInt32(order))
            let size = wide == 2 ? try reader.readUInt64(order) : UInt64(try reader.readUInt32(order))
            // A section of type 0 is none, and one of type 8 has no bytes in the file.
            if type == 0 || type == 8 {
                found.append((name: name, range: 0..<0))
                continue
            }
            guard offset <= UInt64(file.count), size <= UInt64(file.count) - offset else {
                throw BytesError(.truncated, at: start + index * entryCount)
            }
            found.append((name: name, range: Int(offset)..<Int(offset) + Int(size)))
        }
        let text = file.extracting(found[names].range)
        return (machine, found.map { (Self.word(in: text, at: $0.name), $0.range) })
    }

    /// The text at a place in a table of names; none where there is none, or a long one.
    private static func word(in table: Span<UInt8>, at start: Int) -> String {
        var bytes: [UInt8] = []
        var place = start
        while place < table.count, table[place] != 0, bytes.count < 64 {
            bytes.append(table[place])
            place += 1
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
