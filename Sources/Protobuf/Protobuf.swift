// SPDX-License-Identifier: Apache-2.0

public import Bytes

/// Protobuf reads and writes the wire format of Protocol Buffers (proto3) for messages that are written by hand.
///
/// A message is a struct that conforms to `ProtobufMessage`. Its reader gives one field after the other; the message
/// takes those it knows with the verb of the field's type and skips the rest. Long fields need not be copied: the
/// reader tells where they lie, and the writer keeps arrays as pieces of their own.
///
/// ```swift
/// /// message Claim { string key = 1; repeated uint64 sizes = 2; bytes content = 3; }
/// struct Claim: ProtobufMessage {
///     var key = ""
///     var sizes: [UInt64] = []
///     var content: [UInt8] = []
///
///     init(reading reader: inout ProtobufReader) throws(ProtobufError) {
///         while let field = try reader.next() {
///             switch field.number {
///             case 1: key = try reader.string(field, limit: 255)
///             case 2: try reader.uint64s(field, into: &sizes, limit: 100)
///             case 3: content = try reader.bytes(field)
///             default: try reader.skip(field)
///             }
///         }
///     }
///
///     func write(to writer: inout ProtobufWriter) {
///         writer.string(1, key)
///         writer.uint64s(2, sizes)
///         writer.bytes(3, content)
///     }
/// }
/// ```
/// What Protocol Buffers leave open or allow is decided so:
/// - The last one of a repeated scalar counts, as everywhere. A message inside that comes twice is refused, where other
///   readers merge the two: no writer does that, and what is signed must not depend on how it is read.
/// - A known field with another wire type than its own is refused, where other readers take it for an unknown field.
/// - A varint whose tenth byte is above 1 is refused, where other readers drop the bits beyond the 64th.
/// - Groups are skipped as unknown fields, and refused when they do not end or hold a field of number 0.
/// - An entry of a map with a third field is refused, which some readers take and some leave out of the map.
/// - Messages nest `deepest` deep, and one document has at most `fields` fields, the elements of packed ones included.
public struct Protobuf: Sendable {
    /// How many bytes a document may have.
    public var largest: Int
    /// How deep messages and groups may be inside of one another.
    public var deepest: Int
    /// How many more fields and packed elements there may be in the document.
    public var fields: Int

    public init(largest: Int = 64 << 20, deepest: Int = 32, fields: Int = 100_000) {
        self.largest = largest
        self.deepest = deepest
        self.fields = fields
    }
}

/// A message that is read and written; its declaration stands in its doc comment.
public protocol ProtobufMessage {
    /// Reads fields until `next` returns `nil`.
    init(reading reader: inout ProtobufReader) throws(ProtobufError)

    func write(to writer: inout ProtobufWriter)
}

extension ProtobufMessage {
    /// Reads a whole document.
    public init(protobuf bytes: Span<UInt8>, _ limits: Protobuf = Protobuf()) throws(ProtobufError) {
        guard bytes.count <= limits.largest else { throw ProtobufError(.overLimit, at: limits.largest) }
        var reader = ProtobufReader(bytes, limits)
        try self.init(reading: &reader)
        try reader.expectEnd()
    }

    public init(protobuf bytes: [UInt8], _ limits: Protobuf = Protobuf()) throws(ProtobufError) {
        try self.init(protobuf: bytes.span, limits)
    }

    /// Writes a whole document.
    public func protobuf() -> [UInt8] {
        var writer = ProtobufWriter()
        write(to: &writer)
        return writer.bytes
    }
}
