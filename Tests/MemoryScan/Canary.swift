// SPDX-License-Identifier: Apache-2.0

/// A secret that stands in this process's memory only where somebody put it: here it is kept under a mask.
public struct Canary: Sendable {
    public let masked: [UInt8]

    public static let mask: UInt8 = 0xa5

    public init(masked: [UInt8]) { self.masked = masked }

    /// From hexadecimal digits, masked already, since arguments are memory too.
    public init(hex: String) {
        let digits = Array(hex.utf8).map { UInt8($0 < 0x3a ? $0 - 0x30 : $0 - 0x57) }
        masked = stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    /// Of a secret that lies open, which is masked while it is copied.
    public init(of secret: Span<UInt8>) { masked = secret.indices.map { secret[$0] ^ Self.mask } }

    /// The same bytes in the opposite order: numbers stand so in the machine, and otherwise in encodings.
    public var reversed: Canary { Canary(masked: masked.reversed()) }

    public func fill(_ output: inout OutputSpan<UInt8>) {
        for byte in masked { output.append(byte ^ Self.mask) }
    }

    /// The first eight bytes as they would stand in a register.
    public var word: UInt {
        var word: UInt = 0
        for byte in masked[..<8] { word = word << 8 | UInt(byte ^ Self.mask) }
        return word
    }
}
