// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// How often values fell below each of a few bounds.
public final class Histogram: Sendable {
    /// For durations in seconds, from a millisecond to ten seconds.
    public static let seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

    let bounds: [Double]
    private let buckets: [Counter]
    private let sum = Atomic<UInt64>(0)

    init(bounds: [Double]) {
        self.bounds = bounds
        buckets = (0...bounds.count).map { _ in Counter() }
    }

    public func record(_ value: Double) {
        // One that is not finite would spoil the sum for good.
        guard value.isFinite else { return }
        buckets[bounds.firstIndex { value <= $0 } ?? bounds.count].add()
        sum.add(value)
    }

    public func record(_ duration: Duration) {
        let parts = duration.components
        record(Double(parts.seconds) + Double(parts.attoseconds) * 1e-18)
    }

    /// How many values were at most each bound; the last is for all of them.
    var cumulative: [UInt64] {
        var total: UInt64 = 0
        return buckets.map { bucket in
            total &+= bucket.value
            return total
        }
    }

    var total: Double { Double(bitPattern: sum.load(ordering: .relaxed)) }
}
