// SPDX-License-Identifier: Apache-2.0

import Bytes
import Protobuf
import TestSupport
import Testing

/// The same bytes through this reader and Python's protobuf, whose messages are declared at run time.
@Suite struct DifferentialTests {
    @Test func agreesWithPython() throws {
        var random = Trials.generator("protobuf.python")
        var inputs: [[UInt8]] = []
        for _ in 0..<Trials.count(3_000, full: 300_000) {
            var bytes = Kitchen.random(2, &random).protobuf()
            for _ in 0..<Int.random(in: 0..<3, using: &random) { bytes = Self.spoil(bytes, &random) }
            inputs.append(bytes)
        }
        let lines = inputs.map { Hex.encode($0) + "\n" }.joined()
        let answers = try Command.python(Self.oracle, input: Array(lines.utf8)).text
            .split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        try #require(answers.count == inputs.count)
        var accepted = 0
        for (input, answer) in zip(inputs, answers) {
            var own: Kitchen?
            var refusal: ProtobufError?
            do { own = try Kitchen(protobuf: input) } catch { refusal = error }
            let comment = "\(Hex.encode(input)) \(refusal?.description ?? "")"
            #expect((own == nil) == (answer == "-"), "\(comment)")
            guard let own, answer != "-" else { continue }
            accepted += 1
            let theirs = try Kitchen(protobuf: Hex.decode(String(answer)))
            #expect(own == theirs, "\(comment)")
            // Each library has its own order of a map's entries.
            if !own.hasLongMap { #expect(Hex.encode(own.protobuf()) == answer, "\(comment)") }
        }
        #expect(accepted > inputs.count / 3 && accepted < inputs.count)
    }

    @Test func pythonWritesTheTableTheSame() throws {
        let lines = ProtobufReaderTests.good.map { $0.1.filter { $0 != " " } + "\n" }.joined()
        let answers = try Command.python(Self.oracle, input: Array(lines.utf8)).text
            .split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        #expect(answers.map { String($0) } == ProtobufReaderTests.good.map { $0.2.filter { $0 != " " } })
    }

    static func spoil(_ bytes: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
        var spoiled = bytes
        let place = Int.random(in: 0...bytes.count, using: &random)
        let byte = UInt8.random(in: .min ... .max, using: &random)
        let other = Kitchen.random(0, &random).protobuf()
        switch Int.random(in: 0..<9, using: &random) {
        case 0: spoiled.insert(byte, at: place)
        case 1 where place < bytes.count: spoiled.remove(at: place)
        case 2 where place < bytes.count: spoiled[place] ^= 1 << (byte & 7)
        case 3: spoiled = Array(bytes[..<place])
        case 4: spoiled += other
        case 5: spoiled = Array(bytes[..<place]) + other
        // An unknown field, a group, a varint that is longer than needed.
        case 6: spoiled += [0xf8, 0x07, byte | 0x80, 0x80, 0x00]
        case 7: spoiled += [0xf3, 0x07] + other + [0xf4, 0x07]
        case 8: spoiled += [0x08] + [UInt8](repeating: 0x80 | byte, count: Int(byte % 11)) + [byte & 3]
        default: break
        }
        return spoiled
    }

    /// Prints the message as Python writes it, or `-`: for what it refuses, and for what `Protobuf` says is refused
    /// here alone, which a walk over the fields finds.
    static let oracle = """
        import sys
        from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
        from google.protobuf.message import DecodeError
        F = descriptor_pb2.FieldDescriptorProto
        file = descriptor_pb2.FileDescriptorProto(name='k.proto', package='k', syntax='proto3')
        def add(message, number, type, repeated=False, name=None, presence=False):
            f = message.field.add(name=f'f{number}', number=number, label=3 if repeated else 1)
            if name: f.type, f.type_name = 11, name
            else: f.type = type
            if presence:
                message.oneof_decl.add(name='_f')
                f.oneof_index, f.proto3_optional = 0, True
        small = file.message_type.add(name='Small')
        add(small, 1, F.TYPE_UINT32, presence=True)
        add(small, 2, F.TYPE_STRING)
        kitchen = file.message_type.add(name='Kitchen')
        scalars = [F.TYPE_UINT64, F.TYPE_INT64, F.TYPE_UINT32, F.TYPE_INT32, F.TYPE_SINT64, F.TYPE_SINT32,
            F.TYPE_BOOL, F.TYPE_FIXED64, F.TYPE_FIXED32, F.TYPE_STRING, F.TYPE_BYTES]
        for number, type in enumerate(scalars, 1): add(kitchen, number, type)
        add(kitchen, 12, None, name='.k.Small')
        add(kitchen, 13, None, True, '.k.Kitchen')
        lists = [F.TYPE_UINT64, F.TYPE_FIXED32, F.TYPE_FIXED64, F.TYPE_STRING, F.TYPE_BYTES, F.TYPE_INT32]
        for number, type in enumerate(lists, 14): add(kitchen, number, type, True)
        entry = kitchen.nested_type.add(name='F20Entry')
        entry.options.map_entry = True
        add(entry, 1, F.TYPE_STRING)
        entry.field[0].name = 'key'
        add(entry, 2, F.TYPE_STRING)
        entry.field[1].name = 'value'
        add(kitchen, 20, None, True, '.k.Kitchen.F20Entry')
        pool = descriptor_pool.DescriptorPool()
        pool.Add(file)
        Kitchen = message_factory.GetMessageClass(pool.FindMessageTypeByName('k.Kitchen'))

        # The wire types that a known field may have, and the message inside.
        K = {n: {0} for n in range(1, 8)} | {8: {1}, 9: {5}, 10: {2}, 11: {2}, 12: {2}, 13: {2}, 14: {0, 2},
            15: {5, 2}, 16: {1, 2}, 17: {2}, 18: {2}, 19: {0, 2}, 20: {2}}
        T = {1: {2}, 2: {2}}
        S = {1: {0}, 2: {2}}
        inner = {id(K): {12: S, 13: K, 20: T}}
        def varint(data, place):
            value = 0
            for index in range(10):
                byte = data[place + index]
                value |= (byte & 127) << 7 * index
                if byte < 128: break
            return value, place + index + 1
        def decided(data, known):
            place, seen, groups = 0, set(), 0
            while place < len(data):
                tag, place = varint(data, place)
                number, wire = tag >> 3, tag & 7
                if number == 0 or known is T and number not in T: return True
                if wire == 3:
                    # An unknown group; its fields are nobody's.
                    if number in known: return True
                    groups += 1
                    continue
                if wire == 4:
                    groups -= 1
                    continue
                mine = known if groups == 0 else {}
                if number in mine and wire not in mine[number]: return True
                if wire == 0:
                    value, place = varint(data, place)
                    if value >> 64: return True
                elif wire == 2:
                    length, place = varint(data, place)
                    part = data[place:place + length]
                    place += length
                    message = inner.get(id(mine), {}).get(number)
                    if message is not None:
                        if message is S and number in seen: return True
                        seen.add(number)
                        if decided(part, message): return True
                    elif number in mine and 0 in mine[number]:
                        at = 0
                        while at < len(part):
                            value, at = varint(part, at)
                            if value >> 64: return True
                else: place += 8 if wire == 1 else 4
            return False
        def clean(message):
            message.DiscardUnknownFields()
            return message.SerializeToString(deterministic=True).hex()
        for line in sys.stdin:
            data = bytes.fromhex(line.strip())
            message = Kitchen()
            try: message.ParseFromString(data)
            except DecodeError:
                print('-')
                continue
            print('-' if decided(data, K) else clean(message))
        """
}

extension Kitchen {
    fileprivate var hasLongMap: Bool { map.count > 1 || kitchens.contains { $0.hasLongMap } }
}
