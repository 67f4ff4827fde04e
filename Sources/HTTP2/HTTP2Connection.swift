// SPDX-License-Identifier: Apache-2.0

public import Transport

/// An HTTP/2 session on a connection of Transport: it moves the bytes between them, asks for the peer's preface in
/// time, keeps a quiet connection honest with pings, and drains with GOAWAY.
///
/// The least rate of `TransportLimits` holds for frames as well: the rest of a frame or of a header block that was begun
/// has to come, and a client has to open its windows when a body waits for them.
public final class HTTP2Connection: ConnectionHandler {
    /// Pings a peer that is silent while streams are open (or always), and gives it up without an answer.
    public struct KeepAlive: Sendable {
        public var every: Duration
        public var timeout: Duration
        /// Whether to ping a connection without streams too.
        public var whenIdle: Bool

        public init(every: Duration, timeout: Duration, whenIdle: Bool = false) {
            self.every = every
            self.timeout = timeout
            self.whenIdle = whenIdle
        }
    }

    public let session: Session
    public let connection: Connection
    /// Told once, after every stream has been told.
    public var closed: (CloseReason) -> Void = { _ in }

    private let keepAlive: KeepAlive?
    private let leastInWindow: Int
    private var prefaceTimer: LoopTimer?
    private var keepAliveTimer: LoopTimer?
    private var heardSincePing = true
    private var received: UInt64 = 0
    private var input = Pace()
    private var output = Pace()
    private var paceTimer: LoopTimer?
    private var isDraining = false
    /// The ping whose answer says that the peer has seen the notice of the drain.
    private static let drainPing: UInt64 = 0x6472_6169_6e21_0a0d
    private static let keepAlivePing: UInt64 = 0x616c_6976_653f_0a0d

    public init(
        _ connection: Connection, limits: SessionLimits = SessionLimits(), keepAlive: KeepAlive? = nil
    ) throws(HTTP2Error) {
        self.connection = connection
        self.keepAlive = keepAlive
        leastInWindow = connection.limits.leastInWindow
        let role: Session.Role = connection.role == .server ? .server : .client
        session = try Session(role, limits: limits, at: connection.loop.clock.nanoseconds())
        session.outputWanted = { [unowned self] in outputWanted() }
        session.ponged = { [unowned self] payload in if payload == Self.drainPing { session.goAway() } }
        let patience = min(connection.limits.handshake, connection.limits.rateWindow)
        prefaceTimer = connection.loop.schedule(after: patience) { [weak self] in
            guard let self, !session.isReady else { return }
            connection.close(.tooSlow)
        }
        if keepAlive != nil { armKeepAlive() }
        connection.requestOutput()
    }

    public func received(_ bytes: Span<UInt8>, on connection: Connection) {
        heardSincePing = true
        received += UInt64(bytes.count)
        do {
            try session.receive(bytes, at: connection.loop.clock.nanoseconds())
        } catch {
            connection.requestOutput()
            produce(room: .max, on: connection)
            connection.close(.violation(error.message))
            return
        }
        // An acknowledgement is due, or a window has opened.
        if session.wantsOutput { connection.requestOutput() }
        settle()
    }

    public func inputEnded(on connection: Connection) {
        connection.close(session.openStreams == 0 ? .done : .cut)
    }

    public func produce(room: Int, on connection: Connection) {
        var left = room
        do {
            while left > 0 {
                let more = try session.nextOutput { bytes in
                    connection.write(bytes)
                    left -= bytes.count
                }
                guard more else { return settle() }
            }
            connection.requestOutput()
            watchPace()
        } catch {
            connection.abort(.violation("\(error)"))
        }
    }

    public func drain(_ connection: Connection) {
        guard !isDraining else { return }
        isDraining = true
        if session.role == .server {
            // Streams that the peer opens before it has read the notice are still taken.
            session.announceEnd()
            session.ping(Self.drainPing)
        } else {
            session.goAway()
        }
        connection.requestOutput()
    }

    public func closed(_ connection: Connection, _ reason: CloseReason) {
        for timer in [prefaceTimer, keepAliveTimer, paceTimer] {
            if let timer { connection.loop.cancel(timer) }
        }
        (prefaceTimer, keepAliveTimer, paceTimer) = (nil, nil, nil)
        session.disconnected()
        closed(reason)
    }

    private func settle() {
        connection.isBusy = session.openStreams > 0
        watchPace()
        if session.isFinished || isDraining && session.role == .client && session.openStreams == 0 {
            connection.close(session.failure.map { .violation($0.message) } ?? .done)
        }
    }

    // MARK: Peers that stop in the middle

    private func outputWanted() {
        connection.requestOutput()
        // The socket may be full, and then nothing else happens.
        if paceTimer == nil { armPace() }
    }

    private func watchPace() {
        notePace(at: connection.loop.clock.nanoseconds())
        if paceTimer == nil, input.isWatched || output.isWatched { armPace() }
    }

    private func notePace(at now: UInt64) {
        input.note(session.isInsideFrame, received, least: leastInWindow, at: now)
        output.note(
            session.role == .server && session.pendingBody > 0, session.sentBody, least: leastInWindow,
            at: now)
    }

    private func armPace() {
        paceTimer = connection.loop.schedule(after: connection.limits.rateWindow / 32) { [weak self] in
            guard let self else { return }
            paceTimer = nil
            checkPace()
        }
    }

    private func checkPace() {
        let now = connection.loop.clock.nanoseconds()
        notePace(at: now)
        guard input.isSlow(at: now, connection.limits) || output.isSlow(at: now, connection.limits) else {
            // While output waits nobody asks for the watch again.
            if input.isWatched || output.isWatched || session.awaitsOutput { armPace() }
            return
        }
        // A peer that leaves its socket unread would never see a farewell.
        guard connection.bufferedOutput == 0 else { return connection.abort(.tooSlow) }
        session.terminate(.enhanceYourCalm)
        produce(room: .max, on: connection)
        connection.close(.tooSlow)
    }

    // MARK: Keeping alive

    private func armKeepAlive() {
        guard let keepAlive else { return }
        keepAliveTimer = connection.loop.schedule(after: keepAlive.every) { [weak self] in
            self?.checkAlive(keepAlive)
        }
    }

    private func checkAlive(_ keepAlive: KeepAlive) {
        guard !heardSincePing, keepAlive.whenIdle || session.openStreams > 0 else {
            heardSincePing = false
            return armKeepAlive()
        }
        session.ping(Self.keepAlivePing)
        keepAliveTimer = connection.loop.schedule(after: keepAlive.timeout) { [weak self] in
            guard let self else { return }
            if heardSincePing {
                heardSincePing = false
                armKeepAlive()
            } else {
                connection.abort(.violation("the peer answered no ping"))
            }
        }
    }
}
