// SPDX-License-Identifier: Apache-2.0

/// `grpc-timeout`: at most eight digits and a unit.
///
/// ```text
/// Timeout = 1*8DIGIT ( "H" / "M" / "S" / "m" / "u" / "n" )
/// ```
package enum Timeout {
    package static func parse(_ text: String) -> Duration? {
        guard let unit = text.utf8.last, (2...9).contains(text.utf8.count) else { return nil }
        let digits = text.utf8.dropLast()
        guard digits.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let count = Int64(String(text.dropLast()))
        else {
            return nil
        }
        switch unit {
        case UInt8(ascii: "H"): return .seconds(count * 3600)
        case UInt8(ascii: "M"): return .seconds(count * 60)
        case UInt8(ascii: "S"): return .seconds(count)
        case UInt8(ascii: "m"): return .milliseconds(count)
        case UInt8(ascii: "u"): return .microseconds(count)
        case UInt8(ascii: "n"): return .nanoseconds(count)
        default: return nil
        }
    }

    /// The finest unit in which the time fits; never less than the time.
    package static func format(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        guard seconds >= 0, attoseconds >= 0 else { return "0n" }
        let units: [(perSecond: Int64, letter: String)] = [
            (1_000_000_000, "n"), (1_000_000, "u"), (1000, "m"), (1, "S"),
        ]
        for (perSecond, letter) in units {
            let (whole, overflows) = seconds.multipliedReportingOverflow(by: perSecond)
            let step = 1_000_000_000_000_000_000 / perSecond
            let part = (attoseconds + step - 1) / step
            if !overflows, whole <= 99_999_999 - part { return "\(whole + part)\(letter)" }
        }
        let hours = seconds / 3600 + 1
        return "\(min(hours, 99_999_999))H"
    }
}
