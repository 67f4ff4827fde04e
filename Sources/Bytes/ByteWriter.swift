// SPDX-License-Identifier: Apache-2.0

/// Writes the binary forms that `ByteReader` reads.
public struct ByteWriter: Sendable {
    public private(set) var bytes: [UInt8] = []

    public init(reserving capacity: Int = 0) {
        bytes.reserveCapacity(capacity)
    }

    public var count: Int { bytes.count }

    public mutating func write(_ value: UInt8) {
        bytes.append(value)
    }

    public mutating func write(_ value: UInt16, _ order: ByteOrder = .big) {
        write(UInt64(value), width: 2, order)
    }

    public mutating func write(_ value: UInt32, _ order: ByteOrder = .big) {
        write(UInt64(value), width: 4, order)
    }

    public mutating func write(_ value: UInt64, _ order: ByteOrder = .big) {
        write(value, width: 8, order)
    }

    public mutating func write(_ value: [UInt8]) {
        bytes.append(contentsOf: value)
    }

    public mutating func write(_ value: Span<UInt8>) {
        bytes.append(copying: value)
    }

    public mutating func write(utf8 text: String) {
        bytes.append(contentsOf: text.utf8)
    }

    /// An LEB128 integer in its shortest form.
    public mutating func writeVarint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    private mutating func write(_ value: UInt64, width: Int, _ order: ByteOrder) {
        for index in 0..<width {
            let place = order == .big ? width - 1 - index : index
            bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * place)))
        }
    }
}
