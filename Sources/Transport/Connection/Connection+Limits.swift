// SPDX-License-Identifier: Apache-2.0

/// How much a peer took and sent in a stretch of time in which it should have.
struct RateWindow {
    var start: UInt64
    var sent = 0
    var received = 0
    /// Whether output waited from the window's start to now, and input was expected.
    var outputPending: Bool
    var inputExpected: Bool

    /// Whether the peer was slower than `least` bytes in the whole window.
    func isTooSlow(_ least: Int) -> Bool {
        (outputPending && sent < least) || (inputExpected && received < least)
    }
}

extension Connection {
    func noteInput(_ count: Int) {
        lastActivity = loop.core.now
        window?.received += count
    }

    func noteOutput(_ count: Int) {
        lastActivity = loop.core.now
        window?.sent += count
    }

    /// Begins to measure, unless it already does.
    func watchRate() {
        if window != nil {
            return
        }
        let pending = !output.isEmpty
        window = RateWindow(start: loop.core.now, outputPending: pending, inputExpected: expectsInput)
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
            if let window { due = min(due, window.start &+ limits.rateWindow.nanoseconds) }
            return due
        }
    }

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
        if let window, now >= window.start &+ limits.rateWindow.nanoseconds {
            let (seconds, attoseconds) = limits.rateWindow.components
            let least = Double(limits.leastRate) * (Double(seconds) + Double(attoseconds) / 1e18)
            if window.isTooSlow(Int(least)) { return abort(.tooSlow) }
            self.window = nil
            if !output.isEmpty || expectsInput { watchRate() }
        }
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
