// SPDX-License-Identifier: Apache-2.0

import Protobuf

/// One field of each sort; the Python oracle declares the same message.
struct Kitchen: ProtobufMessage, Equatable {
    var uint64: UInt64 = 0
    var int64: Int64 = 0
    var uint32: UInt32 = 0
    var int32: Int32 = 0
    var sint64: Int64 = 0
    var sint32: Int32 = 0
    var bool = false
    var fixed64: UInt64 = 0
    var fixed32: UInt32 = 0
    var string = ""
    var bytes: [UInt8] = []
    var small: Small?
    var kitchens: [Kitchen] = []
    var uint64s: [UInt64] = []
    var fixed32s: [UInt32] = []
    var fixed64s: [UInt64] = []
    var strings: [String] = []
    var byteStrings: [[UInt8]] = []
    var int32s: [Int32] = []
    var map: [String: String] = [:]

    init() {}

    init(reading reader: inout ProtobufReader) throws(ProtobufError) {
        while let field = try reader.next() {
            switch field.number {
            case 1: uint64 = try reader.uint64(field)
            case 2: int64 = try reader.int64(field)
            case 3: uint32 = try reader.uint32(field)
            case 4: int32 = try reader.int32(field)
            case 5: sint64 = try reader.sint64(field)
            case 6: sint32 = try reader.sint32(field)
            case 7: bool = try reader.bool(field)
            case 8: fixed64 = try reader.fixed64(field)
            case 9: fixed32 = try reader.fixed32(field)
            case 10: string = try reader.string(field)
            case 11: bytes = try reader.bytes(field)
            case 12: try reader.message(field, into: &small)
            case 13: try reader.messages(field, into: &kitchens, limit: 100)
            case 14: try reader.uint64s(field, into: &uint64s, limit: 100)
            case 15: try reader.fixed32s(field, into: &fixed32s, limit: 100)
            case 16: try reader.fixed64s(field, into: &fixed64s, limit: 100)
            case 17: try reader.strings(field, into: &strings, limit: 100)
            case 18: try reader.byteStrings(field, into: &byteStrings, limit: 100)
            case 19: try reader.int32s(field, into: &int32s, limit: 100)
            case 20: try reader.map(field, into: &map, limit: 100)
            default: try reader.skip(field)
            }
        }
    }

    func write(to writer: inout ProtobufWriter) {
        writer.uint64(1, uint64)
        writer.int64(2, int64)
        writer.uint32(3, uint32)
        writer.int32(4, int32)
        writer.sint64(5, sint64)
        writer.sint32(6, sint32)
        writer.bool(7, bool)
        writer.fixed64(8, fixed64)
        writer.fixed32(9, fixed32)
        writer.string(10, string)
        writer.bytes(11, bytes)
        if let small { writer.message(12, small) }
        writer.messages(13, kitchens)
        writer.uint64s(14, uint64s)
        writer.fixed32s(15, fixed32s)
        writer.fixed64s(16, fixed64s)
        writer.strings(17, strings)
        writer.byteStrings(18, byteStrings)
        writer.int32s(19, int32s)
        writer.map(20, map)
    }
}

struct Small: ProtobufMessage, Equatable {
    /// A field with presence.
    var number: UInt32?
    var text = ""

    init(number: UInt32?, text: String) {
        self.number = number
        self.text = text
    }

    init(reading reader: inout ProtobufReader) throws(ProtobufError) {
        while let field = try reader.next() {
            switch field.number {
            case 1: number = try reader.uint32(field)
            case 2: text = try reader.string(field)
            default: try reader.skip(field)
            }
        }
    }

    func write(to writer: inout ProtobufWriter) {
        if let number { writer.uint32(1, number, always: true) }
        writer.string(2, text)
    }
}

extension Kitchen {
    static func random(_ depth: Int, _ random: inout some RandomNumberGenerator) -> Kitchen {
        var kitchen = Kitchen()
        func chance() -> Bool { Int.random(in: 0..<4, using: &random) == 0 }
        func number() -> UInt64 {
            UInt64.random(in: .min ... .max, using: &random) >> UInt64.random(in: 0..<64, using: &random)
        }
        func bytes() -> [UInt8] {
            (0..<Int.random(in: 0..<6, using: &random)).map { _ in UInt8(number() & 255) }
        }
        func text() -> String {
            String(bytes().map { ["a", "é", "€", "𝄞", "\0", "z"][Int($0 % 6)] as Character })
        }
        func some<Value>(_ make: () -> Value) -> [Value] {
            (0..<Int.random(in: 0..<4, using: &random)).map { _ in make() }
        }
        if chance() { kitchen.uint64 = number() }
        if chance() { kitchen.int64 = Int64(bitPattern: number()) }
        if chance() { kitchen.uint32 = UInt32(truncatingIfNeeded: number()) }
        if chance() { kitchen.int32 = Int32(truncatingIfNeeded: number()) }
        if chance() { kitchen.sint64 = Int64(bitPattern: number()) }
        if chance() { kitchen.sint32 = Int32(truncatingIfNeeded: number()) }
        if chance() { kitchen.bool = true }
        if chance() { kitchen.fixed64 = number() }
        if chance() { kitchen.fixed32 = UInt32(truncatingIfNeeded: number()) }
        if chance() { kitchen.string = text() }
        if chance() { kitchen.bytes = bytes() }
        if chance() {
            kitchen.small = Small(number: chance() ? nil : UInt32(truncatingIfNeeded: number()), text: text())
        }
        if depth > 0, chance() { kitchen.kitchens = some { Kitchen.random(depth - 1, &random) } }
        if chance() { kitchen.uint64s = some(number) }
        if chance() { kitchen.fixed32s = some { UInt32(truncatingIfNeeded: number()) } }
        if chance() { kitchen.fixed64s = some(number) }
        if chance() { kitchen.strings = some(text) }
        if chance() { kitchen.byteStrings = some(bytes) }
        if chance() { kitchen.int32s = some { Int32(truncatingIfNeeded: number()) } }
        if chance() {
            kitchen.map = Dictionary(some { (text(), text()) }, uniquingKeysWith: { first, _ in first })
        }
        return kitchen
    }
}
