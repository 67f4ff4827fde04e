// SPDX-License-Identifier: Apache-2.0

import Bytes
import TestSupport
import Testing

@Suite struct ByteReaderTests {
    @Test func readsBothOrders() throws {
        let bytes: [UInt8] = [
            1, 2, 1, 2, 1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8,
        ]
        var reader = ByteReader(bytes.span)
        let shorts = (try reader.readUInt16(), try reader.readUInt16(.little))
        let words = (try reader.readUInt32(), try reader.readUInt32(.little))
        let longs = (try reader.readUInt64(), try reader.readUInt64(.little))
        #expect(shorts == (0x0102, 0x0201))
        #expect(words == (0x0102_0304, 0x0403_0201))
        #expect(longs == (0x0102_0304_0506_0708, 0x0807_0605_0403_0201))
        try reader.expectEnd()
    }

    @Test func aFailedReadMovesNothing() throws {
        let bytes: [UInt8] = [9, 0x80]
        var reader = ByteReader(bytes.span)
        let first = try reader.readUInt8()
        #expect(first == 9)
        let failures = [
            refusal { () throws(BytesError) in _ = try reader.readUInt16() },
            refusal { () throws(BytesError) in _ = try reader.readUInt32() },
            refusal { () throws(BytesError) in _ = try reader.readUInt64(.little) },
            refusal { () throws(BytesError) in _ = try reader.readVarint() },
            refusal { () throws(BytesError) in _ = try reader.readArray(2) },
            refusal { () throws(BytesError) in _ = try reader.readArray(-1) },
            refusal { () throws(BytesError) in _ = try reader.readArray(1, limit: 0) },
            refusal { () throws(BytesError) in try reader.skip(2) },
            refusal { () throws(BytesError) in try reader.skip(-1) },
            refusal { () throws(BytesError) in try reader.seek(to: 3) },
            refusal { () throws(BytesError) in try reader.seek(to: -1) },
            refusal { () throws(BytesError) in try reader.expectEnd() },
        ]
        let codes = failures.map { $0?.code }
        #expect(
            codes == [
                .truncated, .truncated, .truncated, .truncated, .truncated, .overLimit, .overLimit,
                .truncated,
                .truncated, .truncated, .truncated, .trailing,
            ])
        let (offset, remaining, next) = (reader.offset, reader.remaining, reader.peek())
        #expect((offset, remaining, next) == (1, 1, 0x80))
    }

    private func refusal(_ read: () throws(BytesError) -> Void) -> BytesError? {
        do { try read() } catch { return error }
        return nil
    }

    @Test(
        arguments: [
            ([0], 0), ([0x7f], 127), ([0xac, 0x02], 300), ([0x80, 0x00], 0), ([0xac, 0x82, 0x00], 300),
            ([0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01], 1 << 63),
            ([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], .max),
            ([0xff, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00], 127),
        ] as [([UInt8], UInt64)])
    func readsVarints(_ bytes: [UInt8], _ value: UInt64) throws {
        var reader = ByteReader(bytes.span)
        let read = try reader.readVarint()
        #expect(read == value)
        try reader.expectEnd()
        var writer = ByteWriter()
        writer.writeVarint(value)
        #expect(writer.count <= bytes.count)
        if bytes.last != 0 || bytes.count == 1 { #expect(writer.bytes == bytes) }
    }

    @Test(
        arguments: [
            ([], .truncated), ([0x80], .truncated), ([UInt8](repeating: 0x80, count: 9), .truncated),
            ([UInt8](repeating: 0x80, count: 9) + [2], .badVarint),
            ([UInt8](repeating: 0x80, count: 10) + [0], .badVarint),
        ] as [([UInt8], BytesError.Code)])
    func refusesVarints(_ bytes: [UInt8], _ code: BytesError.Code) {
        #expect(throws: BytesError(code, at: 0)) {
            var reader = ByteReader(bytes.span)
            _ = try reader.readVarint()
        }
    }

    @Test func slicesAndCopies() throws {
        let bytes: [UInt8] = Array(0..<100)
        var reader = ByteReader(bytes.span)
        try reader.skip(10)
        let slice = try reader.readSpan(20, limit: 20)
        let copy = [UInt8](copying: slice)
        #expect(copy == Array(10..<30))
        try reader.seek(to: 90)
        let rest = [UInt8](copying: reader.rest)
        #expect(rest == Array(90..<100))
        var writer = ByteWriter(reserving: 4)
        writer.write(slice)
        writer.write(utf8: "é")
        #expect(writer.bytes == Array(10..<30) + [0xc3, 0xa9])
        let filled = try [UInt8](capacity: 25) { (output) throws(BytesError) in
            output.append(1)
            try output.append(copying: slice)
        }
        #expect(filled == [1] + Array(10..<30))
        #expect(throws: BytesError(.overLimit, at: 19)) {
            _ = try [UInt8](capacity: 19) { (output) throws(BytesError) in
                try output.append(copying: bytes.span.extracting(0..<20))
            }
        }
    }

    @Test func emptyBytes() throws {
        let none: [UInt8] = []
        var reader = ByteReader(none.span)
        let copy = try reader.readArray(0)
        #expect(copy.isEmpty)
        try reader.expectEnd()
        var writer = ByteWriter()
        writer.write(none.span)
        #expect(writer.bytes.isEmpty)
        let filled = try [UInt8](capacity: 0) { (output) throws(BytesError) in
            try output.append(copying: none.span)
        }
        #expect(filled.isEmpty)
    }

    @Test func textIsValidated() {
        #expect(String(validatingUTF8: Array("é€𝄞".utf8).span) == "é€𝄞")
        for bad: [UInt8] in [[0x80], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xc3]] {
            #expect(String(validatingUTF8: bad.span) == nil)
        }
    }

    /// Integers of all widths in both orders come back from what was written.
    @Test func readsWhatWasWritten() throws {
        var random = Trials.generator("integers")
        for _ in 0..<Trials.count(200, full: 20_000) {
            let value =
                UInt64.random(in: .min ... .max, using: &random) >> UInt64.random(in: 0..<64, using: &random)
            let order: ByteOrder = Bool.random(using: &random) ? .big : .little
            var writer = ByteWriter()
            writer.write(UInt8(truncatingIfNeeded: value))
            writer.write(UInt16(truncatingIfNeeded: value), order)
            writer.write(UInt32(truncatingIfNeeded: value), order)
            writer.write(value, order)
            writer.writeVarint(value)
            var reader = ByteReader(writer.bytes.span)
            let read = (
                try reader.readUInt8(), try reader.readUInt16(order), try reader.readUInt32(order),
                try reader.readUInt64(order), try reader.readVarint()
            )
            try reader.expectEnd()
            #expect(read.0 == UInt8(truncatingIfNeeded: value))
            #expect(read.1 == UInt16(truncatingIfNeeded: value))
            #expect(read.2 == UInt32(truncatingIfNeeded: value))
            #expect(read.3 == value)
            #expect(read.4 == value)
        }
    }
}
