// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics

/// One call of `Connector.connect`, on its loop: resolve, then address after address until one answers.
final class ConnectAttempt {
    private let connector: Connector
    private let endpoint: Endpoint
    private let serverName: String?
    private let loop: EventLoop
    private let handler: @Sendable (Connection) -> any ConnectionHandler
    private var continuation: CheckedContinuation<LoopBound<Connection>, any Error>?
    private var isOver = false
    private var deadline: LoopTimer?
    private var addresses: ArraySlice<Address> = []
    private var connection: Connection?
    private var lastFailure: TransportError?

    init(
        _ connector: Connector, _ endpoint: Endpoint, serverName: String?, on loop: EventLoop,
        handler: @escaping @Sendable (Connection) -> any ConnectionHandler
    ) {
        self.connector = connector
        self.endpoint = endpoint
        self.serverName = serverName
        self.loop = loop
        self.handler = handler
    }

    func start(within time: Duration, _ continuation: CheckedContinuation<LoopBound<Connection>, any Error>) {
        // The task may have been cancelled before it came here.
        guard !isOver else { return continuation.resume(throwing: CancellationError()) }
        self.continuation = continuation
        deadline = loop.schedule(after: time) { [weak self] in
            guard let self else { return }
            self.fail(TransportError(.connectDeadline, "\(self.endpoint): no connection within \(time)"))
        }
        switch endpoint {
        case .unix(let path):
            addresses = [.unix(path)]
            next()
        case .host(let host, let port):
            loop.spawn(holding: self) { await $0.resolve(host, port) }
        }
    }

    private func resolve(_ host: String, _ port: UInt16) async {
        do {
            addresses = try await connector.resolver.addresses(of: host, port: port)[...]
            next()
        } catch {
            fail(error)
        }
    }

    private func next() {
        guard !isOver else { return }
        guard let address = addresses.popFirst() else {
            return fail(
                lastFailure ?? TransportError(.nameNotResolved, "\(endpoint): the name has no address"))
        }
        do {
            try connect(to: address)
        } catch {
            lastFailure = error
            next()
        }
    }

    private func connect(to address: Address) throws(TransportError) {
        let socket = try Socket.connecting(to: address)
        let channel: any Channel
        switch connector.security {
        case .plain: channel = PlainChannel(socket)
        case .tls(let context): channel = try TLSChannel(client: context, serverName: serverName, socket)
        }
        let connection = Connection(
            channel: channel, on: loop, role: .client, remote: address, isSecure: !(channel is PlainChannel),
            limits: connector.limits, connecting: true)
        self.connection = connection
        connection.makeHandler = { [self] connection in
            defer { succeed(connection) }
            return handler(connection)
        }
        connection.whenClosed = { [weak self] connection, reason in
            guard let self, self.connection === connection else { return }
            self.lastFailure = TransportError(reason, at: self.endpoint, address)
            self.next()
        }
        connection.start()
    }

    private func succeed(_ connection: Connection) {
        guard let continuation = end() else { return connection.abort(.abandoned) }
        self.connection = nil
        connection.whenClosed = nil
        continuation.resume(returning: LoopBound(connection, on: loop))
    }

    func fail(_ error: any Error) {
        guard !isOver else { return }
        let continuation = end()
        connection?.abort(.abandoned)
        connection = nil
        continuation?.resume(throwing: error)
    }

    /// The first outcome counts.
    private func end() -> CheckedContinuation<LoopBound<Connection>, any Error>? {
        isOver = true
        if let deadline { loop.cancel(deadline) }
        deadline = nil
        defer { continuation = nil }
        return continuation
    }
}

extension TransportError {
    /// Why an address of an endpoint did not become a connection.
    init(_ reason: CloseReason, at endpoint: Endpoint, _ address: Address) {
        let code =
            switch reason {
            case .handshake(.peerRefused): ErrorCode.peerNotTrusted
            case .handshake, .handshakeTimeout: ErrorCode.handshakeFailed
            default: ErrorCode.connectFailed
            }
        self.init(code, "\(endpoint) at \(address): \(reason)")
    }
}
