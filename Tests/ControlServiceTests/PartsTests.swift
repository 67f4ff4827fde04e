// SPDX-License-Identifier: Apache-2.0

import Keyring
import Testing

@testable import ControlService

@Suite struct PartsTests {
    @Test(arguments: [
        ("1970-01-01T00:00:00Z", 0), ("2000-02-29 12:00:00Z", 951_825_600),
        ("2030-01-01T00:00:00.123456789Z", 1_893_456_000), ("2030-01-01T02:00:00+02:00", 1_893_456_000),
        ("2029-12-31T19:30:00-04:30", 1_893_456_000), ("2030-01-01T00:00:00.5-00:00", 1_893_456_000),
    ])
    func readsTimestamps(_ text: String, _ seconds: Int64) {
        #expect(Timestamp.parse(text) == Moment(seconds: seconds))
    }

    @Test(arguments: [
        "", "2030-01-01", "2030-01-01T00:00:00", "2030-01-01T00:00Z", "2030-1-1T00:00:00Z",
        "2030-02-30T00:00:00Z", "2030-01-01T24:00:00Z", "2030-01-01T23:59:60Z", "2030-01-01t00:00:00Z",
        "2030-01-01T00:00:00z", "2030-01-01T00:00:00.Z", "2030-01-01T00:00:00.1234567890Z",
        "2030-01-01T00:00:00+0200", "2030-01-01T00:00:00+24:00", "2030-01-01T00:00:00+02:60",
        "2030-01-01T00:00:00Z ", " 2030-01-01T00:00:00Z", "2030-01-01T00:00:00ZZ", "+030-01-01T00:00:00Z",
        "2030/01/01T00:00:00Z", "0000-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01",
        "2030-01-01T00:00:00\u{e9}\u{e9}",
    ])
    func refusesTimestamps(_ text: String) { #expect(Timestamp.parse(text) == nil) }

    @Test(arguments: [Int64(0), 951_825_600, 4_102_444_799, -1])
    func writesWhatItReads(_ seconds: Int64) {
        let moment = Moment(seconds: seconds)
        #expect(Timestamp.parse(Timestamp.text(moment)) == moment)
    }

    @Test(arguments: [
        ("*", "anything"), ("a*", "a"), ("a*", "abc"), ("*c", "abc"), ("a*c", "ac"), ("a*b*c", "axbyc"),
        ("a*b*c", "abbbc"), ("same", "same"), ("**", ""), ("*.key", "a.key.key"),
    ])
    func namesMatch(_ pattern: String, _ name: String) throws {
        #expect(try NamePattern(pattern).matches(name))
    }

    @Test(arguments: [
        ("a*", "ba"), ("*c", "cb"), ("a*a", "a"), ("ab*ba", "aba"), ("a*b*c", "acb"), ("same", "sames"),
        ("same", "sam"), ("a*b*b", "ab"),
    ])
    func namesDoNotMatch(_ pattern: String, _ name: String) throws {
        #expect(try !NamePattern(pattern).matches(name))
    }

    @Test(arguments: ["", "*********", String(repeating: "a", count: 257)])
    func refusesPatterns(_ pattern: String) {
        #expect(throws: ControlError.self) { try NamePattern(pattern) }
    }
}
