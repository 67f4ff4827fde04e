// SPDX-License-Identifier: Apache-2.0

public import Bytes

// Repeated fields, each with its own limit for the number of elements. Numbers are taken packed and unpacked, mixed too.
extension FormatReader where Format == Protobuf {
    public mutating func uint64s(
        _ field: ProtobufField, into values: inout [UInt64], limit: Int
    ) throws(ProtobufError) {
        try numbers(field, .varint, into: &values, limit: limit) { (bytes) throws(BytesError) in
            try bytes.readVarint()
        }
    }

    /// Also an enumeration's values.
    public mutating func int32s(
        _ field: ProtobufField, into values: inout [Int32], limit: Int
    ) throws(ProtobufError) {
        try numbers(field, .varint, into: &values, limit: limit) { (bytes) throws(BytesError) in
            Int32(truncatingIfNeeded: try bytes.readVarint())
        }
    }

    public mutating func fixed64s(
        _ field: ProtobufField, into values: inout [UInt64], limit: Int
    ) throws(ProtobufError) {
        try numbers(field, .fixed64, into: &values, limit: limit) { (bytes) throws(BytesError) in
            try bytes.readUInt64(.little)
        }
    }

    public mutating func fixed32s(
        _ field: ProtobufField, into values: inout [UInt32], limit: Int
    ) throws(ProtobufError) {
        try numbers(field, .fixed32, into: &values, limit: limit) { (bytes) throws(BytesError) in
            try bytes.readUInt32(.little)
        }
    }

    public mutating func strings(
        _ field: ProtobufField, into values: inout [String], limit: Int
    ) throws(ProtobufError) {
        try room(values.count, limit, field)
        values.append(try string(field))
    }

    public mutating func byteStrings(
        _ field: ProtobufField, into values: inout [[UInt8]], limit: Int
    ) throws(ProtobufError) {
        try room(values.count, limit, field)
        values.append(try bytes(field))
    }

    public mutating func messages<Message: ProtobufMessage>(
        _ field: ProtobufField, into values: inout [Message], limit: Int
    ) throws(ProtobufError) {
        try room(values.count, limit, field)
        values.append(try message(field))
    }

    /// `map<string, string>`; the last one of equal keys counts.
    public mutating func map(
        _ field: ProtobufField, into values: inout [String: String], limit: Int
    ) throws(ProtobufError) {
        let entry = try message(field, MapEntry.self)
        if values[entry.key] == nil { try room(values.count, limit, field) }
        values[entry.key] = entry.value
    }

    private mutating func numbers<Number>(
        _ field: ProtobufField, _ wireType: ProtobufField.WireType, into values: inout [Number], limit: Int,
        _ read: (inout ByteReader) throws(BytesError) -> Number
    ) throws(ProtobufError) {
        let start = bytes.offset
        let isPacked = field.wireType == .bytes
        if !isPacked { try check(field, wireType) }
        let end = isPacked ? try length(field) + bytes.offset : start
        do throws(BytesError) {
            let outer = isPacked ? try bytes.enter(end - bytes.offset, deepest: .max) : 0
            defer { if isPacked { bytes.leave(to: outer) } }
            while isPacked ? !bytes.isAtEnd : bytes.offset == start {
                guard values.count < limit, !isPacked || format.fields > 0 else {
                    throw BytesError(.overLimit, at: bytes.offset)
                }
                if isPacked { format.fields -= 1 }
                values.append(try read(&bytes))
            }
        } catch { throw ProtobufError(error) }
    }

    private func room(_ count: Int, _ limit: Int, _ field: ProtobufField) throws(ProtobufError) {
        guard count < limit else { throw ProtobufError(.overLimit, at: field.offset) }
    }
}

/// `message Entry { string key = 1; string value = 2; }`
struct MapEntry: ProtobufMessage {
    var key = ""
    var value = ""

    init(key: String, value: String) {
        self.key = key
        self.value = value
    }

    init(reading reader: inout ProtobufReader) throws(ProtobufError) {
        while let field = try reader.next() {
            switch field.number {
            case 1: key = try reader.string(field)
            case 2: value = try reader.string(field)
            default: throw ProtobufError(.badTag, at: field.offset)
            }
        }
    }

    func write(to writer: inout ProtobufWriter) {
        writer.string(1, key, always: true)
        writer.string(2, value, always: true)
    }
}
