// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Diagnostics

/// The two numbers of an ECDSA signature, and the forms in which they travel.
///
/// ```
/// der     = %x30 length integer integer     ; as X.509 and CMS have it
/// integer = %x02 length 1*OCTET             ; positive, big endian, without a needless zero in front
/// raw     = r s                             ; both as wide as the curve's field, as JOSE has it
/// ```
/// On P-256 and P-384 every length is one byte below 128. One signature has one encoding in each form.
public struct ECDSASignature: Hashable, Sendable {
    /// Big endian, as wide as the curve's field.
    public let r: [UInt8]
    public let s: [UInt8]

    /// Reads the DER form.
    public init(der: Span<UInt8>, for key: KeyAlgorithm) throws(CryptographyError) {
        let width = try Self.width(key)
        do throws(BytesError) {
            var reader = ByteReader(der)
            guard try reader.readUInt8() == 0x30 else { throw BytesError(.badCharacter, at: 0) }
            guard try Int(reader.readUInt8()) == reader.remaining else { throw BytesError(.badLength, at: 1) }
            r = try Self.readInteger(&reader, width)
            s = try Self.readInteger(&reader, width)
            try reader.expectEnd()
        } catch {
            throw CryptographyError(.badSignatureEncoding, "ECDSA signature: \(error)")
        }
    }

    /// Reads the two numbers side by side.
    public init(raw: Span<UInt8>, for key: KeyAlgorithm) throws(CryptographyError) {
        let width = try Self.width(key)
        guard raw.count == 2 * width else {
            throw .wrongLength("a raw ECDSA signature", raw.count, expected: "\(2 * width)")
        }
        r = Array(copying: raw.extracting(..<width))
        s = Array(copying: raw.extracting(width...))
    }

    public var raw: [UInt8] { r + s }

    public var der: [UInt8] {
        let numbers = Self.integer(r) + Self.integer(s)
        return [0x30, UInt8(truncatingIfNeeded: numbers.count)] + numbers
    }

    private static func width(_ key: KeyAlgorithm) throws(CryptographyError) -> Int {
        guard key.family == .ecdsa else {
            throw CryptographyError(
                .algorithmMismatch, "a key of the sort \(key.rawValue) has no ECDSA signatures")
        }
        return key.bits / 8
    }

    private static func readInteger(_ reader: inout ByteReader, _ width: Int) throws(BytesError) -> [UInt8] {
        let start = reader.offset
        guard try reader.readUInt8() == 2 else { throw BytesError(.badCharacter, at: start) }
        let length = Int(try reader.readUInt8())
        var number = try reader.readArray(length, limit: width + 1)
        guard let first = number.first, first < 0x80 else { throw BytesError(.notCanonical, at: start) }
        if first == 0, number.count > 1 {
            guard number[1] >= 0x80 else { throw BytesError(.notCanonical, at: start) }
            number.removeFirst()
        }
        guard number.count <= width else { throw BytesError(.overLimit, at: start) }
        return [UInt8](repeating: 0, count: width - number.count) + number
    }

    private static func integer(_ number: [UInt8]) -> [UInt8] {
        var digits = Array(number.drop { $0 == 0 })
        if digits.first.map({ $0 >= 0x80 }) ?? true { digits.insert(0, at: 0) }
        return [2, UInt8(truncatingIfNeeded: digits.count)] + digits
    }
}
