// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Cryptography
internal import Diagnostics

/// The serial number of a certificate: 16 bytes, positive and never shorter, with 126 random bits.
public struct SerialNumber: Hashable, Sendable, CustomStringConvertible {
    /// Big endian.
    public let bytes: [UInt8]

    /// From 16 random bytes.
    public init(entropy: [UInt8]) throws {
        guard entropy.count == 16, let first = entropy.first else {
            throw SignaturesError(
                .draftRefused, "a serial number is made from 16 bytes, not \(entropy.count)")
        }
        bytes = [first & 0x7f | 0x40] + entropy.dropFirst()
    }

    public static func random() throws -> SerialNumber { try SerialNumber(entropy: Random.bytes(16)) }

    /// In hexadecimal, as `openssl x509 -serial` prints it.
    public var description: String { Hex.encode(bytes, .upper) }
}
