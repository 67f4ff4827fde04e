// SPDX-License-Identifier: Apache-2.0

/// What a peer may do on one HTTP/2 session. The defaults suit a server that faces strangers.
public struct SessionLimits: Sendable {
    /// A number of events at once, and how many a second after that.
    public struct Rate: Sendable {
        public var burst: Int
        public var perSecond: Int

        public init(burst: Int, perSecond: Int) {
            self.burst = burst
            self.perSecond = perSecond
        }
    }

    public var concurrentStreams = 128
    /// How many bytes of a stream may be under way before its handler has taken them.
    public var streamWindow = 256 * 1024
    public var connectionWindow = 1024 * 1024
    /// Bytes of bodies that wait for the peer before handlers are asked to wait.
    public var waitingBodies = 1024 * 1024
    public var frameSize = 16 * 1024
    /// Bytes of a head as RFC 9113 counts them, and number of its fields.
    public var headerListSize = 16 * 1024
    public var headerFields = 64
    public var headerTableSize = 4096
    public var continuations = 8
    public var settingsEntries = 32
    public var outboundAcknowledgements = 100
    /// RST_STREAM frames that the peer sends (rapid reset).
    public var resets = Rate(burst: 500, perSecond: 50)
    /// Stream errors that the peer provokes, so that this side resets (made-you-reset); a head over the limit counts
    /// for ten.
    public var faults = Rate(burst: 500, perSecond: 50)
    /// PING, SETTINGS, PRIORITY and frames without content.
    public var controlFrames = Rate(burst: 500, perSecond: 50)
    /// WINDOW_UPDATE frames, which an honest peer sends for every few KiB that it takes.
    public var windowUpdates = Rate(burst: 20_000, perSecond: 20_000)

    public init() {}
}

/// Counts events against a `SessionLimits.Rate`.
struct TokenBucket {
    private let rate: SessionLimits.Rate
    private var tokens: Double
    private var last: UInt64

    init(_ rate: SessionLimits.Rate, at now: UInt64) {
        self.rate = rate
        tokens = Double(rate.burst)
        last = now
    }

    /// False when the event is one too many.
    mutating func take(_ count: Double = 1, at now: UInt64) -> Bool {
        let elapsed = now > last ? now - last : 0
        last = max(now, last)
        tokens = min(Double(rate.burst), tokens + Double(elapsed) / 1e9 * Double(rate.perSecond))
        guard tokens >= count else { return false }
        tokens -= count
        return true
    }
}
