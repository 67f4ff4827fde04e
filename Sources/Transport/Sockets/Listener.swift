// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import Glibc

/// Takes connections at one address and hands them to the loops in turn, the least loaded first.
///
/// It goes on until `drain`, or until its loops stop.
///
/// A connection gets its handler when its TLS handshake is over, so the handler can be chosen by
/// `applicationProtocol`, and a peer that fails the handshake never meets a protocol.
public final class Listener: Sendable {
    /// What it is bound to, with the port that the system chose for port 0.
    public let address: Address
    public let limits: TransportLimits
    let security: Security
    let loops: EventLoops
    private let admits: (@Sendable (UInt32) -> Bool)?
    let makeHandler: @Sendable (Connection) -> any ConnectionHandler
    private let ended: @Sendable (Address, CloseReason) -> Void

    struct State {
        var ledger = ConnectionLedger()
        var drainUntil: UInt64?
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    let state = Lock(State())
    let home: EventLoop
    private let acceptor: LoopBound<Acceptor>

    /// Binds, listens and begins to take connections. `ended` hears, on a loop, how each connection ended, those that
    /// failed their handshake or were over a limit as well: for logs and metrics. `admits` judges the user of who connects
    /// to a unix socket, whose file only its owner may use then.
    public init(
        at address: Address, loops: EventLoops, security: Security,
        limits: TransportLimits = TransportLimits(), admits: (@Sendable (UInt32) -> Bool)? = nil,
        ended: @escaping @Sendable (Address, CloseReason) -> Void = { _, _ in },
        handler: @escaping @Sendable (Connection) -> any ConnectionHandler
    ) throws(TransportError) {
        if case .tls(let context) = security { try context.checkServer() }
        let socket = try Socket.listening(at: address, backlog: limits.backlog)
        self.admits = admits
        if admits != nil, case .unix(let path) = address, unsafe chmod(path, 0o600) != 0 {
            throw .system("chmod", errno)
        }
        self.address = Socket.localAddress(of: socket.number) ?? address
        self.loops = loops
        self.security = security
        self.limits = limits.within(descriptors: Self.descriptorLimit)
        makeHandler = handler
        self.ended = ended
        home = loops.all[0]
        let acceptor = LoopBound(Acceptor(socket), on: home)
        self.acceptor = acceptor
        if case .tls(let context) = security { context.inform(loops) }
        home.execute { [self] in acceptor.value.start(self) }
    }

    /// How many connections it has now.
    public var connections: Int { state.withLock { $0.ledger.total } }

    /// Ends gracefully: takes no more connections, tells every protocol to finish, cuts off what is left after `time`,
    /// and returns when the last connection is gone.
    public func drain(within time: Duration) async {
        let until = home.clock.nanoseconds() &+ time.nanoseconds
        state.withLock { $0.drainUntil = min($0.drainUntil ?? .max, until) }
        let acceptor = acceptor
        home.execute { acceptor.value.stop() }
        for loop in loops.all {
            loop.execute { [self] in
                loop.core.eachConnection { if $0.listener === self { $0.beginDrain(within: time) } }
            }
        }
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                if state.ledger.total == 0 { return true }
                state.waiters.append(continuation)
                return false
            }
            if isOver { continuation.resume() }
        }
    }

    // MARK: For the acceptor and the loops

    /// Hands an accepted socket to a loop.
    func take(_ number: Int32, from remote: Address) {
        if let admits, !(Socket.peerUser(of: number).map(admits) ?? false) {
            close(number)
            return ended(remote, .peerRefused)
        }
        guard state.withLock({ $0.drainUntil == nil && $0.ledger.admit(remote, limits) }) else {
            close(number)
            return ended(remote, .tooManyConnections)
        }
        let loop = loops.next()
        if loop.isCurrent {
            adopt(number, from: remote, on: loop)
        } else {
            loop.execute { [self] in adopt(number, from: remote, on: loop) }
        }
    }

    private func adopt(_ number: Int32, from remote: Address, on loop: EventLoop) {
        let socket = Descriptor(owning: number)
        let channel: any Channel
        do {
            switch security {
            case .plain: channel = PlainChannel(socket)
            case .tls(let context): channel = try TLSChannel(server: context, socket)
            }
        } catch {
            ended(remote, .system(error.message))
            return release(remote, nil)
        }
        let connection = Connection(
            channel: channel, on: loop, role: .server, remote: remote, isSecure: !(channel is PlainChannel),
            limits: limits, connecting: false)
        connection.listener = self
        connection.makeHandler = makeHandler
        connection.refuse = { [self] connection in
            guard let peer = connection.peer else { return nil }
            let admitted = state.withLock { $0.ledger.admit(peer: peer.fingerprint, limits) }
            connection.isBookedForPeer = admitted
            return admitted ? nil : .tooManyConnections
        }
        connection.whenClosed = { [self] connection, reason in
            ended(remote, reason)
            release(remote, connection.isBookedForPeer ? connection.peer : nil)
        }
        connection.start()
        if let until = state.withLock({ $0.drainUntil }) {
            let now = loop.clock.nanoseconds()
            connection.beginDrain(within: .nanoseconds(Int64(clamping: until > now ? until - now : 0)))
        }
    }

    private func release(_ remote: Address, _ peer: PeerIdentity?) {
        let waiters = state.withLock { state in
            state.ledger.release(remote)
            if let peer { state.ledger.release(peer: peer.fingerprint) }
            guard state.ledger.total == 0, state.drainUntil != nil else {
                return [] as [CheckedContinuation<Void, Never>]
            }
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    private static var descriptorLimit: Int {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1024 }
        return Int(clamping: limit.rlim_cur)
    }
}

extension TransportLimits {
    /// Never more connections than there are descriptors for.
    func within(descriptors: Int) -> TransportLimits {
        var limits = self
        limits.connections = max(1, min(connections, descriptors - reservedDescriptors))
        return limits
    }
}
