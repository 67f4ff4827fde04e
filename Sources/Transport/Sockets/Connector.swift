// SPDX-License-Identifier: Apache-2.0

/// Makes connections to servers.
public struct Connector: Sendable {
    public var security: Security
    public var limits: TransportLimits
    public var resolver: any Resolver

    public init(
        security: Security, limits: TransportLimits = TransportLimits(),
        resolver: any Resolver = SystemResolver()
    ) {
        self.security = security
        self.limits = limits
        self.resolver = resolver
    }

    /// Connects, tries every address that the name has, and returns when the TLS handshake is over.
    ///
    /// `serverName` is what the server's certificate must be for, if it is not the endpoint's host; over a unix socket
    /// it must be given. The connection lives on `loop`, which the caller may be on or not.
    public func connect(
        to endpoint: Endpoint, serverName: String? = nil, on loop: EventLoop,
        within deadline: Duration = .seconds(10),
        handler: @escaping @Sendable (Connection) -> any ConnectionHandler
    ) async throws -> LoopBound<Connection> {
        let name: String?
        switch endpoint {
        case .host(let host, _): name = serverName ?? host
        case .unix: name = serverName
        }
        if case .tls(let context) = security {
            try context.checkClient(name)
            context.inform(loop)
        }
        let attempt = LoopBound(
            ConnectAttempt(self, endpoint, serverName: name, on: loop, handler: handler), on: loop)
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                loop.execute { attempt.value.start(within: deadline, continuation) }
            }
        } onCancel: {
            loop.execute { attempt.value.fail(CancellationError()) }
        }
    }
}
