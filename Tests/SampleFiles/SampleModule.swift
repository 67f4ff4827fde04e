// SPDX-License-Identifier: Apache-2.0

public import Bytes

/// A relocatable ELF file with a `.modinfo` section, as little as a kernel module can be.
public enum SampleModule {
    /// `payload` bytes of nothing stand in a section of their own.
    public static func bytes(
        name: String = "sample", kernel: String = "6.1.0 SMP", payload: Int = 1000, wide: Bool = true,
        _ order: ByteOrder = .little
    ) -> [UInt8] {
        let info = Array("license=GPL\0name=\(name)\0vermagic=\(kernel)\0".utf8)
        let names = Array("\0.text\0.modinfo\0.shstrtab\0".utf8)
        let sections: [(name: UInt32, type: UInt32, bytes: [UInt8])] = [
            (0, 0, []), (1, 1, (0..<payload).map { UInt8(truncatingIfNeeded: $0 &* 7) }), (7, 1, info),
            (16, 3, names),
        ]
        var data: [UInt8] = []
        let start = wide ? 64 : 52
        var places: [Int] = []
        for section in sections {
            places.append(start + data.count)
            data += section.bytes
        }
        var writer = ByteWriter()
        func word(_ value: Int) {
            if wide { writer.write(UInt64(value), order) } else { writer.write(UInt32(value), order) }
        }
        writer.write(
            [0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, order == .little ? 1 : 2, 1]
                + [UInt8](repeating: 0, count: 9))
        writer.write(UInt16(1), order)
        writer.write(UInt16(wide ? 62 : 40), order)
        writer.write(UInt32(1), order)
        word(0)
        word(0)
        word(start + data.count)
        writer.write(UInt32(0), order)
        for value in [start, 0, 0, wide ? 64 : 40, sections.count, sections.count - 1] {
            writer.write(UInt16(value), order)
        }
        writer.write(data)
        for (section, place) in zip(sections, places) {
            writer.write(section.name, order)
            writer.write(section.type, order)
            word(0)
            word(0)
            word(section.type == 0 ? 0 : place)
            word(section.bytes.count)
            writer.write(UInt32(0), order)
            writer.write(UInt32(0), order)
            word(1)
            word(0)
        }
        return writer.bytes
    }
}
