// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import Glibc

/// The Date field, made once a second (RFC 9110 section 5.6.7), like `Sun, 06 Nov 1994 08:49:37 GMT`.
struct DateField: ~Copyable, Sendable {
    private let last = Lock<(second: Int64, text: String)>((.min, ""))

    func text(at now: WallTime = .now()) -> String {
        last.withLock { last in
            if last.second != now.seconds { last = (now.seconds, Self.text(now)) }
            return last.text
        }
    }

    static func text(_ time: WallTime) -> String {
        var seconds = time_t(time.seconds)
        var parts = unsafe tm()
        // Both are ours for the call.
        unsafe gmtime_r(&seconds, &parts)
        let clock = unsafe [parts.tm_hour, parts.tm_min, parts.tm_sec].map(two).joined(separator: ":")
        let day = unsafe "\(days[Int(parts.tm_wday)]), \(two(parts.tm_mday))"
        return unsafe "\(day) \(months[Int(parts.tm_mon)]) \(parts.tm_year + 1900) \(clock) GMT"
    }

    private static func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
    private static let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
}
