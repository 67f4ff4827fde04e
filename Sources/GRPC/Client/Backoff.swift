// SPDX-License-Identifier: Apache-2.0

/// How long to wait before the next try to connect: longer after each failure, up to a limit, and never the same for
/// everybody.
public struct Backoff: Sendable {
    public var first: Duration = .milliseconds(200)
    public var most: Duration = .seconds(3)
    public var factor = 1.6
    /// The part of the time that chance decides.
    public var jitter = 0.4

    public init() {}

    /// The wait after `failures` failures in a row; `chance` is from 0 up to 1.
    func delay(after failures: Int, chance: Double) -> Duration {
        var delay = first
        for _ in 1..<max(1, min(failures, 64)) {
            delay = delay * factor
            if delay > most { break }
        }
        return min(delay, most) * (1 - jitter + jitter * chance)
    }
}
