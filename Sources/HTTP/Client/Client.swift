// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import HTTP2
public import Transport

/// Where a service is and how it is called.
public struct ClientService: Hashable, Sendable {
    public let endpoint: Endpoint
    /// What its certificate must be for, if not the endpoint's host.
    public let serverName: String?
    /// The Host field.
    public let host: String

    /// `defaultPort` is the one that the Host field leaves out.
    public init(
        _ endpoint: Endpoint, serverName: String? = nil, host: String? = nil, defaultPort: UInt16 = 443
    ) {
        self.endpoint = endpoint
        self.serverName = serverName
        switch endpoint {
        case .host(let name, let port):
            let shown = name.contains(":") ? "[\(name)]" : name
            self.host = host ?? (port == defaultPort ? shown : "\(shown):\(port)")
        case .unix: self.host = host ?? serverName ?? "localhost"
        }
    }
}

/// Calls one HTTP/1.1 service over TCP, TLS or a unix socket.
///
/// Every call has a deadline and a bounded answer, connections are kept and used again, and an idempotent call that
/// failed for a passing reason is tried again after a random pause. Redirects are answers like others: a service that
/// sends elsewhere is not followed. What could be read in two ways is an error, and its connection is closed.
///
/// ```swift
/// let client = Client(
///     of: ClientService(.host("kms.example.org", port: 443)), on: loops.next(),
///     connector: Connector(security: .tls(context)))
/// let answer = try await client.send(.json(.post, "/v1/unwrap", wrapped))
/// guard answer.status == .ok else { ... }
/// ```
public final class Client: Sendable {
    public struct Limits: Sendable {
        /// From the call to the whole answer, tries included.
        public var deadline: Duration = .seconds(10)
        /// For one connection, within the deadline.
        public var connect: Duration = .seconds(5)
        /// Bytes of an answer's body.
        public var body = 1 << 20
        public var connections = 8
        public var retry = RetryPolicy()

        public init() {}
    }

    public let service: ClientService
    private let limits: Limits
    private let loop: EventLoop
    private let pool: LoopBound<ConnectionPool>

    /// The connections live on `loop`; calls may come from anywhere.
    public init(
        of service: ClientService, on loop: EventLoop, connector: Connector, limits: Limits = Limits()
    ) {
        self.service = service
        self.limits = limits
        self.loop = loop
        pool = LoopBound(
            ConnectionPool(connector, service, on: loop, most: max(1, limits.connections)), on: loop)
    }

    /// The service's answer, whatever its status.
    public func send(_ request: ClientRequest) async throws -> ClientResponse {
        try await send(request, into: nil)
    }

    /// The service's answer with its body in secret memory and nowhere else: for services that give out keys. The
    /// connection's buffers are wiped behind it.
    public func sendForSecret(_ request: ClientRequest) async throws -> SecretResponse {
        let body = try SecretBody()
        let response = try await send(request, into: body)
        return SecretResponse(status: response.status, fields: response.fields, body: try body.take())
    }

    private func send(_ request: ClientRequest, into secret: SecretBody?) async throws -> ClientResponse {
        let task = Task(executorPreference: loop) { try await self.run(request, into: secret) }
        return try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
    }

    /// Closes the connections that no call uses.
    public func close() {
        loop.execute { [pool] in pool.value.close() }
    }

    // MARK: On the loop

    private func run(_ request: ClientRequest, into secret: SecretBody?) async throws -> ClientResponse {
        let bytes = try request.wire(host: service.host)
        let end = loop.clock.nanoseconds() &+ (request.deadline ?? limits.deadline).wholeNanoseconds
        var generator = SystemRandomNumberGenerator()
        var number = 0
        var stale = 0
        while true {
            number += 1
            let failure: RetryPolicy.Failure
            let outcome: Result<ClientResponse, any Error>
            do {
                try secret?.clear()
                let response = try await attempt(bytes, request, until: end, into: secret)
                guard [429, 502, 503, 504].contains(response.status.rawValue) else { return response }
                failure = .refused(retryAfter: response.fields["retry-after"].flatMap { Int($0) })
                outcome = .success(response)
            } catch let error as Attempt {
                // It says nothing about the service, and another connection takes its place.
                if error.wasStale, request.isIdempotent, stale < limits.connections {
                    stale += 1
                    number -= 1
                    continue
                }
                failure = error.failure
                outcome = .failure(error.error)
            }
            let pause = limits.retry.pause(
                after: failure, try: number, isIdempotent: request.isIdempotent, using: &generator)
            guard let pause, pause < remaining(until: end) else { return try outcome.get() }
            try await Task.sleep(for: pause)
        }
    }

    /// A try that another may follow.
    private struct Attempt: Error {
        let failure: RetryPolicy.Failure
        let error: any Error
        /// The connection had been used before: the service may have closed it for its idleness in the same moment.
        var wasStale = false
    }

    private func attempt(
        _ bytes: RequestWire, _ request: ClientRequest, until end: UInt64, into secret: SecretBody?
    ) async throws -> ClientResponse {
        let connection: ClientConnection
        do {
            let time = min(limits.connect, remaining(until: end))
            guard time > .zero else { throw tooLate }
            connection = try await pool.value.take(within: time)
        } catch let error as TransportError {
            throw Attempt(failure: .notConnected, error: error)
        } catch let error as HTTPError where error.code == .connectFailed {
            throw Attempt(failure: .notConnected, error: error)
        }
        let cancellation = LoopBound(connection, on: loop)
        var isTooLate = false
        let timer = loop.schedule(after: remaining(until: end)) {
            isTooLate = true
            connection.abandon()
        }
        defer {
            loop.cancel(timer)
            pool.value.give(connection)
        }
        let result = await withTaskCancellationHandler {
            await connection.send(bytes, request.method, limit: limits.body, into: secret)
        } onCancel: {
            loop.execute { cancellation.value.abandon() }
        }
        switch result {
        case .success(let response): return response
        case .failure(.refused(let error)): throw error
        case .failure(.lost(let reason)):
            try Task.checkCancellation()
            if isTooLate { throw tooLate }
            let error = HTTPError(.connectionClosed, "\(service.endpoint): no answer, \(reason)")
            throw Attempt(failure: .lost, error: error, wasStale: connection.calls > 1)
        }
    }

    private var tooLate: HTTPError {
        HTTPError(.deadlineExceeded, "\(service.endpoint): no answer within the deadline")
    }

    private func remaining(until end: UInt64) -> Duration {
        let now = loop.clock.nanoseconds()
        return .nanoseconds(Int64(clamping: end > now ? end - now : 0))
    }
}
