// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// Writes the fields of a message; see `Protobuf`.
///
/// A field that holds its default (zero, nothing) is left out unless `always` is set, as a field with presence (one that
/// is `optional`, or in a `oneof`) needs it. Long byte strings are kept as pieces of their own, not copied.
public struct ProtobufWriter: Sendable {
    /// What was written, in order.
    public private(set) var pieces: [[UInt8]] = [[]]
    /// How many bytes the pieces before the last one have.
    private var closed = 0

    /// From this length on a byte string is a piece of its own.
    static let long = 4096

    public init() {}

    public var count: Int { closed + pieces[pieces.count - 1].count }

    /// What was written, in one array.
    public var bytes: [UInt8] {
        if pieces.count == 1 { return pieces[0] }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        for piece in pieces { bytes += piece }
        return bytes
    }

    // MARK: Integers

    public mutating func uint64(_ number: Int, _ value: UInt64, always: Bool = false) {
        guard always || value != 0 else { return }
        tag(number, .varint)
        varint(value)
    }

    public mutating func int64(_ number: Int, _ value: Int64, always: Bool = false) {
        uint64(number, UInt64(bitPattern: value), always: always)
    }

    public mutating func uint32(_ number: Int, _ value: UInt32, always: Bool = false) {
        uint64(number, UInt64(value), always: always)
    }

    /// Also an enumeration's value. A negative one takes ten bytes, as everywhere.
    public mutating func int32(_ number: Int, _ value: Int32, always: Bool = false) {
        int64(number, Int64(value), always: always)
    }

    public mutating func sint64(_ number: Int, _ value: Int64, always: Bool = false) {
        uint64(number, ZigZag.encode(value), always: always)
    }

    public mutating func sint32(_ number: Int, _ value: Int32, always: Bool = false) {
        sint64(number, Int64(value), always: always)
    }

    public mutating func bool(_ number: Int, _ value: Bool, always: Bool = false) {
        uint64(number, value ? 1 : 0, always: always)
    }

    public mutating func fixed64(_ number: Int, _ value: UInt64, always: Bool = false) {
        guard always || value != 0 else { return }
        tag(number, .fixed64)
        little(value)
    }

    public mutating func fixed32(_ number: Int, _ value: UInt32, always: Bool = false) {
        guard always || value != 0 else { return }
        tag(number, .fixed32)
        little(value)
    }

    // MARK: Bytes, text, messages

    public mutating func bytes(_ number: Int, _ value: [UInt8], always: Bool = false) {
        guard value.count >= Self.long else { return bytes(number, value.span, always: always) }
        tag(number, .bytes)
        varint(UInt64(value.count))
        closed = count + value.count
        pieces.append(value)
        pieces.append([])
    }

    /// The bytes are copied.
    public mutating func bytes(_ number: Int, _ value: Span<UInt8>, always: Bool = false) {
        guard always || value.count > 0 else { return }
        tag(number, .bytes)
        varint(UInt64(value.count))
        pieces[pieces.count - 1].append(copying: value)
    }

    public mutating func string(_ number: Int, _ value: String, always: Bool = false) {
        guard always || !value.isEmpty else { return }
        bytes(number, value.utf8Span.span, always: true)
    }

    /// A message that is there, even if it is empty.
    public mutating func message(_ number: Int, _ value: some ProtobufMessage) {
        message(number) { value.write(to: &$0) }
    }

    /// A message whose fields `body` writes.
    public mutating func message(_ number: Int, _ body: (inout ProtobufWriter) -> Void) {
        tag(number, .bytes)
        let piece = pieces.count - 1
        let place = pieces[piece].count
        let start = count
        body(&self)
        var length = ByteWriter()
        length.writeVarint(UInt64(count - start))
        pieces[piece].insert(contentsOf: length.bytes, at: place)
        if piece < pieces.count - 1 { closed += length.count }
    }

    // MARK: Repeated fields

    /// Packed.
    public mutating func uint64s(_ number: Int, _ values: [UInt64]) {
        packed(number, values) { writer, value in writer.varint(value) }
    }

    /// Packed; also an enumeration's values.
    public mutating func int32s(_ number: Int, _ values: [Int32]) {
        packed(number, values) { writer, value in writer.varint(UInt64(bitPattern: Int64(value))) }
    }

    /// Packed.
    public mutating func fixed64s(_ number: Int, _ values: [UInt64]) {
        packed(number, values) { writer, value in writer.little(value) }
    }

    /// Packed.
    public mutating func fixed32s(_ number: Int, _ values: [UInt32]) {
        packed(number, values) { writer, value in writer.little(value) }
    }

    public mutating func strings(_ number: Int, _ values: [String]) {
        for value in values { string(number, value, always: true) }
    }

    public mutating func byteStrings(_ number: Int, _ values: [[UInt8]]) {
        for value in values { bytes(number, value, always: true) }
    }

    public mutating func messages(_ number: Int, _ values: [some ProtobufMessage]) {
        for value in values { message(number, value) }
    }

    /// `map<string, string>`, in the order of the keys' UTF-8.
    public mutating func map(_ number: Int, _ values: [String: String]) {
        let sorted = values.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        for (key, value) in sorted { message(number, MapEntry(key: key, value: value)) }
    }

    // MARK: Parts

    private mutating func packed<Number>(
        _ number: Int, _ values: [Number], _ write: (inout ProtobufWriter, Number) -> Void
    ) {
        guard !values.isEmpty else { return }
        message(number) { writer in for value in values { write(&writer, value) } }
    }

    private mutating func tag(_ number: Int, _ wireType: ProtobufField.WireType) {
        precondition(1..<1 << 29 ~= number, "no field number: \(number)")
        varint(UInt64(number) << 3 | UInt64(wireType.rawValue))
    }

    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            pieces[pieces.count - 1].append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        pieces[pieces.count - 1].append(UInt8(truncatingIfNeeded: rest))
    }

    private mutating func little<Number: FixedWidthInteger>(_ value: Number) {
        for shift in stride(from: 0, to: Number.bitWidth, by: 8) {
            pieces[pieces.count - 1].append(UInt8(truncatingIfNeeded: value >> Number(shift)))
        }
    }
}

/// Signed integers in which small magnitudes are short: 0, -1, 1, -2 are 0, 1, 2, 3.
enum ZigZag {
    static func encode(_ value: Int64) -> UInt64 { UInt64(bitPattern: value << 1 ^ value >> 63) }

    static func decode(_ value: UInt64) -> Int64 {
        Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }
}
