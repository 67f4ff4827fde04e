// SPDX-License-Identifier: Apache-2.0

/// The checksum in an image's header: the ones' complement sum of all words, with zeros in its own place, and the length
/// of the file.
struct ImageChecksum {
    private var sum: UInt64 = 0
    private(set) var count = 0

    mutating func add(_ bytes: Span<UInt8>) {
        var place = 0
        // The second byte of a word whose first one came before.
        if count % 2 == 1, !bytes.isEmpty {
            sum &+= UInt64(bytes[0]) << 8
            place = 1
        }
        let words = (bytes.count - place) / 8
        // Words of 32 bits have the same sum once it is folded. The loads are inside of the bytes by the count above.
        unsafe bytes.withUnsafeBytes { raw in
            for _ in 0..<words {
                let word = unsafe UInt64(
                    littleEndian: raw.loadUnaligned(fromByteOffset: place, as: UInt64.self))
                sum &+= word & 0xffff_ffff
                sum &+= word >> 32
                place += 8
            }
        }
        while place < bytes.count {
            sum &+= UInt64(bytes[place])
            if place + 1 < bytes.count { sum &+= UInt64(bytes[place + 1]) << 8 }
            place += 2
        }
        count += bytes.count
    }

    var value: UInt32 {
        var folded = sum
        while folded >> 16 != 0 { folded = (folded & 0xffff) + folded >> 16 }
        return UInt32(truncatingIfNeeded: folded) &+ UInt32(truncatingIfNeeded: count)
    }
}
