// SPDX-License-Identifier: Apache-2.0

internal import Transport

/// Whether what a peer has begun goes on at the least rate of `TransportLimits`.
struct Pace {
    /// When the peer last had kept the pace, and the count of bytes at that time; nil while nothing is due.
    private var since: (time: UInt64, count: UInt64)?

    var isWatched: Bool { since != nil }

    /// `least` is what has to come in each window.
    mutating func note(_ isDue: Bool, _ count: UInt64, least: Int, at now: UInt64) {
        guard isDue else { return since = nil }
        if since.map({ count - $0.count >= UInt64(least) }) ?? true { since = (now, count) }
    }

    /// Whether a whole window has gone by with less.
    func isSlow(at now: UInt64, _ limits: TransportLimits) -> Bool {
        guard let since, now > since.time else { return false }
        return .nanoseconds(Int64(clamping: now - since.time)) >= limits.rateWindow
    }
}
