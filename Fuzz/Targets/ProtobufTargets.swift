// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Protobuf

let protobufTargets: [FuzzTarget] = [
    FuzzTarget("protobuf") { input in
        guard let fields = try? Fields(protobuf: input) else { return }
        let again = fields.protobuf()
        guard let read = try? Fields(protobuf: again), read == fields, read.protobuf() == again else {
            throw BrokenPromise("another message after \(Hex.encode(again))")
        }
    }
]

/// One field of each sort.
private struct Fields: ProtobufMessage, Equatable {
    var number: UInt64 = 0
    var signed: Int32 = 0
    var fixed: UInt64 = 0
    var short: UInt32 = 0
    var text = ""
    var content: [UInt8] = []
    var numbers: [UInt64] = []
    var shorts: [UInt32] = []
    var texts: [String] = []
    var inner: [Fields] = []
    var names: [String: String] = [:]

    init(reading reader: inout ProtobufReader) throws(ProtobufError) {
        while let field = try reader.next() {
            switch field.number {
            case 1: number = try reader.uint64(field)
            case 2: signed = try reader.sint32(field)
            case 3: fixed = try reader.fixed64(field)
            case 4: short = try reader.fixed32(field)
            case 5: text = try reader.string(field)
            case 6: content = try reader.bytes(field, limit: 1000)
            case 7: try reader.uint64s(field, into: &numbers, limit: 1000)
            case 8: try reader.fixed32s(field, into: &shorts, limit: 1000)
            case 9: try reader.strings(field, into: &texts, limit: 100)
            case 10: try reader.messages(field, into: &inner, limit: 10)
            case 11: try reader.map(field, into: &names, limit: 10)
            default: try reader.skip(field)
            }
        }
    }

    func write(to writer: inout ProtobufWriter) {
        writer.uint64(1, number)
        writer.sint32(2, signed)
        writer.fixed64(3, fixed)
        writer.fixed32(4, short)
        writer.string(5, text)
        writer.bytes(6, content)
        writer.uint64s(7, numbers)
        writer.fixed32s(8, shorts)
        writer.strings(9, texts)
        writer.messages(10, inner)
        writer.map(11, names)
    }
}
