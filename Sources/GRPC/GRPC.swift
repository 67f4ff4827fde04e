// SPDX-License-Identifier: Apache-2.0

public import Protobuf

/// GRPC serves and calls gRPC services over HTTP/2, with any peer that speaks the protocol.
///
/// A `Service` is a named list of `Method`s; a `Server` answers with them on the connections of a listener, and a
/// `Channel` deals calls round robin over all servers of a service. Handlers are straight `async` code on the loop of
/// their connection. All four kinds of calls, deadlines, metadata, status with details, cancellation, flow control in
/// both directions, keepalive and drain with GOAWAY are there; `HealthService` is `grpc.health.v1`.
///
/// It refuses: encodings but identity, messages and calls over `ServerLimits`, methods that nobody serves, malformed
/// timeouts and framing; each with the status of the specification.
///
/// ```swift
/// let health = HealthService(["", "demo.Greeter"])
/// let greeter = Service("demo.Greeter", [
///     .unary("Greet", Person.self) { person, call in
///         guard let peer = call.peer else { throw CallStatus(.unauthenticated, "who are you?") }
///         return Greeting(text: "Hello, \(person.name), known as \(peer.uris)")
///     },
///     Method("Chat") { call in
///         while let message = try await call.next() { try await call.send(message) }
///     },
/// ])
/// var settings = TLSSettings.server(
///     certificates: .file("\(folder)/server.crt"), key: .file("\(folder)/server.key"),
///     trust: .authorities(.file("\(folder)/clients.crt")))
/// settings.applicationProtocols = ["h2"]
/// let loops = try EventLoops()
/// let server = Server([greeter, health.service])
/// let listener = try Listener(at: address, loops: loops, security: .tls(TLSContext(settings))) {
///     server.serve($0)
/// }
/// health.set(.serving, for: "demo.Greeter")
/// // ... until the program shall end:
/// await listener.drain(within: .seconds(30))
/// ```
///
/// and a client, on a loop:
///
/// ```swift
/// let channel = Channel(to: [.host(name, port: port)], on: loop, ChannelSettings(security: security))
/// let greeting = try await channel.unary("/demo.Greeter/Greet", Person(name: "Ada"), Greeting.self)
/// ```
public struct Service: Sendable {
    /// With its package, like `grpc.health.v1.Health`.
    public let name: String
    public let methods: [Method]

    public init(_ name: String, _ methods: [Method]) {
        self.name = name
        self.methods = methods
    }
}

/// A method of a service: its name and what runs for each call.
public struct Method: Sendable {
    public let name: String
    let run: @Sendable (ServerCall) async throws -> Void

    /// Whatever sort of call: reads with `next()` and answers with `send(_:)` as it likes. It ends OK when `run`
    /// returns and with the status of what it throws.
    public init(_ name: String, run: @escaping @Sendable (ServerCall) async throws -> Void) {
        self.name = name
        self.run = run
    }

    /// One message in, one message out, as bytes.
    public static func unary(
        _ name: String, _ answer: @escaping @Sendable ([UInt8], ServerCall) async throws -> [UInt8]
    ) -> Method {
        Method(name) { call in
            let request = try await call.onlyMessage()
            // The one answer finds nothing that it would have to wait for.
            try call.post(await answer(request, call))
        }
    }

    /// One message in, one message out.
    public static func unary<
        Request: ProtobufMessage & SendableMetatype, Response: ProtobufMessage & SendableMetatype
    >(
        _ name: String, _: Request.Type,
        _ answer: @escaping @Sendable (Request, ServerCall) async throws -> Response
    ) -> Method {
        unary(name) { bytes, call in
            try await answer(decoded(bytes), call).protobuf()
        }
    }
}

/// A message of a peer; INVALID_ARGUMENT when it is malformed.
func decoded<Message: ProtobufMessage>(_ bytes: [UInt8]) throws(CallStatus) -> Message {
    do {
        return try Message(protobuf: bytes)
    } catch {
        throw CallStatus(.invalidArgument, "malformed message: \(error)")
    }
}

extension ServerCall {
    /// The next message of the client; nil after its last.
    public func next<Message: ProtobufMessage>(_: Message.Type) async throws -> Message? {
        guard let bytes = try await next() else { return nil }
        return try decoded(bytes)
    }

    public func send(_ message: some ProtobufMessage) async throws { try await send(message.protobuf()) }
}

extension Channel {
    /// One message there, one message back.
    public func unary<Response: ProtobufMessage>(
        _ path: String, _ message: some ProtobufMessage, _: Response.Type,
        _ options: CallOptions = CallOptions()
    ) async throws -> Response {
        try await decoded(unary(path, message.protobuf(), options))
    }
}
