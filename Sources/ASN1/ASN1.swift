// SPDX-License-Identifier: Apache-2.0

public import Bytes

/// ASN1 reads and writes DER (X.690), and the PEM text around it (RFC 7468).
///
/// There is one encoding of each value: `DERReader` refuses every other one (lengths or integers that are not the
/// shortest, indefinite lengths, booleans other than 00 and ff, a SET OF out of order, bits set that belong to no
/// value, bytes after the end), so what was read and is written again by `DERWriter` gives the same bytes. Depth and
/// sizes are limited. A type is read by `DERReadable`, written by `DERWritable`.
///
/// ```swift
/// /// Validity ::= SEQUENCE { notBefore Time, notAfter Time }
/// struct Validity: DERReadable {
///     init(reading reader: inout DERReader) throws {
///         (notBefore, notAfter) = try reader.sequence { (try $0.time(), try $0.time()) }
///     }
/// }
/// let validity = try Validity(der: bytes.span)
/// ```
public struct ASN1Error: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong.
    public enum Code: Hashable, Sendable {
        case truncated
        case trailing
        case notCanonical
        case unexpectedTag
        case overLimit
        case badValue
        case badText
        case badTime
        case badOID
        case badPEM
    }

    public var code: Code
    /// Where, counted from the first byte that the reader was given.
    public var offset: Int

    public init(_ code: Code, at offset: Int) {
        self.code = code
        self.offset = offset
    }

    init(_ error: BytesError) {
        let code: Code =
            switch error.code {
            case .truncated: .truncated
            case .trailing: .trailing
            case .overLimit: .overLimit
            case .notCanonical: .notCanonical
            case .badVarint, .badCharacter, .badPadding, .badLength: .badValue
            }
        self.init(code, at: error.offset)
    }

    public var description: String {
        switch code {
        case .truncated: "DER is cut off at byte \(offset)"
        case .trailing: "unexpected bytes in DER from byte \(offset)"
        case .notCanonical: "not the canonical DER form at byte \(offset)"
        case .unexpectedTag: "an unexpected DER tag at byte \(offset)"
        case .overLimit: "DER is too deep or too large at byte \(offset)"
        case .badValue: "an illegal value in DER at byte \(offset)"
        case .badText: "illegal text in DER at byte \(offset)"
        case .badTime: "an illegal time in DER at byte \(offset)"
        case .badOID: "an illegal object identifier at byte \(offset)"
        case .badPEM: "malformed PEM at byte \(offset)"
        }
    }
}

/// A type that is read from DER; its grammar stands in its doc comment.
public protocol DERReadable {
    init(reading reader: inout DERReader) throws
}

/// A type that is written as DER.
public protocol DERWritable {
    func write(to writer: inout DERWriter) throws
}

extension DERReadable {
    /// Reads a whole document.
    public init(der bytes: Span<UInt8>) throws {
        var reader = DERReader(bytes, DER())
        try self.init(reading: &reader)
        try reader.expectEnd()
    }

    public init(der bytes: [UInt8]) throws { try self.init(der: bytes.span) }
}

extension DERWritable {
    /// Writes a whole document.
    public func der() throws -> [UInt8] {
        var writer = DERWriter()
        try write(to: &writer)
        return writer.bytes
    }
}
