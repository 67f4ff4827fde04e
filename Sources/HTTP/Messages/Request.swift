// SPDX-License-Identifier: Apache-2.0

public import Diagnostics
public import HTTP2
public import Transport

/// What a client asks. It lives on the loop of its connection and is the same for HTTP/1.1 and HTTP/2.
public struct Request {
    public let method: Method
    public let target: RequestTarget
    /// Names in lower case, without those that begin with a colon.
    public let fields: HeaderFields
    public let body: RequestBody
    /// The `x-request-id` of the client, or a new one; the answer bears it too.
    public let id: RequestID
    /// The trace that the client is in, one step further down, or a new one.
    public let trace: TraceParent
    /// The other end of the socket.
    public let remote: Address
    /// The certificate that the client proved to own.
    public let peer: PeerIdentity?
    public let isSecure: Bool
    /// Where the handler runs; nil for a request that came over no connection.
    public let loop: EventLoop?
    /// Who a layer of the router found the caller to be.
    public var caller: (any Sendable)?

    /// The decoded segments that the route's parameters stand for.
    public internal(set) var parameters: [String: String] = [:]
    /// Why the request must not be answered as it asks.
    var refusal: HTTPError?
    let report: RequestReport
    var setTimeout: (Duration) -> Void = { _ in }

    /// A request without a connection, for tests of a router.
    public init(
        _ method: Method, _ target: String, fields: HeaderFields = HeaderFields(), body: [UInt8] = [],
        peer: PeerIdentity? = nil
    ) {
        self.init(method, target, fields, RequestBody(whole: body), remote: .unix(""), peer: peer)
    }

    init(
        _ method: Method, _ target: String, _ fields: HeaderFields, _ body: RequestBody, remote: Address,
        peer: PeerIdentity?, isSecure: Bool = false, loop: EventLoop? = nil
    ) {
        self.method = method
        self.fields = fields
        self.body = body
        self.remote = remote
        self.peer = peer
        self.isSecure = isSecure
        self.loop = loop
        var source = IdentifierSource.shared
        id = fields["x-request-id"].flatMap { RequestID($0) } ?? .random(using: &source)
        if let trace = fields["traceparent"].flatMap({ TraceParent($0) }) {
            self.trace = trace.child(using: &source)
        } else {
            trace = .random(sampled: false, using: &source)
        }
        do {
            self.target = try RequestTarget(target)
        } catch {
            self.target = .root
            refusal = error
        }
        report = RequestReport(method: method, path: self.target.path, id: id)
        if refusal == nil { refusal = Self.refusal(fields, self.target) }
    }

    init(
        on connection: Connection, _ method: Method, _ target: String, _ fields: HeaderFields,
        _ body: RequestBody
    ) {
        self.init(
            method, target, fields, body, remote: connection.remote, peer: connection.peer,
            isSecure: connection.isSecure, loop: connection.loop)
    }

    private static func refusal(_ fields: HeaderFields, _ target: RequestTarget) -> HTTPError? {
        if let authority = target.authority, let host = fields["host"], authority != host {
            return .malformed("the target names another host than the Host field")
        }
        if let coding = fields["content-encoding"], coding.lowercased() != "identity" {
            return HTTPError(
                .mediaTypeUnsupported, "bodies are taken without a content coding",
                status: .unsupportedMediaType, fields: ["accept-encoding": "identity"])
        }
        if let expectation = fields["expect"], expectation.lowercased() != "100-continue" {
            return HTTPError(
                .unsupported, "the only expectation that is known is 100-continue", status: .expectationFailed
            )
        }
        return nil
    }

    // MARK: For handlers

    public var query: Query { target.query }

    /// A parameter of the path, in the one spelling that its type has.
    public func path<Value: LosslessStringConvertible>(
        _ name: String, as type: Value.Type = String.self
    ) throws(HTTPError) -> Value {
        guard let text = parameters[name] else {
            throw HTTPError(.internalError, "the route has no parameter \(name)")
        }
        return try Canonical.read(text, as: type, "the \(name) in the path")
    }

    /// Whether the body has one of these media types; else throws 415.
    public func expectContent(_ types: [String]) throws(HTTPError) {
        let type = fields["content-type"].map(MediaType.essence)
        guard let type, types.contains(type), fields.values(of: "content-type").count == 1 else {
            throw HTTPError(
                .mediaTypeUnsupported, "the body must be \(types.joined(separator: " or "))",
                status: .unsupportedMediaType)
        }
    }

    /// Whether the client takes an answer of one of these media types.
    public func accepts(anyOf types: [String]) -> Bool {
        MediaType.accepts(anyOf: types, fields.values(of: "accept"))
    }

    /// The body as JSON: of the right media type, within the route's limit, without duplicate keys.
    public func json<Value: Decodable>(_ type: Value.Type = Value.self) async throws -> Value {
        try expectContent(["application/json"])
        return try JSON.decode(type, from: try await body.whole())
    }
}

/// What becomes of a request, for logs and metrics.
public final class RequestReport {
    public let method: Method
    /// As it came; it may hold anything that a client writes.
    public let path: String
    public let id: RequestID
    /// The pattern of the route; nil when there was none.
    public internal(set) var route: String?
    /// Nil when the client went away before the answer.
    public internal(set) var status: Status?
    /// The code of the problem, when the answer is one.
    public internal(set) var code: ErrorCode?
    /// What went wrong inside, which the client is not told.
    public internal(set) var fault: (any Error)?
    public internal(set) var sentBody: UInt64 = 0
    /// Whether the whole answer was handed to the connection.
    public internal(set) var isComplete = false
    public internal(set) var duration: Duration = .zero

    init(method: Method, path: String, id: RequestID) {
        self.method = method
        self.path = path
        self.id = id
    }
}
