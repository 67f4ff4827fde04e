// SPDX-License-Identifier: Apache-2.0

public import GRPC
internal import Protobuf
public import Transport

/// The server's half: what answers the three methods. Everything runs on the loop of the caller's connection, and what
/// a method throws becomes the status of its call, with a `Failure` in the details.
public protocol SigningHandler: Sendable {
    /// Reads jobs and answers them until the caller has no more.
    func sign(_ call: SignCall) async throws
    func describeKey(_ request: DescribeKeyRequest, _ call: ServerCall) async throws -> KeyDescription
    func listKeys(_ request: ListKeysRequest, _ call: ServerCall) async throws -> ListKeysReply
}

extension Service {
    /// `signet.v1.Signing`.
    public static func signing(_ handler: some SigningHandler) -> Service {
        Service(
            SigningLimits.serviceName,
            [
                Method("Sign") { call in
                    try await failing { try await handler.sign(SignCall(call)) }
                },
                .unary("DescribeKey", DescribeKeyRequest.self) { request, call in
                    try await failing { try await handler.describeKey(request, call) }
                },
                .unary("ListKeys", ListKeysRequest.self) { request, call in
                    try await failing { try await handler.listKeys(request, call) }
                },
            ])
    }

    private static func failing<Value>(_ body: () async throws -> Value) async throws(CallStatus) -> Value {
        do {
            return try await body()
        } catch {
            throw error as? CallStatus ?? CallStatus(Failure(error))
        }
    }
}

extension SigningLimits {
    /// What the service needs of its server.
    public static var server: ServerLimits {
        var limits = ServerLimits()
        limits.message = message
        limits.messages = .max
        limits.bytes = .max
        return limits
    }
}

/// One call of Sign as the server sees it.
public struct SignCall {
    public let call: ServerCall

    init(_ call: ServerCall) { self.call = call }

    public var peer: PeerIdentity? { call.peer }

    /// The next message; nil after the last. A malformed one ends the call.
    public func next() async throws -> SignRequest? { try await call.next(SignRequest.self) }

    /// Sends a reply; waits while the client is slow to take what was sent before. One at a time.
    public func send(_ reply: SignReply) async throws { try await call.send(reply) }

    /// Ends the call as failed, from outside of its handler.
    public func end(_ failure: Failure) { call.finish(CallStatus(failure)) }

    /// Sends a reply without waiting; throws when far too many wait already.
    public func post(_ reply: SignReply) throws { try call.post(reply.protobuf()) }
}
