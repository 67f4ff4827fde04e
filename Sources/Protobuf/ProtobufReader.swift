// SPDX-License-Identifier: Apache-2.0

public import Bytes

/// What stands in front of a field's value.
///
/// ```
/// field  = tag value
/// tag    = varint                  ; number << 3 | wire type; number 1 to 2^29-1; at most five bytes
/// value  = varint                  ; 0: int32, int64, uint32, uint64, sint32, sint64, bool, enum
///        / 8OCTET                  ; 1: fixed64, sfixed64, double; little endian
///        / length *OCTET           ; 2: string, bytes, message, packed; length: varint of at most five bytes, < 2^31
///        / *field tag              ; 3: group, up to a tag with the same number and wire type 4
///        / 4OCTET                  ; 5: fixed32, sfixed32, float; little endian
/// ```
public struct ProtobufField: Sendable {
    public enum WireType: UInt8, Sendable {
        case varint, fixed64, bytes, startGroup, endGroup, fixed32
    }

    public let number: Int
    public let wireType: WireType
    /// Where its tag begins.
    public let offset: Int
}

/// Reads the fields of a message in the order in which they come; see `Protobuf`.
///
/// After `next` the field's value is read with one verb, or skipped. A verb that throws may have read a part; the whole
/// document is refused then.
public typealias ProtobufReader = FormatReader<Protobuf>

extension FormatReader where Format == Protobuf {
    /// The next field of this message; `nil` at its end.
    public mutating func next() throws(ProtobufError) -> ProtobufField? {
        guard !bytes.isAtEnd else { return nil }
        let field = try tag()
        guard field.wireType != .endGroup else { throw ProtobufError(.badTag, at: field.offset) }
        return field
    }

    public mutating func skip(_ field: ProtobufField) throws(ProtobufError) {
        do throws(BytesError) {
            switch field.wireType {
            case .varint: _ = try bytes.readVarint()
            case .fixed64: try bytes.skip(8)
            case .fixed32: try bytes.skip(4)
            case .bytes: try bytes.skip(try length())
            case .startGroup, .endGroup: break
            }
        } catch { throw ProtobufError(error) }
        if field.wireType == .startGroup { try skipGroup(field) }
    }

    // MARK: Integers

    public mutating func uint64(_ field: ProtobufField) throws(ProtobufError) -> UInt64 {
        try check(field, .varint)
        do { return try bytes.readVarint() } catch { throw ProtobufError(error) }
    }

    public mutating func int64(_ field: ProtobufField) throws(ProtobufError) -> Int64 {
        Int64(bitPattern: try uint64(field))
    }

    /// Bits beyond the 32nd are dropped, as everywhere.
    public mutating func uint32(_ field: ProtobufField) throws(ProtobufError) -> UInt32 {
        UInt32(truncatingIfNeeded: try uint64(field))
    }

    /// Also an enumeration's value. Bits beyond the 32nd are dropped, as everywhere.
    public mutating func int32(_ field: ProtobufField) throws(ProtobufError) -> Int32 {
        Int32(truncatingIfNeeded: try uint64(field))
    }

    public mutating func sint64(_ field: ProtobufField) throws(ProtobufError) -> Int64 {
        ZigZag.decode(try uint64(field))
    }

    public mutating func sint32(_ field: ProtobufField) throws(ProtobufError) -> Int32 {
        Int32(truncatingIfNeeded: ZigZag.decode(UInt64(try uint32(field))))
    }

    public mutating func bool(_ field: ProtobufField) throws(ProtobufError) -> Bool {
        try uint64(field) != 0
    }

    public mutating func fixed64(_ field: ProtobufField) throws(ProtobufError) -> UInt64 {
        try check(field, .fixed64)
        do { return try bytes.readUInt64(.little) } catch { throw ProtobufError(error) }
    }

    public mutating func fixed32(_ field: ProtobufField) throws(ProtobufError) -> UInt32 {
        try check(field, .fixed32)
        do { return try bytes.readUInt32(.little) } catch { throw ProtobufError(error) }
    }

    // MARK: Bytes, text, messages

    /// A copy of the field's bytes.
    public mutating func bytes(_ field: ProtobufField, limit: Int = .max) throws(ProtobufError) -> [UInt8] {
        let length = try length(field, limit: limit)
        do { return try bytes.readArray(length) } catch { throw ProtobufError(error) }
    }

