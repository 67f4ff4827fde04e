// SPDX-License-Identifier: Apache-2.0

internal import HTTP2
public import Transport

/// Answers gRPC calls on the connections of a listener.
///
/// ```swift
/// let echo = Service("test.Echo", [.unary("Say") { message, _ in message }])
/// let server = Server([echo])
/// let listener = try Listener(at: address, loops: loops, security: .tls(context)) { server.serve($0) }
/// ```
public final class Server: Sendable {
    let routes: Routes
    let limits: ServerLimits
    /// What all connections hold of messages.
    let memory: MemoryBudget.Shared
    /// Told of each call that ends, and how.
    let observe: @Sendable (ServerCall, CallStatus) -> Void

    public init(
        _ services: [Service], limits: ServerLimits = ServerLimits(),
        observe: @escaping @Sendable (ServerCall, CallStatus) -> Void = { _, _ in }
    ) {
        routes = Routes(services)
        self.limits = limits
        memory = MemoryBudget.Shared(limits.held)
        self.observe = observe
    }

    /// The handler for a connection, to be called by the listener.
    public func serve(_ connection: Connection) -> any ConnectionHandler {
        guard
            let handler = try? HTTP2Connection(connection, limits: limits.session, keepAlive: Self.keepAlive)
        else {
            return Refusal(connection)
        }
        let budget = MemoryBudget(limits.heldByConnection, of: memory)
        handler.session.accept = { [unowned connection] stream, head in
            self.accept(stream, head, on: connection, budget)
        }
        return handler
    }

    private static let keepAlive = HTTP2Connection.KeepAlive(every: .seconds(20), timeout: .seconds(10))

    /// A connection for which no session could be made.
    private final class Refusal: ConnectionHandler {
        init(_ connection: Connection) { connection.abort(.abandoned) }
        func received(_ bytes: Span<UInt8>, on connection: Connection) {}
    }

    // MARK: Calls

    private func accept(
        _ stream: HTTP2.Stream, _ head: HeaderFields, on connection: Connection, _ budget: MemoryBudget
    ) -> any StreamHandler {
        let said = CallHead(head, in: routes)
        guard said.isPost else { return refuse(stream, "405") }
        guard said.isGRPC else { return refuse(stream, "415") }
        var timeout = limits.longest
        var failure: CallStatus?
        if let text = said.timeout {
            if let asked = Timeout.parse(text) {
                timeout = timeout.map { min($0, asked) } ?? asked
            } else {
                failure = CallStatus(.invalidArgument, "malformed grpc-timeout")
            }
        }
        if stream.headIsCut {
            failure = CallStatus(.resourceExhausted, "the metadata of the call is over the limit")
        }
        let call = ServerCall(
            stream, said.route, metadata: Metadata(head), on: connection, of: self, budget: budget,
            timeout: timeout)
        if let encoding = said.encoding, encoding != "identity" {
            call.acceptsEncoding = "identity"
            failure = CallStatus(.unimplemented, "grpc-encoding \(encoding) is not known here; send identity")
        }
        if failure == nil, said.route != nil {
            call.start()
        } else {
            call.finish(failure ?? CallStatus(.unimplemented, "no method \(call.path) here"))
        }
        return call
    }

    private func refuse(_ stream: HTTP2.Stream, _ status: String) -> any StreamHandler {
        stream.send(head: [":status": status, "content-length": "0"], end: true)
        stream.stopAfterSending()
        return Ignored(stream)
    }

    /// Takes what still comes of a request that was answered already.
    private final class Ignored: StreamHandler {
        var stream: HTTP2.Stream?
        init(_ stream: HTTP2.Stream) { self.stream = stream }
        func received(head: HeaderFields) {}
        func received(body: Span<UInt8>) { stream?.taken(body.count) }
        func received(trailers: HeaderFields) {}
        func receivedEnd() {}
        func writable() {}
        func closed(_ close: StreamClose) { stream = nil }
    }
}
