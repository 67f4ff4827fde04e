// SPDX-License-Identifier: Apache-2.0

/// A moment in UTC, in whole microseconds since 1970, as the database keeps it.
public struct Moment: Hashable, Comparable, Sendable {
    public let microseconds: Int64

    public init(microseconds: Int64) { self.microseconds = microseconds }
    public init(seconds: Int64) {
        microseconds = seconds.multipliedReportingOverflow(by: 1_000_000).partialValue
    }

    /// Rounded down.
    public var seconds: Int64 {
        let (seconds, rest) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
        return rest < 0 ? seconds - 1 : seconds
    }

    public static func < (one: Moment, other: Moment) -> Bool { one.microseconds < other.microseconds }

    /// Stops at the ends of what 64 bits hold.
    public static func + (moment: Moment, duration: Duration) -> Moment {
        let parts = duration.components
        let (scaled, tooLong) = parts.seconds.multipliedReportingOverflow(by: 1_000_000)
        let (sum, over) = scaled.addingReportingOverflow(parts.attoseconds / 1_000_000_000_000)
        let (result, past) = moment.microseconds.addingReportingOverflow(sum)
        guard !tooLong, !over, !past else {
            return Moment(microseconds: duration < .zero ? .min : .max)
        }
        return Moment(microseconds: result)
    }

    /// How long after the other moment this one is.
    public static func - (one: Moment, other: Moment) -> Duration {
        .microseconds(one.microseconds) - .microseconds(other.microseconds)
    }
}
