// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import HTTP2
public import Transport

/// Answers requests on the connections of a listener: HTTP/2 where the client chose `h2` in the TLS handshake or sends
/// its preface at once on a plain connection, else HTTP/1.1.
public final class Server: Sendable {
    /// For `TLSSettings.applicationProtocols`.
    public static let applicationProtocols = ["h2", "http/1.1"]

    let router: Router
    let limits: ServerLimits
    /// Told of each request when it has been answered, or could not be.
    let observe: @Sendable (RequestReport) -> Void
    let dates = DateField()

    public init(
        _ router: Router, limits: ServerLimits = ServerLimits(),
        observe: @escaping @Sendable (RequestReport) -> Void = { _ in }
    ) {
        self.router = router
        self.limits = limits
        self.observe = observe
    }

    /// The handler for a connection, to be called by the listener.
    public func serve(_ connection: Connection) -> any ConnectionHandler {
        connection.wipesInput = router.takesSecrets
        return switch connection.applicationProtocol {
        case "h2": serveHTTP2(connection)
        case nil where !connection.isSecure: UndecidedConnection(connection, self)
        default: HTTP1Connection(connection, self)
        }
    }

    func serveHTTP2(_ connection: Connection) -> any ConnectionHandler {
        guard
            let handler = try? HTTP2Connection(connection, limits: limits.session, keepAlive: Self.keepAlive)
        else {
            connection.abort(.abandoned)
            return Ended()
        }
        handler.session.accept = { [unowned connection] stream, head in
            HTTP2Exchange.begin(stream, head, on: connection, of: self)
        }
        return handler
    }

    private static let keepAlive = HTTP2Connection.KeepAlive(every: .seconds(20), timeout: .seconds(10))

    private final class Ended: ConnectionHandler {
        func received(_ bytes: Span<UInt8>, on connection: Connection) {}
    }
}

/// A plain connection until its first bytes tell whether it begins with the preface of HTTP/2.
private final class UndecidedConnection: ConnectionHandler {
    private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    private let server: Server
    private var begun: [UInt8] = []
    private var chosen: (any ConnectionHandler)?
    private var timer: LoopTimer?

    init(_ connection: Connection, _ server: Server) {
        self.server = server
        timer = connection.loop.schedule(after: server.limits.head) { [unowned self] in
            // A head has begun: HTTP/1.1 says what is to be said about the time.
            if begun.isEmpty { connection.close(.idle) } else { choose(connection).tooLate() }
        }
    }

    func received(_ bytes: Span<UInt8>, on connection: Connection) {
        if let chosen { return chosen.received(bytes, on: connection) }
        for index in bytes.indices { begun.append(bytes[index]) }
        let length = min(begun.count, Self.preface.count)
        if begun[..<length] != Self.preface[..<length] {
            hand(begun, to: choose(connection), connection)
        } else if length == Self.preface.count {
            let handler = server.serveHTTP2(connection)
            decide(handler, connection)
            hand(begun, to: handler, connection)
        }
    }

    private func choose(_ connection: Connection) -> HTTP1Connection {
        let handler = HTTP1Connection(connection, server)
        decide(handler, connection)
        return handler
    }

    private func decide(_ handler: any ConnectionHandler, _ connection: Connection) {
        if let timer { connection.loop.cancel(timer) }
        timer = nil
        chosen = handler
    }

    private func hand(_ bytes: [UInt8], to handler: any ConnectionHandler, _ connection: Connection) {
        begun = []
        handler.received(bytes.span, on: connection)
    }

    func inputEnded(on connection: Connection) {
        if let chosen { chosen.inputEnded(on: connection) } else { connection.close() }
    }

    func produce(room: Int, on connection: Connection) { chosen?.produce(room: room, on: connection) }

    func drain(_ connection: Connection) {
        if let chosen { chosen.drain(connection) } else { connection.close() }
    }

    func closed(_ connection: Connection, _ reason: CloseReason) {
        if let timer { connection.loop.cancel(timer) }
        timer = nil
        chosen?.closed(connection, reason)
        chosen = nil
    }
}
