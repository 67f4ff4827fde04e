// SPDX-License-Identifier: Apache-2.0

import ASN1
import Bytes
import Testing

/// A verb of the reader, the element in hexadecimal, and what comes out as text.
struct Reading: Sendable, CustomTestStringConvertible {
    let verb: String
    let hex: String
    let expected: String?
    let code: ASN1Error.Code?

    init(_ verb: String, _ hex: String, _ expected: String) {
        (self.verb, self.hex, self.expected, code) = (verb, hex, expected, nil)
    }

    init(_ verb: String, _ hex: String, bad code: ASN1Error.Code) {
        (self.verb, self.hex, expected, self.code) = (verb, hex, nil, code)
    }

    var testDescription: String { "\(verb) \(hex)" }

    static func read(_ verb: String, _ reader: inout DERReader) throws -> String {
        switch verb {
        case "boolean": "\(try reader.boolean())"
        case "flag": "\(try reader.booleanDefaultingToFalse())"
        case "bytes": Hex.encode(try reader.integerBytes())
        case "magnitude": Hex.encode(try reader.magnitude(limit: 4))
        case "integer": "\(try reader.integer())"
        case "bits": try describe(reader.bitString())
        case "named": try describe(reader.namedBits())
        case "octets": Hex.encode(try reader.octetString())
        case "null": "\(try reader.null())"
        case "oid": "\(try reader.oid())"
        case "utf8": try reader.utf8String()
        case "printable": try reader.printableString()
        case "ia5": try reader.ia5String()
        case "text": try reader.directoryText()
        case "time": "\(try reader.time())"
        case "utc": "\(try reader.utcTime())"
        case "generalized": "\(try reader.generalizedTime())"
        case "integers": "\(try reader.sequenceOf(limit: 3) { try $0.integer() })"
        case "numbers": "\(try reader.sequenceOf { try $0.integer() })"
        case "set": "\(try reader.setOf { try $0.integer() })"
        case "explicit": "\(try reader.explicit(1) { try $0.integer() })"
        case "implicit": "\(try reader.integer(.primitive(1)))"
        case "octets of": "\(try reader.octetStringHolding { try $0.integer() })"
        case "bits of": "\(try reader.bitStringHolding { try $0.integer() })"
        case "element": Hex.encode(try reader.element())
        default: "unknown verb"
        }
    }

    private static func describe(_ bits: BitString) -> String {
        (0..<bits.count).map { bits[$0] ? "1" : "0" }.joined()
    }
}

@Suite struct DERReaderTests {
    @Test(arguments: [
        Reading("boolean", "0101ff", "true"), Reading("boolean", "010100", "false"),
        Reading("boolean", "010101", bad: .notCanonical), Reading("boolean", "0100", bad: .badValue),
        Reading("boolean", "0102ffff", bad: .badValue), Reading("flag", "0101ff", "true"),
        Reading("flag", "", "false"), Reading("flag", "010100", bad: .notCanonical),
        Reading("integer", "020100", "0"), Reading("integer", "02017f", "127"),
        Reading("integer", "02020080", "128"), Reading("integer", "020180", "-128"),
        Reading("integer", "0202ff7f", "-129"), Reading("integer", "02087fffffffffffffff", "\(Int.max)"),
        Reading("integer", "02088000000000000000", "\(Int.min)"),
        Reading("integer", "0209008000000000000000", bad: .overLimit),
        Reading("integer", "0200", bad: .badValue), Reading("integer", "02020001", bad: .notCanonical),
        Reading("integer", "0202ffff", bad: .notCanonical), Reading("integer", "040100", bad: .unexpectedTag),
        Reading("bytes", "0202ff7f", "ff7f"), Reading("magnitude", "020100", ""),
        Reading("magnitude", "02020080", "80"), Reading("magnitude", "020500ffffffff", "ffffffff"),
        Reading("magnitude", "02050100000000", bad: .overLimit),
        Reading("magnitude", "0201ff", bad: .badValue),
        Reading("bits", "030100", ""), Reading("bits", "030203a8", "10101"),
        Reading("bits", "030203a9", bad: .notCanonical), Reading("bits", "030101", bad: .badValue),
        Reading("bits", "03020800", bad: .badValue), Reading("bits", "0300", bad: .badValue),
        Reading("named", "030206c0", "11"), Reading("named", "030206 80", bad: .notCanonical),
        Reading("named", "030100", ""), Reading("octets", "0400", ""), Reading("octets", "0402beef", "beef"),
        Reading("octets", "2400", bad: .unexpectedTag), Reading("null", "0500", "()"),
        Reading("null", "050100", bad: .badValue),
    ])
    func values(_ reading: Reading) throws { try check(reading) }

