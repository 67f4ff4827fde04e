// SPDX-License-Identifier: Apache-2.0

import ASN1
import Bytes
import Foundation
import TestSupport
import Testing

@Suite struct OIDTests {
    @Test(
        arguments: [
            ("0.0", "00"), ("0.39", "27"), ("1.0", "28"), ("1.39", "4f"), ("2.0", "50"), ("2.40", "78"),
            ("2.999", "8837"), ("2.5.4.3", "550403"), ("1.2.840.113549.1.1.11", "2a864886f70d01010b"),
            ("2.25.340282366920938463463374607431768211455", "6983ffffffffffffffffffffffffffffffffff7f"),
        ])
    func comesBack(_ text: String, _ hex: String) throws {
        let oid = try #require(OID(text))
        #expect(Hex.encode(oid.contents) == hex)
        #expect(oid.description == text)
        #expect(OID(contents: try Hex.decode(hex)) == oid)
    }

    @Test(
        arguments: [
            "", "1", "1.", ".1", "3.1", "0.40", "1.40", "1.02", "1.2.", "1..2", "1.2.a", "1.-2", "1.+2",
            " 1.2",
            "1.2 ", "1.2.340282366920938463463374607431768211456",
            "2.340282366920938463463374607431768211455",
            "1.2.3" + String(repeating: ".1", count: 300), "1.٢",
        ])
    func refusesText(_ text: String) { #expect(OID(text) == nil) }

    @Test(arguments: ["", "80", "8001", "2a80", "2a8001", "2aff", "2a84808080808080808080808080808080808000"])
    func refusesContents(_ hex: String) throws { #expect(OID(contents: try Hex.decode(hex)) == nil) }

    @Test func literals() {
        let name: OID = "2.5.4.3"
        #expect(name == OID("2.5.4.3"))
    }
}

@Suite struct TimeTests {
    /// Foundation's calendar knows the same days; before 1582 it is Julian, hence ISO 8601's.
    @Test func agreesWithFoundation() throws {
        var calendar = Calendar(identifier: .iso8601)
        calendar.timeZone = try #require(TimeZone(secondsFromGMT: 0))
        var random = Trials.generator("asn1.time")
        var times: [Int64] = [-1, 0, 951_782_400, 951_868_799, 4_107_542_399, 253_402_300_799]
        for _ in 0..<Trials.count(500, full: 50_000) {
            times.append(Int64.random(in: -12_000_000_000...253_402_300_799, using: &random))
        }
        for seconds in times {
            let time = try #require(ASN1Time(secondsSince1970: seconds))
            let parts = time.components
            let theirs = calendar.dateComponents(
                [.year, .month, .day, .hour, .minute, .second],
                from: Date(timeIntervalSince1970: TimeInterval(seconds)))
            #expect(parts.year == theirs.year && parts.month == theirs.month && parts.day == theirs.day)
            #expect(
                parts.hour == theirs.hour && parts.minute == theirs.minute && parts.second == theirs.second)
        }
    }

    /// Every day of ten thousand years, each one day after the one before.
    @Test func everyDay() throws {
        var expected: Int64 = -62_167_219_200
        var wrong = 0
        for year in 0...9999 {
            for month in 1...12 {
                for day in 1...31 {
                    guard let time = ASN1Time(year: year, month: month, day: day) else { continue }
                    let parts = time.components
                    let isSame = parts.year == year && parts.month == month && parts.day == day
                    if time.secondsSince1970 != expected || !isSame { wrong += 1 }
                    expected += 86_400
                }
            }
        }
        #expect(wrong == 0)
        #expect(expected == 253_402_300_800)
    }

    @Test(
        arguments: [
            ("170d3439313233313233353935395a", "2049-12-31T23:59:59Z"),
            ("170d3530303130313030303030305a", "1950-01-01T00:00:00Z"),
            ("170d3030303232393030303030305a", "2000-02-29T00:00:00Z"),
            ("180f32303530303130313030303030305a", "2050-01-01T00:00:00Z"),
            ("180f31393439313233313233353935395a", "1949-12-31T23:59:59Z"),
            ("180f39393939313233313233353935395a", "9999-12-31T23:59:59Z"),
            ("180f30303030303130313030303030305a", "0000-01-01T00:00:00Z"),
        ])
    func comesBack(_ hex: String, _ text: String) throws {
        let bytes = try Hex.decode(hex)
        var reader = DERReader(bytes.span, DER())
        let time = try reader.time()
        #expect(time.description == text)
        var writer = DERWriter()
        writer.time(time)
        #expect(writer.bytes == bytes)
    }

    @Test(
        arguments: [
            ("time", "180f32303439313233313233353935395a", .notCanonical, "2049 as GeneralizedTime"),
            ("time", "170b353030313031303030305a", .badTime, "no seconds"),
            ("time", "17113530303130313030303030302b30303030", .badTime, "an offset"),
            ("time", "170d3530303130313030303030307a", .badTime, "a small z"),
            ("time", "170d3530303133323030303030305a", .badTime, "the 32nd"),
            ("time", "170d3531303232393030303030305a", .badTime, "no leap year"),
            ("time", "170d3530303030313030303030305a", .badTime, "month 0"),
            ("time", "170d3530303130313234303030305a", .badTime, "hour 24"),
            ("time", "170d3530303130313030303036305a", .badTime, "second 60"),
            ("time", "170d2030303130313030303030305a", .badTime, "a space"),
            ("generalized", "181132303530303130313030303030302e355a", .badTime, "a fraction"),
            ("generalized", "180f32313030303232393030303030305a", .badTime, "2100 is no leap year"),
            ("time", "0400", .unexpectedTag, "another tag"),
        ] as [(String, String, ASN1Error.Code, String)])
    func refuses(_ verb: String, _ hex: String, _ code: ASN1Error.Code, _ why: String) throws {
        let bytes = try Hex.decode(hex)
        #expect(throws: ASN1Error(code, at: 0), "\(why)") {
            var reader = DERReader(bytes.span, DER())
            _ = try Reading.read(verb, &reader)
        }
    }

