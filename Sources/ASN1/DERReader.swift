// SPDX-License-Identifier: Apache-2.0

public import Bytes

/// The limits of a `DERReader`.
public struct DER: Sendable {
    /// How many elements may be inside of one another.
    public var deepest: Int

    public init(deepest: Int = 32) { self.deepest = deepest }
}

/// Reads DER in order; each verb reads one element, and each takes the tag that an IMPLICIT one puts in its place.
///
/// ```
/// element  = identifier length contents
/// length   = %x00-7F                        ; below 128
///          / %x81-84 1*4OCTET               ; big endian, the shortest form
/// ```
/// A verb that throws may have read a part; the whole document is refused then.
public typealias DERReader = FormatReader<DER>

extension FormatReader where Format == DER {
    public var offset: Int { bytes.offset }
    public var isAtEnd: Bool { bytes.isAtEnd }

    public func expectEnd() throws(ASN1Error) {
        guard bytes.isAtEnd else { throw ASN1Error(.trailing, at: bytes.offset) }
    }

    // MARK: What comes next

    /// The tag of the next element; `nil` at the end, or when it is malformed, which reading it will tell.
    public var nextTag: DERTag? {
        var probe = bytes
        return try? Self.readTag(&probe)
    }

    public func isNext(_ tag: DERTag) -> Bool { nextTag == tag }

    /// An OPTIONAL element: reads it when its tag comes next.
    public mutating func optional<Value>(
        _ tag: DERTag, _ body: (inout DERReader) throws -> Value
    ) throws -> Value? {
        isNext(tag) ? try body(&self) : nil
    }

    // MARK: Elements with elements inside

    public mutating func sequence<Value>(
        _ tag: DERTag = .sequence, _ body: (inout DERReader) throws -> Value
    ) throws -> Value {
        try inside(try contents(tag), body)
    }

    /// `[number] EXPLICIT`.
    public mutating func explicit<Value>(
        _ number: UInt32, _ body: (inout DERReader) throws -> Value
    ) throws -> Value {
        try inside(try contents(.constructed(number)), body)
    }

    /// `[number] EXPLICIT ... OPTIONAL`.
    public mutating func optionalExplicit<Value>(
        _ number: UInt32, _ body: (inout DERReader) throws -> Value
    ) throws -> Value? {
        isNext(.constructed(number)) ? try explicit(number, body) : nil
    }

    /// SEQUENCE OF with at most `limit` elements.
    public mutating func sequenceOf<Value>(
        _ tag: DERTag = .sequence, limit: Int = 10_000, _ element: (inout DERReader) throws -> Value
    ) throws -> [Value] {
        try sequence(tag) { reader in
            var values: [Value] = []
            while !reader.isAtEnd {
                guard values.count < limit else { throw ASN1Error(.overLimit, at: reader.offset) }
                values.append(try element(&reader))
            }
            return values
        }
    }

    /// SET OF with at most `limit` elements, whose encodings ascend.
    public mutating func setOf<Value>(
        _ tag: DERTag = .set, limit: Int = 10_000, _ element: (inout DERReader) throws -> Value
    ) throws -> [Value] {
        var last = 0..<0
        return try sequenceOf(tag, limit: limit) { reader in
            let start = reader.offset
            let value = try element(&reader)
            let this = start..<reader.offset
            if !last.isEmpty, try reader.isBefore(this, last) {
                throw ASN1Error(.notCanonical, at: start)
            }
            last = this
            return value
        }
    }

    /// DER inside of an OCTET STRING, as X.509 extensions have it.
    public mutating func octetStringHolding<Value>(
        _ tag: DERTag = .octetString, _ body: (inout DERReader) throws -> Value
    ) throws -> Value {
        try inside(try contents(tag), body)
    }

    /// DER inside of a BIT STRING without unused bits, as public keys have it.
    public mutating func bitStringHolding<Value>(
        _ tag: DERTag = .bitString, _ body: (inout DERReader) throws -> Value
    ) throws -> Value {
        let length = try contents(tag)
        guard length > 0, bytes.peek() == 0 else { throw ASN1Error(.badValue, at: offset) }
        do { try bytes.skip(1) } catch { throw ASN1Error(error) }
        return try inside(length - 1, body)
    }

    // MARK: Whole elements

