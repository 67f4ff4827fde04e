// SPDX-License-Identifier: Apache-2.0

/// How large a pool may grow and how patient it is.
public struct PoolLimits: Hashable, Sendable {
    /// Connections, and the threads that own them.
    public var size = 4
    /// Callers in line; one more is refused at once.
    public var waiters = 1024
    /// How long a caller without a deadline of his own stands in line.
    public var wait = Duration.seconds(2)
    /// A connection unused for longer is pinged before it is lent.
    public var idleCheck = Duration.seconds(30)
    /// A connection unused for longer is closed.
    public var idleLimit = Duration.seconds(600)
    /// A connection is closed at this age, so that moved servers and new passwords are found.
    public var lifetime = Duration.seconds(1800)
    /// The pauses between attempts to connect while no server answers; `attempts` is of no meaning here.
    public var reconnect = RetryPolicy(attempts: .max, first: .milliseconds(50), longest: .seconds(1))

    public init() {}
}

/// What a pool is doing and has done, for the metrics page.
public struct PoolStatistics: Hashable, Sendable {
    public var connections = 0
    public var busy = 0
    public var waiting = 0
    /// Since the pool was opened.
    public var served = 0
    public var refused = 0
    public var connects = 0
    public var failedConnects = 0
    /// Connections that broke while they were lent or idle.
    public var lost = 0
    /// Transactions that were run again.
    public var retries = 0
}
