// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// A moment of the wall clock, for the log alone.
public struct WallTime: Hashable, Sendable {
    public var seconds: Int64
    public var nanoseconds: Int32

    public init(seconds: Int64, nanoseconds: Int32 = 0) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    public static func now() -> WallTime {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return WallTime(seconds: Int64(time.tv_sec), nanoseconds: Int32(time.tv_nsec))
    }

    /// RFC 3339 in UTC with microseconds, like `2026-02-28T23:59:59.000001Z`.
    func append(to line: inout [UInt8]) {
        let (year, month, day) = civil()
        let ofDay = seconds - days * 86_400
        let fields: [(Int64, Int, StaticString)] = [
            (year, 4, "-"), (month, 2, "-"), (day, 2, "T"), (ofDay / 3600, 2, ":"),
            (ofDay / 60 % 60, 2, ":"), (ofDay % 60, 2, "."), (Int64(nanoseconds / 1000), 6, "Z"),
        ]
        for (value, width, separator) in fields {
            let digits = String(value)
            line += Array(repeating: UInt8(ascii: "0"), count: max(0, width - digits.utf8.count))
            line += Array(digits.utf8)
            line += Array(separator.description.utf8)
        }
    }

    private var days: Int64 { (seconds - (seconds < 0 ? 86_399 : 0)) / 86_400 }

    /// Years are counted from March, so that the leap day is the last; 146,097 days are four centuries.
    private func civil() -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = (shifted - (shifted < 0 ? 146_096 : 0)) / 146_097
        let ofEra = shifted - era * 146_097
        let yearOfEra = (ofEra - ofEra / 1460 + ofEra / 36_524 - ofEra / 146_096) / 365
        let ofYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let fromMarch = (5 * ofYear + 2) / 153
        let month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9
        return (
            yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, ofYear - (153 * fromMarch + 2) / 5 + 1
        )
    }
}
