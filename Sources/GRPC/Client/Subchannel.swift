// SPDX-License-Identifier: Apache-2.0

internal import HTTP2
internal import Transport

/// The connection to one server: made, kept, and made again after a wait when it is lost.
///
/// ```text
/// connecting ─> greeting ─> ready ─> waiting ─> connecting ...
///      └────────────┴───────────────────┘
/// ```
///
/// A server is ready when it has sent its first SETTINGS: the kernel takes connections for a program that is stopped.
final class Subchannel {
    enum State {
        case connecting
        case greeting(HTTP2Connection)
        case ready(HTTP2Connection)
        /// The last try failed, or the connection was lost.
        case waiting(LoopTimer)
        case closed
    }

    let id: Int
    let address: Address
    let serverName: String?
    private let settings: ChannelSettings
    private let loop: EventLoop
    private var state = State.closed
    private var keepAlive: HTTP2Connection.KeepAlive
    private var failures = 0
    private var attempts = 0
    private var attempt: Task<Void, Never>?
    /// Why the last try failed.
    private(set) var lastFailure: String?
    /// A try has succeeded or failed since the start.
    private(set) var wasTried = false
    var changed: (Subchannel) -> Void = { _ in }

    init(id: Int, address: Address, serverName: String?, settings: ChannelSettings, loop: EventLoop) {
        self.id = id
        self.address = address
        self.serverName = serverName
        self.settings = settings
        self.loop = loop
        keepAlive = settings.keepAlive
    }

    /// The connection that calls may go out on.
    var connection: HTTP2Connection? {
        guard case .ready(let connection) = state else { return nil }
        return connection
    }

    func start() {
        guard case .closed = state else { return }
        connect()
    }

    func close() {
        attempt?.cancel()
        let before = state
        state = .closed
        switch before {
        case .waiting(let timer): loop.cancel(timer)
        case .greeting(let open), .ready(let open): open.drain(open.connection)
        case .connecting, .closed: break
        }
    }

    /// The connection takes no more calls, whatever its state says.
    func retire(_ connection: HTTP2Connection, _ why: String) { ended(connection, why) }

    // MARK: Making the connection

    private func connect() {
        state = .connecting
        attempts += 1
        let number = attempts
        let connector = Connector(
            security: settings.security, limits: settings.transport, resolver: Fixed(address: address))
        attempt = loop.spawn(holding: self) { await $0.run(connector, number) }
    }

    private var endpoint: Endpoint {
        switch address {
        case .unix(let path): .unix(path)
        default: .host(serverName ?? "server", port: address.port)
        }
    }

    private func run(_ connector: Connector, _ number: Int) async {
        let bound = LoopBound(self, on: loop)
        var why = "the connection ended at once"
        do {
            _ = try await connector.connect(
                to: endpoint, serverName: serverName, on: loop, within: settings.connectTimeout
            ) { connection in
                if let session = bound.value.begin(on: connection) { return session }
                return Nobody(connection)
            }
        } catch {
            why = "\(error)"
        }
        guard number == attempts, case .connecting = state else { return }
        lost(why)
    }

    /// Begins a session on a connection that was just made; nil when there is no use for it.
    private func begin(on connection: Connection) -> HTTP2Connection? {
        guard case .connecting = state else { return nil }
        guard connection.applicationProtocol ?? "h2" == "h2",
            let made = try? HTTP2Connection(connection, limits: settings.session, keepAlive: keepAlive)
        else {
            lost("the server does not speak HTTP/2")
            return nil
        }
        made.closed = { [weak self, weak made] reason in
            if let self, let made { ended(made, "\(reason)") }
        }
        made.session.goingAway = { [weak self, weak made] _, code in
            guard let self, let made else { return }
            // The server finds that it is asked too often whether it lives.
            if code == .enhanceYourCalm { keepAlive.every = keepAlive.every * 2 }
            ended(made, "the server is going away (\(code.rawValue))")
        }
        made.session.ready = { [weak self, weak made] in
            if let self, let made { greeted(made) }
        }
        state = .greeting(made)
        return made
    }

    private func greeted(_ connection: HTTP2Connection) {
        guard case .greeting(let current) = state, current === connection else { return }
        state = .ready(connection)
        failures = 0
        lastFailure = nil
        wasTried = true
        changed(self)
    }

    private func ended(_ connection: HTTP2Connection, _ why: String) {
        switch state {
        case .greeting(let current) where current === connection: break
        case .ready(let current) where current === connection: break
        default: return
        }
        lost(why)
        // Calls under way on a server that goes away may finish.
        connection.drain(connection.connection)
    }

    private func lost(_ why: String) {
        lastFailure = why
        wasTried = true
        failures += 1
        let delay = settings.backoff.delay(after: failures, chance: settings.chance())
        state = .waiting(
            loop.schedule(after: delay) { [weak self] in
                guard let self, case .waiting = state else { return }
                connect()
            })
        changed(self)
    }

    /// A connection that nobody wants any more.
    private final class Nobody: ConnectionHandler {
        init(_ connection: Connection) { connection.abort(.abandoned) }
        func received(_ bytes: Span<UInt8>, on connection: Connection) {}
    }

    private struct Fixed: Resolver {
        let address: Address
        func addresses(of host: String, port: UInt16) async throws -> [Address] { [address] }
    }
}