    /// The next element of any sort with its tag and length, copied.
    public mutating func element(limit: Int = .max) throws(ASN1Error) -> [UInt8] {
        try copy(try elementRange(), limit: limit)
    }

    /// Where the next element of any sort lies, tag and length included. What is inside is not looked at.
    @discardableResult
    public mutating func elementRange() throws(ASN1Error) -> Range<Int> {
        let start = offset
        _ = try Self.readTag(&bytes)
        let length = try Self.readLength(&bytes)
        do { try bytes.skip(length) } catch { throw ASN1Error(error) }
        return start..<offset
    }

    /// Reads, and tells where what was read lies, as a signature over it needs to know.
    public mutating func located<Value>(
        _ body: (inout DERReader) throws -> Value
    ) throws -> (value: Value, range: Range<Int>) {
        let start = offset
        let value = try body(&self)
        return (value, start..<offset)
    }

    /// A copy of bytes that were read.
    public func copy(_ range: Range<Int>, limit: Int = .max) throws(ASN1Error) -> [UInt8] {
        guard range.count <= limit else { throw ASN1Error(.overLimit, at: range.lowerBound) }
        do { return [UInt8](copying: try bytes.span(range)) } catch { throw ASN1Error(error) }
    }

    // MARK: Parts

    /// Reads tag and length; what follows is the contents.
    mutating func contents(_ tag: DERTag) throws(ASN1Error) -> Int {
        let start = offset
        guard !bytes.isAtEnd else { throw ASN1Error(.truncated, at: start) }
        guard try Self.readTag(&bytes) == tag else { throw ASN1Error(.unexpectedTag, at: start) }
        return try Self.readLength(&bytes)
    }

    /// Reads the contents of that length to their end.
    private mutating func inside<Value>(
        _ length: Int, _ body: (inout DERReader) throws -> Value
    ) throws -> Value {
        let outer: Int
        do { outer = try bytes.enter(length, deepest: format.deepest) } catch { throw ASN1Error(error) }
        defer { bytes.leave(to: outer) }
        let value = try body(&self)
        try expectEnd()
        return value
    }

    private func isBefore(_ first: Range<Int>, _ second: Range<Int>) throws(BytesError) -> Bool {
        let (left, right) = (try bytes.span(first), try bytes.span(second))
        for index in 0..<min(left.count, right.count) where left[index] != right[index] {
            return left[index] < right[index]
        }
        return left.count < right.count
    }

    private static func readTag(_ bytes: inout ByteReader) throws(ASN1Error) -> DERTag {
        let start = bytes.offset
        do throws(BytesError) {
            let first = try bytes.readUInt8()
            var number = UInt32(first & 31)
            if number == 31 {
                number = 0
                var next: UInt8
                repeat {
                    next = try bytes.readUInt8()
                    guard number < DERTag.limit >> 7 else { throw BytesError(.overLimit, at: start) }
                    guard number > 0 || next != 0x80 else { throw BytesError(.notCanonical, at: start) }
                    number = number << 7 | UInt32(next & 0x7f)
                } while next > 0x7f
                guard number > 30 else { throw BytesError(.notCanonical, at: start) }
            }
            let sort = DERTag.Class(rawValue: first >> 6) ?? .private
            return DERTag(sort, number, constructed: first & 32 != 0)
        } catch { throw ASN1Error(error) }
    }

    /// A length that what is left can hold.
    private static func readLength(_ bytes: inout ByteReader) throws(ASN1Error) -> Int {
        let start = bytes.offset
        do throws(BytesError) {
            let first = try bytes.readUInt8()
            var length = Int(first)
            if first > 0x7f {
                let width = Int(first & 0x7f)
                // Indefinite, or more than 4 GiB.
                guard width > 0 else { throw BytesError(.notCanonical, at: start) }
                guard width <= 4 else { throw BytesError(.overLimit, at: start) }
                length = 0
                for _ in 0..<width { length = length << 8 | Int(try bytes.readUInt8()) }
                guard length > 0x7f, length >> (8 * (width - 1)) > 0 else {
                    throw BytesError(.notCanonical, at: start)
                }
            }
            guard length <= bytes.remaining else { throw BytesError(.truncated, at: start) }
            return length
        } catch { throw ASN1Error(error) }
    }
}
