// SPDX-License-Identifier: Apache-2.0

/// Bits, the first one in the highest bit of the first byte.
///
/// ```
/// contents = unused *OCTET   ; unused: 0 to 7, 0 without an octet; so many low bits of the last one are zero
/// ```
public struct BitString: Hashable, Sendable {
    public let bytes: [UInt8]
    public let unusedBits: Int

    /// `nil` unless the unused bits are there and zero.
    public init?(_ bytes: [UInt8], unusedBits: Int = 0) {
        guard 0...7 ~= unusedBits else { return nil }
        guard (bytes.last ?? 0) & (1 << UInt8(unusedBits) - 1) == 0, unusedBits == 0 || !bytes.isEmpty else {
            return nil
        }
        self.bytes = bytes
        self.unusedBits = unusedBits
    }

    /// The shortest string in which these bits are set.
    public init(named bits: [Int]) {
        let count = (bits.max() ?? -1) + 1
        var bytes = [UInt8](repeating: 0, count: (count + 7) / 8)
        for bit in bits { bytes[bit / 8] |= 0x80 >> UInt8(bit % 8) }
        self.bytes = bytes
        unusedBits = bytes.count * 8 - count
    }

    /// How many bits there are.
    public var count: Int { bytes.count * 8 - unusedBits }

    /// A bit beyond the end is not set.
    public subscript(bit: Int) -> Bool {
        0..<count ~= bit && bytes[bit / 8] & 0x80 >> UInt8(bit % 8) != 0
    }
}
