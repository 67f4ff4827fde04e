// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc
internal import Synchronization

/// One connection: bytes in, bytes out, and who is at the other end.
///
/// It lives on its loop and is used from there alone; it is not `Sendable`, and a `LoopBound` carries it where it must
/// go. What is written waits until the end of the loop's pass and leaves together, in TLS records of 16 KiB. Its `id` is
/// never used again in the life of the process, its descriptor is.
public final class Connection {
    public enum Role: Sendable {
        case server
        case client
    }

    enum Phase {
        case connecting
        case handshaking
        case open
        /// Everything is said; the last bytes leave, and what still comes is thrown away.
        case closing
        case closed
    }

    public let id: UInt64
    public let loop: EventLoop
    public let role: Role
    /// The other end of the socket.
    public let remote: Address
    public let limits: TransportLimits
    /// The certificate that the peer proved to own; `nil` without TLS, or for a peer without a certificate.
    public internal(set) var peer: PeerIdentity?
    /// What both sides agreed to speak (ALPN), like `h2`.
    public internal(set) var applicationProtocol: String?
    /// Whether the connection has TLS.
    public let isSecure: Bool

    var channel: (any Channel)?
    var handler: (any ConnectionHandler)?
    var makeHandler: ((Connection) -> any ConnectionHandler)?
    /// Told once, after the handler.
    var whenClosed: ((Connection, CloseReason) -> Void)?
    /// Asked after the handshake: why this peer gets no connection.
    var refuse: ((Connection) -> CloseReason?)?

    /// Where it came from, on a server.
    var listener: Listener?
    var isBookedForPeer = false

    var phase: Phase
    var reason: CloseReason?
    var interest: Readiness = []
    var isWatched = false

    /// Whether what comes in is secret: once the handler has seen it, it is wiped here and in the TLS library.
    public var wipesInput = false {
        didSet { if wipesInput { (channel as? TLSChannel)?.wipeInput() } }
    }

    /// Whether what goes out is secret: once the socket has taken it, it is wiped here. The TLS library encrypts it where
    /// it lies.
    public var wipesOutput: Bool {
        get { output.isSecret }
        set { output.isSecret = newValue }
    }

    var isPaused = false
    var inputEnded = false
    var willReadAgain = false
    /// A read of TLS waits for room to write.
    var readWantsOutput = false

    let output = OutputBuffer()
    var isDirty = false
    var isBlocked = false
    var producesMore = false
    var willFinish = false
    var outputShut = false

    var watchdog: LoopTimer?
    var lingering: LoopTimer?
    let opened: UInt64
    let oldAt: UInt64
    var lastActivity: UInt64
    var drainUntil: UInt64?
    /// There while input is expected.
    var inputWindow: RateWindow?
    /// There while output waits that the socket does not take.
    var outputWindow: RateWindow?

    /// Whether the protocol has something to do for the peer, so that silence is no idleness.
    public var isBusy = false
    /// Whether the protocol waits for bytes that the peer should be sending; then the least rate holds.
    public var expectsInput = false {
        didSet {
            if !expectsInput { inputWindow = nil } else if !oldValue { watchInput() }
        }
    }

    init(
        channel: any Channel, on loop: EventLoop, role: Role, remote: Address, isSecure: Bool,
        limits: TransportLimits, connecting: Bool
    ) {
        id = Self.newID()
        self.channel = channel
        self.loop = loop
        self.role = role
        self.remote = remote
        self.isSecure = isSecure
        self.limits = limits
        phase = connecting ? .connecting : .handshaking
        opened = loop.clock.nanoseconds()
        lastActivity = opened
        oldAt = opened &+ limits.age.nanoseconds &+ UInt64.random(in: 0...limits.ageJitter.nanoseconds)
        loop.load.wrappingAdd(1, ordering: .relaxed)
    }

    // MARK: For protocols

    /// Whether it takes output: it is open, and neither `finish` nor `close` was called.
    public var isOpen: Bool { phase == .open && !willFinish }

    /// How much waits to be sent.
    public var bufferedOutput: Int { output.count }

    /// Whether a protocol should go on producing. It asks for more with `requestOutput`.
    public var hasRoom: Bool { output.count < limits.outputHigh }

    /// Queues bytes; they leave at the end of the pass. On a connection that is no longer open they are dropped.
    public func write(_ bytes: Span<UInt8>) {
        guard isOpen else { return }
        guard output.count + bytes.count <= limits.outputMost else { return abort(.tooMuchOutput) }
        output.append(bytes)
        flushSoon()
    }

    public func write(_ bytes: [UInt8]) { write(bytes.span) }

    /// Asks for a call of `produce`: in this pass, or when less than `outputLow` bytes wait.
    public func requestOutput() {
        producesMore = true
        flushSoon()
    }

    /// Leaves what the peer sends in the kernel until `resumeReading`.
    public func pauseReading() {
        isPaused = true
        updateInterest()
    }

    public func resumeReading() {
        guard isPaused else { return }
        isPaused = false
        updateInterest()
        if channel?.holdsInput == true { readSoon() }
    }

    /// Half-close: sends what waits and then the end of the output. Input still comes.
    public func finish() {
        guard isOpen else { return }
        willFinish = true
        flushSoon()
    }

    /// Sends what waits, then ends the connection; what still comes in is thrown away. A peer that does not take it is
    /// cut off by the least rate, one that does not close by `TransportLimits.linger`.
    public func close(_ reason: CloseReason = .done) {
        switch phase {
        case .connecting, .handshaking: abort(reason)
        case .open:
            self.reason = reason
            willFinish = true
            phase = .closing
            if outputShut { linger() }
            flushSoon()
            updateInterest()
        case .closing, .closed: break
        }
    }

    /// Ends the connection now, with a reset; what waits to be sent is lost.
    public func abort(_ reason: CloseReason) {
        guard phase != .closed else { return }
        if self.reason == nil { self.reason = reason }
        phase = .closed
        for timer in [watchdog, lingering] { if let timer { loop.cancel(timer) } }
        (watchdog, lingering) = (nil, nil)
        if let channel {
            loop.core.unwatch(channel.descriptor, id: id)
            // What is cut off must not look like an end.
            if !inputEnded || !outputShut { Socket.resetOnClose(channel.descriptor) }
            isWatched = false
        }
        channel = nil
        output.clear()
        loop.load.wrappingSubtract(1, ordering: .relaxed)
        loop.core.tellEnd(self)
    }

    // MARK: Inside

    private static let lastID = Atomic<UInt64>(0)
    static func newID() -> UInt64 { lastID.wrappingAdd(1, ordering: .relaxed).newValue }

    func tellEnd() {
        let reason = reason ?? .abandoned
        handler?.closed(self, reason)
        whenClosed?(self, reason)
        (handler, makeHandler, whenClosed, refuse, listener) = (nil, nil, nil, nil, nil)
    }
}