    @Test(arguments: [
        Reading("octets", "048100", bad: .notCanonical), Reading("octets", "0480", bad: .notCanonical),
        Reading("octets", "04820002beef", bad: .notCanonical), Reading("octets", "04ff", bad: .overLimit),
        Reading("octets", "048501000000aa", bad: .overLimit),
        Reading("octets", "0484ffffffff", bad: .truncated),
        Reading("octets", "0403beef", bad: .truncated), Reading("octets", "04", bad: .truncated),
        Reading("octets", "0482", bad: .truncated), Reading("octets", "", bad: .truncated),
        Reading("octets", "0402beef00", bad: .trailing),
        Reading(
            "octets", "0481" + "80" + String(repeating: "00", count: 128), String(repeating: "00", count: 128)
        ),
        Reading("octets", "0482" + "0080" + String(repeating: "00", count: 128), bad: .notCanonical),
        Reading("element", "1f1f00", "1f1f00"), Reading("element", "1f1e00", bad: .notCanonical),
        Reading("element", "1f801f00", bad: .notCanonical),
        Reading("element", "1fffffff7f00", "1fffffff7f00"),
        Reading("element", "1f818080800000", bad: .overLimit), Reading("element", "1f", bad: .truncated),
        Reading("element", "df8100" + "01aa", "df810001aa"), Reading("element", "3003020101", "3003020101"),
        Reading("integers", "3006020101020102", "[1, 2]"), Reading("integers", "3000", "[]"),
        Reading("integers", "3080020101" + "0000", bad: .notCanonical),
        Reading("integers", "300c020101020101020101020101", bad: .overLimit),
        Reading("integers", "3004020101", bad: .truncated),
        Reading("integers", "3002020101", bad: .truncated),
        Reading("set", "3106020101020102", "[1, 2]"), Reading("set", "3106020102020101", bad: .notCanonical),
        Reading("set", "3106020101020101", "[1, 1]"), Reading("set", "310702010502020100", "[5, 256]"),
        Reading("set", "310702020100020105", bad: .notCanonical),
        Reading("explicit", "a103020105", "5"), Reading("explicit", "a106020105020106", bad: .trailing),
        Reading("explicit", "a003020105", bad: .unexpectedTag), Reading("implicit", "810105", "5"),
        Reading("implicit", "020105", bad: .unexpectedTag), Reading("octets of", "0403020105", "5"),
        Reading("octets of", "040402010500", bad: .trailing), Reading("bits of", "030400020105", "5"),
        Reading("bits of", "030401020104", bad: .badValue), Reading("bits of", "0300", bad: .badValue),
    ])
    func structure(_ reading: Reading) throws { try check(reading) }

    @Test(arguments: [
        Reading("utf8", "0c04c3a96161", "éaa"), Reading("utf8", "0c01c3", bad: .badText),
        Reading("utf8", "0c0100", bad: .badText), Reading("utf8", "0c02c080", bad: .badText),
        Reading("printable", "1305" + "612d7a3f20", "a-z? "), Reading("printable", "130140", bad: .badText),
        Reading("printable", "13012a", bad: .badText), Reading("ia5", "160140", "@"),
        Reading("ia5", "1601c3", bad: .badText), Reading("ia5", "1600", ""),
        Reading("text", "13012a", "*"), Reading("text", "130109", bad: .badText),
        Reading("text", "1401e9", "é"), Reading("text", "140100", bad: .badText),
        Reading("text", "1e0400e920ac", "é€"), Reading("text", "1e0161", bad: .badText),
        Reading("text", "1e04d834dd1e", "𝄞"), Reading("text", "1e02d834", bad: .badText),
        Reading("text", "1c040001d11e", "𝄞"), Reading("text", "1c0400110000", bad: .badText),
        Reading("text", "1c03000061", bad: .badText), Reading("text", "120231 20", "1 "),
        Reading("text", "120161", bad: .badText), Reading("text", "1a0161", "a"),
        Reading("text", "0c0161", "a"), Reading("text", "160161", "a"),
        Reading("text", "0201 61", bad: .unexpectedTag),
        Reading("text", "", bad: .truncated),
    ])
    func text(_ reading: Reading) throws { try check(reading) }

