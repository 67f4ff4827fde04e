// SPDX-License-Identifier: Apache-2.0

internal import Transport

/// Whether what a peer has begun goes on at the least rate of `TransportLimits`.
struct Pace {
    /// Since when it was slower, and the count of bytes at that time; nil while nothing is due.
    private var since: (time: UInt64, count: UInt64)?

    var isWatched: Bool { since != nil }

    mutating func note(_ isDue: Bool, _ count: UInt64, at now: UInt64) {
        if !isDue { since = nil } else if since == nil { since = (now, count) }
    }

    /// Whether a whole window has gone by with less than the least rate.
    mutating func isSlow(_ count: UInt64, at now: UInt64, _ limits: TransportLimits) -> Bool {
        guard let since else { return false }
        if Double(count - since.count) >= Double(limits.leastRate) * (limits.rateWindow / .seconds(1)) {
            self.since = (now, count)
            return false
        }
        return now > since.time
            && .nanoseconds(Int64(clamping: now - since.time)) >= limits.rateWindow
    }
}
