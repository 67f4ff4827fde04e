// SPDX-License-Identifier: Apache-2.0

/// A moment in UTC, in whole microseconds since 1970: what a DATETIME(6) column holds.
public struct Timestamp: Hashable, Comparable, Sendable {
    public let microseconds: Int64

    public init(microseconds: Int64) { self.microseconds = microseconds }
    public init(seconds: Int64) { microseconds = seconds &* 1_000_000 }

    public static func < (one: Timestamp, other: Timestamp) -> Bool { one.microseconds < other.microseconds }

    /// What a zero or impossible date of the server is read as. It is in no year, so it cannot be written back either.
    static let impossible = Timestamp(microseconds: .min)

    /// The years that the server stores, 0001 to 9999.
    static let earliest = Timestamp(microseconds: -62_135_596_800_000_000)
    static let latest = Timestamp(microseconds: 253_402_300_799_999_999)
}

/// The fields of a moment in the Gregorian calendar.
struct CivilTime: Hashable {
    var year: Int
    var month: Int
    var day: Int
    var hour: Int
    var minute: Int
    var second: Int
    var microsecond: Int
}

extension CivilTime {
    /// `nil` outside the years that the server stores.
    init?(_ time: Timestamp) {
        guard time >= .earliest, time <= .latest else { return nil }
        let day = Int(floorDivide(time.microseconds, 86_400_000_000))
        let rest = Int(time.microseconds) - day * 86_400_000_000
        // Years begin in March here, so that the leap day is the last of its year; 719468 days lie between
        // 0000-03-01 and 1970-01-01, 146097 in 400 years.
        let shifted = day + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        self.day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        hour = rest / 3_600_000_000
        minute = rest / 60_000_000 % 60
        second = rest / 1_000_000 % 60
        microsecond = rest % 1_000_000
    }

    /// `nil` when a field is out of its range, such as the server's zero dates.
    var timestamp: Timestamp? {
        guard (1...9999).contains(year), (1...12).contains(month), (1...31).contains(day),
            (0...23).contains(hour), (0...59).contains(minute), (0...59).contains(second),
            (0...999_999).contains(microsecond)
        else { return nil }
        let shiftedYear = month <= 2 ? year - 1 : year
        let shiftedMonth = month > 2 ? month - 3 : month + 9
        let dayOfYear = (153 * shiftedMonth + 2) / 5 + day - 1
        let days =
            365 * shiftedYear + shiftedYear / 4 - shiftedYear / 100 + shiftedYear / 400 + dayOfYear - 719_468
        let seconds = ((days * 24 + hour) * 60 + minute) * 60 + second
        let time = Timestamp(microseconds: Int64(seconds) * 1_000_000 + Int64(microsecond))
        return CivilTime(time) == self ? time : nil
    }
}

private func floorDivide(_ number: Int64, _ divisor: Int64) -> Int64 {
    number >= 0 ? number / divisor : -((-number + divisor - 1) / divisor)
}