    @Test func depthIsLimited() throws {
        func nested(_ depth: Int) -> [UInt8] {
            var bytes: [UInt8] = []
            for _ in 0..<depth {
                var writer = DERWriter()
                writer.sequence { $0.encoded(bytes) }
                bytes = writer.bytes
            }
            return bytes
        }
        func descend(_ reader: inout DERReader) throws {
            try reader.sequence { if !$0.isAtEnd { try descend(&$0) } }
        }
        for (depth, limit, isFine) in [(3, 3, true), (4, 3, false), (32, 32, true), (33, 32, false)] {
            let bytes = nested(depth)
            var reader = DERReader(bytes.span, DER(deepest: limit))
            var refusal: ASN1Error.Code?
            do { try descend(&reader) } catch let error as ASN1Error { refusal = error.code }
            #expect(refusal == (isFine ? nil : .overLimit))
        }
    }

    @Test func optionalElementsAndPlaces() throws {
        let bytes = try Hex.decode("300b" + "a003020102" + "020105" + "810107")
        var reader = DERReader(bytes.span, DER())
        let read = try reader.sequence { reader in
            let version = try reader.optionalExplicit(0) { try $0.integer() }
            let body = try reader.located { try $0.integer() }
            let absent = try reader.optional(.constructed(3)) { try $0.integer(.constructed(3)) }
            let tag = reader.nextTag
            let present = try reader.optional(.primitive(1)) { try $0.integer(.primitive(1)) }
            let copy = try reader.copy(body.range)
            return (version, body.value, body.range, absent, present, copy, tag)
        }
        #expect(read.0 == 2)
        #expect(read.1 == 5)
        #expect(read.2 == 7..<10)
        #expect(read.3 == nil)
        #expect(read.4 == 7)
        #expect(read.5 == [2, 1, 5])
        #expect(read.6 == .primitive(1))
        let isAtEnd = reader.isAtEnd
        #expect(isAtEnd)
    }

    @Test func octetStringsInPlace() throws {
        let bytes = try Hex.decode("0403010203")
        let copy = try [UInt8](capacity: 3) { output in
            var reader = DERReader(bytes.span, DER())
            try reader.octetString(into: &output)
        }
        #expect(copy == [1, 2, 3])
        #expect(throws: ASN1Error(.overLimit, at: 2)) {
            _ = try [UInt8](capacity: 2) { output in
                var reader = DERReader(bytes.span, DER())
                try reader.octetString(into: &output)
            }
        }
        var reader = DERReader(bytes.span, DER())
        let sum = try reader.withOctetString { span in span.indices.reduce(0) { $0 + Int(span[$1]) } }
        #expect(sum == 6)
    }

    @Test func everyCutIsRefused() throws {
        let whole = try Hex.decode("300b" + "a003020102" + "020105" + "810107")
        for count in 0..<whole.count {
            #expect(throws: ASN1Error.self, "\(count) bytes") { try Tree(der: Array(whole[..<count])) }
        }
        _ = try Tree(der: whole)
    }

    private func check(_ reading: Reading) throws {
        let bytes = try Hex.decode(reading.hex.filter { $0 != " " })
        var text: String?
        var refusal: ASN1Error.Code?
        do {
            var reader = DERReader(bytes.span, DER())
            text = try Reading.read(reading.verb, &reader)
            try reader.expectEnd()
        } catch let error as ASN1Error {
            text = nil
            refusal = error.code
        }
        #expect(text == reading.expected)
        #expect(refusal == reading.code)
    }
}
