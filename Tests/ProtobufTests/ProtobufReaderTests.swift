// SPDX-License-Identifier: Apache-2.0

import Bytes
import Protobuf
import Testing

@Suite struct ProtobufReaderTests {
    /// Bytes, and how the message that they are is written. Python is asked the same.
    static let good: [(String, String, String)] = [
        ("empty", "", ""), ("a zero", "0800", ""), ("the last one counts", "08010802", "0802"),
        ("300", "08ac02", "08ac02"), ("longer than needed", "08ac8200", "08ac02"),
        ("bits dropped", "1881808080f0ff01", "1801"), ("any bool", "388002", "3801"),
        ("minus one", "20ffffffff0f", "20ffffffffffffffffff01"),
        ("zigzag", "2803", "2803"), ("text", "5202c3a9", "5202c3a9"),
        ("fixed", "4d01000000", "4d01000000"),
        ("unpacked", "70017002", "72020102"), ("both", "7001" + "720202 03", "7203010203"),
        ("packed nothing", "7200", ""), ("a message", "6205080712 0161", "62050807120161"),
        ("presence", "62020800", "62020800"),
        ("an empty message", "6200", "6200"), ("a map", "a20106 0a0161120162", "a201060a0161120162"),
        ("an entry without a value", "a201030a0161", "a201050a01611200"),
        ("unknown fields", "f80701" + "f90701020304050607 08" + "fa070161" + "fd0701020304", ""),
        ("a group", "f307" + "0801" + "f407", ""), ("groups", "f307f307f407f407", ""),
        ("a number of 29 bits", "f8ffffff0f00", ""),
    ]

    @Test(arguments: good)
    func reads(_ name: String, _ hex: String, _ expected: String) throws {
        let bytes = try Hex.decode(hex.filter { $0 != " " })
        let message = try? Kitchen(protobuf: bytes)
        #expect(message.map { Hex.encode($0.protobuf()) } == expected, "\(name)")
    }

    @Test(
        arguments: [
            ("number 0", "0001", .badTag), ("wire type 6", "0e", .badTag), ("wire type 7", "0f", .badTag),
            ("a group's end", "0c", .badTag), ("another group's end", "f307fc07", .badTag),
            ("a group without end", "f3070801", .truncated), ("a long tag", "888080808000 01", .badTag),
            ("a number of 30 bits", "888080801000", .badTag), ("a tag alone", "08", .truncated),
            ("half a tag", "f8", .truncated),
            ("an endless varint", "08" + String(repeating: "80", count: 11), .badVarint),
            ("65 bits", "08ffffffffffffffffff02", .badVarint), ("a cut string", "520361", .truncated),
            ("a length of 4 GiB", "52ffffffff0f", .badVarint),
            ("a length of 2 GiB", "52ffffffff07", .truncated),
            ("a long length", "5281808080800061", .badVarint), ("cut fixed", "4d010000", .truncated),
            ("not UTF-8", "5201c3", .badText), ("a surrogate", "5203eda080", .badText),
            ("not UTF-8 in a list", "8a0101ff", .badText), ("a number as text", "5001", .wrongWireType),
            ("text as number", "0a0161", .wrongWireType), ("fixed as varint", "0d01000000", .wrongWireType),
            ("a group as message", "6364", .wrongWireType), ("a message twice", "62006200", .repeatedMessage),
            ("cut in a packed list", "720180", .truncated),
            ("cut fixed in a packed list", "7a0301020 3", .truncated),
            ("a message beyond its parent", "6a036205 08", .truncated),
            ("number 0 in a group", "f3070001f407", .badTag),
            ("a map entry with another field", "a201050a01611801", .badTag),
            ("a cut unknown field", "fa0705", .truncated), ("a cut unknown fixed", "f9070102", .truncated),
        ] as [(String, String, ProtobufError.Code)])
    func refuses(_ name: String, _ hex: String, _ code: ProtobufError.Code) throws {
        let bytes = try Hex.decode(hex.filter { $0 != " " })
        var refusal: ProtobufError.Code?
        do { _ = try Kitchen(protobuf: bytes) } catch { refusal = error.code }
        #expect(refusal == code, "\(name)")
    }

