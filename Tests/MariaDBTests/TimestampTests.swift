// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

@testable import MariaDB

@Suite struct TimestampTests {
    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000000"),
        (-1, "1969-12-31T23:59:59.999999"),
        (951_782_400_000_000, "2000-02-29T00:00:00.000000"),
        (4_107_542_399_123_456, "2100-02-28T23:59:59.123456"),
        (-62_135_596_800_000_000, "0001-01-01T00:00:00.000000"),
        (253_402_300_799_999_999, "9999-12-31T23:59:59.999999"),
    ])
    func isTheCalendarsMoment(_ microseconds: Int64, _ text: String) throws {
        let civil = try #require(CivilTime(Timestamp(microseconds: microseconds)))
        let digits = [civil.month, civil.day, civil.hour, civil.minute, civil.second].map {
            String(format: "%02d", $0)
        }
        let shown =
            String(format: "%04d", civil.year)
            + "-\(digits[0])-\(digits[1])T\(digits[2]):\(digits[3]):\(digits[4])."
            + String(format: "%06d", civil.microsecond)
        #expect(shown == text)
        #expect(civil.timestamp == Timestamp(microseconds: microseconds))
    }

    @Test(arguments: [
        (2023, 2, 29), (2100, 2, 29), (2024, 4, 31), (0, 1, 1), (10_000, 1, 1), (2024, 0, 1), (2024, 13, 1),
        (2024, 1, 0), (2024, 1, 32),
    ])
    func refusesDaysThatDoNotExist(_ year: Int, _ month: Int, _ day: Int) {
        let civil = CivilTime(
            year: year, month: month, day: day, hour: 0, minute: 0, second: 0, microsecond: 0)
        #expect(civil.timestamp == nil)
    }

    @Test func agreesWithFoundationsCalendar() throws {
        var random = Trials.generator("timestamps")
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = try #require(TimeZone(secondsFromGMT: 0))
        for _ in 0..<Trials.count(2000, full: 200_000) {
            // Foundation's calendar is Julian before October 1582.
            let seconds = Int64.random(in: -12_219_292_800...253_402_300_799, using: &random)
            let civil = try #require(CivilTime(Timestamp(seconds: seconds)))
            let parts = calendar.dateComponents(
                [.year, .month, .day, .hour, .minute, .second],
                from: Date(timeIntervalSince1970: Double(seconds)))
            #expect(parts.year == civil.year && parts.month == civil.month && parts.day == civil.day)
            #expect(parts.hour == civil.hour && parts.minute == civil.minute && parts.second == civil.second)
            #expect(civil.timestamp == Timestamp(seconds: seconds))
        }
    }

    @Test func outsideTheServersYearsThereIsNothing() {
        #expect(CivilTime(Timestamp(microseconds: .min)) == nil)
        #expect(CivilTime(Timestamp(microseconds: .max)) == nil)
    }
}
