// SPDX-License-Identifier: Apache-2.0

/// How much a peer took, or sent, since it last kept the pace. One that is older than the limits' `rateWindow` belongs to a
/// peer that is too slow.
struct RateWindow {
    private(set) var start: UInt64
    private var count = 0

    init(start: UInt64) { self.start = start }

    /// A peer that has moved enough begins anew, so that a burst gives it no more time than the window.
    mutating func note(_ more: Int, least: Int, at now: UInt64) {
        count += more
        if count >= least { self = RateWindow(start: now) }
    }
}

extension Connection {
    func noteInput(_ count: Int) {
        lastActivity = loop.core.now
        inputWindow?.note(count, least: limits.leastInWindow, at: loop.core.now)
    }

    func noteOutput(_ count: Int) {
        lastActivity = loop.core.now
        outputWindow?.note(count, least: limits.leastInWindow, at: loop.core.now)
    }

    /// Output waits that the socket does not take.
    func watchOutput() {
        guard outputWindow == nil else { return }
        outputWindow = RateWindow(start: loop.core.now)
        armWatchdog()
    }

    func watchInput() {
        inputWindow = RateWindow(start: loop.core.now)
        armWatchdog()
    }

    /// One timer for all limits: it looks at them when the first could be reached.
    func armWatchdog() {
        let due = nextDeadline
        if let watchdog {
            guard watchdog.deadline > due else { return }
            loop.cancel(watchdog)
        }
        watchdog = loop.schedule(at: due) { [weak self] in
            self?.watchdog = nil
            self?.judge()
        }
    }

    private var nextDeadline: UInt64 {
        switch phase {
        case .connecting, .handshaking: return opened &+ limits.handshake.nanoseconds
        default:
            var due = drainUntil ?? oldAt
            due = min(due, (isBusy ? loop.core.now : lastActivity) &+ limits.idle.nanoseconds)
            if let start = slowest { due = min(due, start &+ limits.rateWindow.nanoseconds) }
            return due
        }
    }

    /// Since when the peer has not kept the pace, in the direction in which that is longer ago.
    private var slowest: UInt64? { [inputWindow?.start, outputWindow?.start].compactMap(\.self).min() }

    private func judge() {
        let now = loop.clock.nanoseconds()
        switch phase {
        case .connecting: return abort(.notConnected("no answer in time"))
        case .handshaking: return abort(.handshakeTimeout)
        case .closed: return
        case .open, .closing: break
        }
        if !isBusy, now >= lastActivity &+ limits.idle.nanoseconds {
            return abort(.idle)
        }
        if let start = slowest, now >= start &+ limits.rateWindow.nanoseconds { return abort(.tooSlow) }
        if let drainUntil {
            if now >= drainUntil { return abort(.drained) }
        } else if now >= oldAt {
            beginDrain(within: limits.drain)
        }
        armWatchdog()
    }

    /// Tells the protocol to come to an end, once.
    func beginDrain(within time: Duration) {
        let until = loop.clock.nanoseconds() &+ time.nanoseconds
        if let earlier = drainUntil {
            drainUntil = min(earlier, until)
            return armWatchdog()
        }
        drainUntil = until
        armWatchdog()
        switch phase {
        case .open: handler?.drain(self)
        case .connecting, .handshaking: abort(.drained)
        case .closing, .closed: break
        }
    }
}
