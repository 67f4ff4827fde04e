// SPDX-License-Identifier: Apache-2.0

/// A bounded reader over borrowed bytes.
///
/// A failed read throws and leaves the reader where it was.
public struct ByteReader: ~Escapable {
    @usableFromInline let span: Span<UInt8>
    /// How many bytes have been read.
    public private(set) var offset = 0
    /// Where reading ends: with the bytes, or with the scope that was entered last.
    public private(set) var end: Int
    /// How many scopes were entered and not left.
    public private(set) var depth = 0

    @_lifetime(copy span)
    public init(_ span: Span<UInt8>) {
        self.span = span
        end = span.count
    }

    public var remaining: Int { end - offset }
    public var isAtEnd: Bool { offset == end }

    // MARK: Integers

    @_lifetime(self: copy self)
    public mutating func readUInt8() throws(BytesError) -> UInt8 {
        guard offset < end else { throw BytesError(.truncated, at: offset) }
        defer { offset += 1 }
        return span[offset]
    }

    /// The next byte, not consumed; `nil` at the end.
    public func peek() -> UInt8? {
        offset < end ? span[offset] : nil
    }

    @_lifetime(self: copy self)
    public mutating func readUInt16(_ order: ByteOrder = .big) throws(BytesError) -> UInt16 {
        try readInteger(order)
    }

    @_lifetime(self: copy self)
    public mutating func readUInt32(_ order: ByteOrder = .big) throws(BytesError) -> UInt32 {
        try readInteger(order)
    }

    @_lifetime(self: copy self)
    public mutating func readUInt64(_ order: ByteOrder = .big) throws(BytesError) -> UInt64 {
        try readInteger(order)
    }

    @_lifetime(self: copy self)
    private mutating func readInteger<Number: FixedWidthInteger & BitwiseCopyable>(
        _ order: ByteOrder
    ) throws(BytesError) -> Number {
        let width = MemoryLayout<Number>.size
        guard width <= remaining else { throw BytesError(.truncated, at: offset) }
        defer { offset += width }
        // Any bytes make an integer, and the load checks its bounds again.
        let raw = unsafe span.bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: Number.self)
        return order == .big ? Number(bigEndian: raw) : Number(littleEndian: raw)
    }

    /// An LEB128 integer of 64 bits as Protocol Buffers write it.
    ///
    /// ```
    /// varint = *9( %x80-FF ) %x00-7F   ; seven bits each, the lowest first; a tenth byte is 0 or 1
    /// ```
    /// The form need not be the shortest: some writers pad a length that they fill in later, and every reader of
    /// Protocol Buffers takes that. A format that needs canonical bytes compares with what `ByteWriter` writes.
    @_lifetime(self: copy self)
    public mutating func readVarint() throws(BytesError) -> UInt64 {
        if offset < end, span[offset] < 0x80 {
            defer { offset += 1 }
            return UInt64(span[offset])
        }
        var value: UInt64 = 0
        var place = offset
        for index in 0..<10 {
            guard place < end else { throw BytesError(.truncated, at: offset) }
            let byte = span[place]
            place += 1
            if index == 9, byte > 1 { break }
            value |= UInt64(byte & 0x7f) << UInt64(7 * index)
            if byte < 0x80 {
                offset = place
                return value
            }
        }
        throw BytesError(.badVarint, at: offset)
    }

    // MARK: Slices

    /// The next `length` bytes as a span that lives as long as the bytes below.
    @_lifetime(copy self)
    public mutating func readSpan(_ length: Int, limit: Int = .max) throws(BytesError) -> Span<UInt8> {
        guard length >= 0, length <= limit else { throw BytesError(.overLimit, at: offset) }
        guard length <= remaining else { throw BytesError(.truncated, at: offset) }
        defer { offset += length }
        return span.extracting(offset..<offset + length)
    }

    /// The next `length` bytes, copied. The limit and what is left are checked before the copy is made.
    @_lifetime(self: copy self)
    public mutating func readArray(_ length: Int, limit: Int = .max) throws(BytesError) -> [UInt8] {
        Array(copying: try readSpan(length, limit: limit))
    }

    @_lifetime(self: copy self)
    public mutating func skip(_ length: Int) throws(BytesError) {
        guard length >= 0, length <= remaining else { throw BytesError(.truncated, at: offset) }
        offset += length
    }

    @_lifetime(self: copy self)
    public mutating func seek(to place: Int) throws(BytesError) {
        guard place >= 0, place <= end else { throw BytesError(.truncated, at: offset) }
        offset = place
    }

    /// What is left, not consumed.
    public var rest: Span<UInt8> {
        @_lifetime(copy self) get { span.extracting(offset..<end) }
    }

    /// Bytes anywhere in what the reader was given, also before `offset`: what a parsed structure was made from.
    @_lifetime(copy self)
    public func span(_ range: Range<Int>) throws(BytesError) -> Span<UInt8> {
        guard range.lowerBound >= 0, range.upperBound <= span.count else {
            throw BytesError(.truncated, at: range.lowerBound)
        }
        return span.extracting(range)
    }

    public func expectEnd() throws(BytesError) {
        guard isAtEnd else { throw BytesError(.trailing, at: offset) }
    }

    // MARK: Scopes

    /// Ends reading `length` bytes on, as a length in the format says. The result goes to `leave`.
    @_lifetime(self: copy self)
    public mutating func enter(_ length: Int, deepest: Int) throws(BytesError) -> Int {
        guard length >= 0, length <= remaining else { throw BytesError(.truncated, at: offset) }
        guard depth < deepest else { throw BytesError(.overLimit, at: offset) }
        defer { end = offset + length }
        depth += 1
        return end
    }

    /// Reads on after the scope, whose own rest is skipped; `outer` is what `enter` returned.
    @_lifetime(self: copy self)
    public mutating func leave(to outer: Int) {
        precondition(depth > 0 && outer >= end && outer <= span.count, "a scope that was not entered")
        offset = end
        end = outer
        depth -= 1
    }
}

/// The order of an integer's bytes.
public enum ByteOrder: Sendable {
    case big
    case little
}