    /// Where the field's bytes lie in the document, which the caller keeps.
    public mutating func range(_ field: ProtobufField, limit: Int = .max) throws(ProtobufError) -> Range<Int>
    {
        let length = try length(field, limit: limit)
        let start = bytes.offset
        do { try bytes.skip(length) } catch { throw ProtobufError(error) }
        return start..<bytes.offset
    }

    /// The field's bytes where they lie.
    public mutating func withBytes<Value>(
        _ field: ProtobufField, limit: Int = .max, _ body: (Span<UInt8>) throws -> Value
    ) throws -> Value {
        try body(try bytes.readSpan(try length(field, limit: limit)))
    }

    public mutating func string(_ field: ProtobufField, limit: Int = .max) throws(ProtobufError) -> String {
        let length = try length(field, limit: limit)
        let start = bytes.offset
        do throws(BytesError) {
            guard let text = String(validatingUTF8: try bytes.readSpan(length)) else {
                throw BytesError(.badCharacter, at: start)
            }
            return text
        } catch { throw ProtobufError(error) }
    }

    public mutating func message<Message: ProtobufMessage>(
        _ field: ProtobufField, _ type: Message.Type = Message.self
    ) throws(ProtobufError) -> Message {
        let length = try length(field)
        let outer: Int
        do { outer = try bytes.enter(length, deepest: format.deepest) } catch { throw ProtobufError(error) }
        defer { bytes.leave(to: outer) }
        let message = try Message(reading: &self)
        try expectEnd()
        return message
    }

    /// A message that may come once.
    public mutating func message<Message: ProtobufMessage>(
        _ field: ProtobufField, into message: inout Message?
    ) throws(ProtobufError) {
        guard message == nil else { throw ProtobufError(.repeatedMessage, at: field.offset) }
        message = try self.message(field)
    }

    // MARK: Parts

    /// A message that stops before its end has left fields unread.
    func expectEnd() throws(ProtobufError) {
        guard bytes.isAtEnd else { throw ProtobufError(.badTag, at: bytes.offset) }
    }

    func check(_ field: ProtobufField, _ wireType: ProtobufField.WireType) throws(ProtobufError) {
        guard field.wireType == wireType else { throw ProtobufError(.wrongWireType, at: field.offset) }
    }

    mutating func length(_ field: ProtobufField, limit: Int = .max) throws(ProtobufError) -> Int {
        try check(field, .bytes)
        do throws(BytesError) {
            let start = bytes.offset
            let length = try length()
            guard length <= limit else { throw BytesError(.overLimit, at: start) }
            guard length <= bytes.remaining else { throw BytesError(.truncated, at: start) }
            return length
        } catch { throw ProtobufError(error) }
    }

    mutating func count(_ elements: Int, at offset: Int) throws(ProtobufError) {
        guard elements <= format.fields else { throw ProtobufError(.overLimit, at: offset) }
        format.fields -= elements
    }

    private mutating func length() throws(BytesError) -> Int {
        let start = bytes.offset
        let value = try bytes.readVarint()
        guard value <= UInt64(Int32.max), bytes.offset - start <= 5 else {
            throw BytesError(.badVarint, at: start)
        }
        return Int(value)
    }

    private mutating func tag() throws(ProtobufError) -> ProtobufField {
        let start = bytes.offset
        try count(1, at: start)
        let value: UInt64
        do { value = try bytes.readVarint() } catch { throw ProtobufError(error) }
        guard value <= UInt64(UInt32.max), value >> 3 > 0, bytes.offset - start <= 5,
            let wireType = ProtobufField.WireType(rawValue: UInt8(value & 7))
        else { throw ProtobufError(.badTag, at: start) }
        return ProtobufField(number: Int(value >> 3), wireType: wireType, offset: start)
    }

    /// Skips to the end of a group whose begin was read. The groups inside are kept on a stack, not on ours.
    private mutating func skipGroup(_ group: ProtobufField) throws(ProtobufError) {
        var open = [group.number]
        while let number = open.last {
            guard bytes.depth + open.count <= format.deepest else {
                throw ProtobufError(.overLimit, at: group.offset)
            }
            guard !bytes.isAtEnd else { throw ProtobufError(.truncated, at: bytes.offset) }
            let field = try tag()
            switch field.wireType {
            case .startGroup: open.append(field.number)
            case .endGroup:
                guard field.number == number else { throw ProtobufError(.badTag, at: field.offset) }
                open.removeLast()
            default: try skip(field)
            }
        }
    }
}
