// SPDX-License-Identifier: Apache-2.0

/// How often and after which pauses something is tried again.
///
/// The pause before retry n is drawn from the upper half of `first * 2^(n-1)`, at most `longest`, so that
/// transactions that met once do not meet again.
public struct RetryPolicy: Hashable, Sendable {
    /// All tries together; 1 for no retry.
    public var attempts = 8
    public var first = Duration.milliseconds(5)
    public var longest = Duration.milliseconds(500)

    public init() {}

    public init(attempts: Int, first: Duration, longest: Duration) {
        self.attempts = attempts
        self.first = first
        self.longest = longest
    }

    /// The pause before retry `number`, counted from 1; `random` is any number.
    public func pause(before number: Int, random: UInt64) -> Duration {
        let doublings = min(max(number - 1, 0), 20)
        let whole = min(first * (1 << doublings), longest)
        return whole / 2 + whole / 2 * Double(random >> 11) * 0x1p-53
    }
}

/// What a connection takes from the world around it, so that tests can take its place.
public struct Surroundings: Sendable {
    public var now: @Sendable () -> ContinuousClock.Instant
    /// Blocks the thread.
    public var pause: @Sendable (Duration) -> Void
    public var random: @Sendable () -> UInt64
    /// Runs a closure on a new thread; false when the system has none left.
    var startThread: @Sendable (@escaping @Sendable () -> Void) -> Bool = PoolThread.start

    public init(
        now: @escaping @Sendable () -> ContinuousClock.Instant, pause: @escaping @Sendable (Duration) -> Void,
        random: @escaping @Sendable () -> UInt64
    ) {
        self.now = now
        self.pause = pause
        self.random = random
    }
}