    @Test func limits() throws {
        func refusal(_ bytes: [UInt8], _ limits: Protobuf) -> ProtobufError.Code? {
            do { _ = try Kitchen(protobuf: bytes, limits) } catch { return error.code }
            return nil
        }
        #expect(refusal([8, 1], Protobuf(largest: 2)) == nil)
        #expect(refusal([8, 1], Protobuf(largest: 1)) == .overLimit)
        #expect(refusal([8, 1, 8, 1], Protobuf(fields: 2)) == nil)
        #expect(refusal([8, 1, 8, 1], Protobuf(fields: 1)) == .overLimit)
        #expect(refusal([0x72, 2, 1, 1], Protobuf(fields: 3)) == nil)
        #expect(refusal([0x72, 2, 1, 1], Protobuf(fields: 2)) == .overLimit)
        var nested = Kitchen()
        for _ in 0..<4 {
            var outer = Kitchen()
            outer.kitchens = [nested]
            nested = outer
        }
        #expect(refusal(nested.protobuf(), Protobuf(deepest: 4)) == nil)
        #expect(refusal(nested.protobuf(), Protobuf(deepest: 3)) == .overLimit)
        let groups = [UInt8](repeating: 0x0b, count: 1_000_000)
        #expect(refusal([0xf3, 7] + groups, Protobuf()) == .overLimit)
        let (begin, end): ([UInt8], [UInt8]) = ([0xf3, 7], [0xf4, 7])
        #expect(refusal(begin + begin + end + end, Protobuf(deepest: 2)) == nil)
        #expect(refusal(begin + begin + begin + end + end + end, Protobuf(deepest: 2)) == .overLimit)
        var many = Kitchen()
        many.uint64s = Array(repeating: 1, count: 100)
        many.strings = Array(repeating: "", count: 100)
        many.map = Dictionary(uniqueKeysWithValues: (0..<100).map { ("\($0)", "") })
        #expect(refusal(many.protobuf(), Protobuf()) == nil)
        #expect(refusal(many.protobuf() + [0x70, 1], Protobuf()) == .overLimit)
        #expect(refusal(many.protobuf() + [0x8a, 1, 0], Protobuf()) == .overLimit)
        #expect(refusal(many.protobuf() + [0xa2, 1, 0], Protobuf()) == .overLimit)
    }

    @Test func bytesWhereTheyLie() throws {
        struct Place: ProtobufMessage {
            var range = 0..<0
            var sum = 0

            init(reading reader: inout ProtobufReader) throws(ProtobufError) {
                while let field = try reader.next() {
                    switch field.number {
                    case 1: range = try reader.range(field, limit: 3)
                    case 2:
                        guard let sum = try? reader.withBytes(field, { $0.indices.count }) else {
                            throw ProtobufError(.badValue, at: field.offset)
                        }
                        self.sum = sum
                    default: try reader.skip(field)
                    }
                }
            }

            func write(to writer: inout ProtobufWriter) {}
        }
        let place = try Place(protobuf: [0x0a, 3, 7, 8, 9, 0x12, 2, 1, 1])
        #expect(place.range == 2..<5)
        #expect(place.sum == 2)
        #expect(throws: ProtobufError(.overLimit, at: 1)) { try Place(protobuf: [0x0a, 4, 7, 8, 9, 9]) }
    }

    /// Fields that a message leaves unread are an error of the message, not silence.
    @Test func aMessageReadsToItsEnd() {
        struct Lazy: ProtobufMessage {
            init(reading reader: inout ProtobufReader) throws(ProtobufError) {}
            func write(to writer: inout ProtobufWriter) {}
        }
        struct Outer: ProtobufMessage {
            init(reading reader: inout ProtobufReader) throws(ProtobufError) {
                while let field = try reader.next() { _ = try reader.message(field, Lazy.self) }
            }
            func write(to writer: inout ProtobufWriter) {}
        }
        #expect(throws: ProtobufError(.badTag, at: 2)) { try Outer(protobuf: [0x0a, 2, 8, 1]) }
        #expect(throws: ProtobufError(.badTag, at: 0)) { try Lazy(protobuf: [8, 1]) }
    }
}

@Suite struct ProtobufWriterTests {
    @Test func longBytesAreNotCopied() throws {
        let long = [UInt8](repeating: 7, count: 10_000)
        var writer = ProtobufWriter()
        writer.uint64(1, 1)
        writer.message(12) { writer in
            writer.uint64(1, 300)
            writer.message(2) { $0.bytes(11, long) }
            writer.string(3, "end")
        }
        writer.bytes(11, long)
        let pieces = writer.pieces
        let isShared = pieces.map { piece in
            unsafe piece.withUnsafeBufferPointer { piece in
                unsafe long.withUnsafeBufferPointer { unsafe $0.baseAddress == piece.baseAddress }
            }
        }
        #expect(isShared == [false, true, false, true, false])
        #expect(pieces.flatMap { $0 } == writer.bytes)
        #expect(writer.count == writer.bytes.count)
        let expected =
            try Hex.decode("0801" + "629e4e" + "08ac02" + "12934e" + "5a904e") + long
            + Hex.decode("1a03656e64")
            + Hex.decode("5a904e") + long
        #expect(writer.bytes == expected)
    }

    @Test(arguments: [0, 1, 127, 128, 4095, 4096, 16_383, 16_384, 100_000])
    func lengths(_ count: Int) throws {
        var kitchen = Kitchen()
        kitchen.bytes = [UInt8](repeating: 1, count: count)
        var outer = Kitchen()
        outer.kitchens = [kitchen, kitchen]
        let read = try Kitchen(protobuf: outer.protobuf())
        #expect(read == outer)
    }
}
