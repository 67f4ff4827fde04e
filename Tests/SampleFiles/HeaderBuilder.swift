// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// Writes a header of an RPM package, value by value. It shares no code with the room that reads them, and writes
/// wrong ones as well, when asked to.
public struct HeaderBuilder: Sendable {
    public struct Value: Sendable {
        public var tag: UInt32
        public var type: UInt32
        public var count: UInt32
        public var data: [UInt8]

        public init(tag: UInt32, type: UInt32, count: UInt32, data: [UInt8]) {
            self.tag = tag
            self.type = type
            self.count = count
            self.data = data
        }
    }

    public var region: UInt32
    public var values: [Value] = []

    /// 62 begins a signature header, 63 a main one.
    public init(region: UInt32) { self.region = region }

    public mutating func text(_ tag: UInt32, _ text: String) {
        values.append(Value(tag: tag, type: 6, count: 1, data: Array(text.utf8) + [0]))
    }

    public mutating func texts(_ tag: UInt32, _ texts: [String], type: UInt32 = 8) {
        var data: [UInt8] = []
        for text in texts { data += Array(text.utf8) + [0] }
        values.append(Value(tag: tag, type: type, count: UInt32(texts.count), data: data))
    }

    public mutating func numbers(_ tag: UInt32, _ numbers: [UInt64], width: Int = 4) {
        var data: [UInt8] = []
        for number in numbers {
            for index in 1...width {
                data.append(UInt8(truncatingIfNeeded: number >> UInt64(8 * (width - index))))
            }
        }
        let type: UInt32 = [1: 2, 2: 3, 4: 4, 8: 5][width] ?? 7
        values.append(Value(tag: tag, type: type, count: UInt32(numbers.count), data: data))
    }

    public mutating func binary(_ tag: UInt32, _ bytes: [UInt8]) {
        values.append(Value(tag: tag, type: 7, count: UInt32(bytes.count), data: bytes))
    }

    public mutating func remove(_ tag: UInt32) { values.removeAll { $0.tag == tag } }

    public var bytes: [UInt8] {
        var index = ByteWriter()
        var data: [UInt8] = []
        let number = UInt32(values.count + 1)
        for value in values {
            let alignment = [3: 2, 4: 4, 5: 8][value.type] ?? 1
            while !data.count.isMultiple(of: alignment) { data.append(0) }
            for field in [value.tag, value.type, UInt32(data.count), value.count] { index.write(field) }
            data += value.data
        }
        var header = ByteWriter()
        header.write([0x8e, 0xad, 0xe8, 0x01, 0, 0, 0, 0])
        header.write(number)
        header.write(UInt32(data.count + 16))
        for field in [region, 7, UInt32(data.count), 16] { header.write(field) }
        header.write(index.bytes)
        header.write(data)
        for field in [region, 7, UInt32(truncatingIfNeeded: -16 * Int(number)), 16] { header.write(field) }
        return header.bytes
    }
}