    @Test func limits() {
        #expect(ASN1Time(secondsSince1970: 253_402_300_800) == nil)
        #expect(ASN1Time(secondsSince1970: -62_167_219_201) == nil)
        #expect(ASN1Time(secondsSince1970: .max) == nil)
        #expect(ASN1Time(year: 10_000, month: 1, day: 1) == nil)
        #expect(ASN1Time(year: -1, month: 1, day: 1) == nil)
    }
}

@Suite struct DERWriterTests {
    @Test func writes() throws {
        let time = try #require(ASN1Time(year: 2050, month: 1, day: 1))
        var writer = DERWriter()
        try writer.sequence { writer in
            writer.boolean(true)
            writer.integer(-129)
            writer.integer(magnitude: [0, 0, 0x80])
            writer.integer(magnitude: [])
            writer.bitString(BitString(named: [0, 9]))
            writer.bitString(BitString(named: []))
            writer.null()
            writer.explicit(1) { $0.integer(5, .primitive(2)) }
            writer.setOf([300, 5, 5]) { $0.integer($1) }
            writer.octetStringHolding { $0.oid("2.5.4.3") }
            writer.bitStringHolding { $0.integer(1) }
            writer.time(time)
            try writer.printableString("Ab 1")
            writer.octetString([1], DERTag(.application, 1000))
        }
        let expected =
            "3052" + "0101ff" + "0202ff7f" + "02020080" + "020100" + "0303068040" + "030100" + "0500"
            + "a103820105" + "310a" + "020105" + "020105" + "0202012c" + "0405" + "0603550403"
            + "030400020101"
            + "180f32303530303130313030303030305a" + "130441622031" + "5f87680101"
        #expect(Hex.encode(writer.bytes) == expected)
    }

    @Test func refusesText() {
        var writer = DERWriter()
        #expect(throws: ASN1Error(.badText, at: 1)) { try writer.printableString("a@") }
        #expect(throws: ASN1Error(.badText, at: 0)) { try writer.ia5String("é") }
        #expect(throws: ASN1Error(.badText, at: 2)) { try writer.utf8String("é\0") }
        #expect(writer.bytes.isEmpty)
    }

    @Test(arguments: [0, 127, 128, 255, 256, 65_535, 65_536, 1 << 24])
    func lengths(_ count: Int) throws {
        var writer = DERWriter()
        writer.octetString([UInt8](repeating: 7, count: count))
        var reader = DERReader(writer.bytes.span, DER())
        let read = try reader.octetString()
        #expect(read.count == count)
    }
}
