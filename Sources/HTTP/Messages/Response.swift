// SPDX-License-Identifier: Apache-2.0

public import HTTP2

/// What a handler answers. Date, request id, lengths and what the connection needs are added on the way out.
public struct Response {
    public enum Body {
        case bytes([UInt8])
        /// Written as it is made; `length` if it is known before. The body ends when the closure returns, and the client
        /// sees it cut off when the closure throws or writes another length.
        case stream(length: UInt64?, (ResponseWriter) async throws -> Void)
    }

    public var status: Status
    /// Names in lower case.
    public var fields: HeaderFields
    public var body: Body
    /// The code of a problem document, and what the client is not told of it.
    var problem: Problem?

    public init(_ status: Status = .ok, fields: HeaderFields = HeaderFields(), body: [UInt8] = []) {
        self.status = status
        self.fields = fields
        self.body = .bytes(body)
    }

    public init(
        _ status: Status = .ok, fields: HeaderFields = HeaderFields(), length: UInt64? = nil,
        writing: @escaping (ResponseWriter) async throws -> Void
    ) {
        self.status = status
        self.fields = fields
        body = .stream(length: length, writing)
    }

    public static func text(_ text: String, status: Status = .ok) -> Response {
        Response(status, fields: ["content-type": "text/plain; charset=utf-8"], body: Array(text.utf8))
    }

    /// A value as JSON, with sorted keys, so that equal values have equal bytes and entity tags.
    public static func json(_ value: some Encodable, status: Status = .ok) throws -> Response {
        Response(status, fields: ["content-type": "application/json"], body: try JSON.encode(value))
    }

    /// The same response with its entity tag.
    public func tagged(_ tag: EntityTag) -> Response {
        var response = self
        response.fields.append("etag", tag.description)
        return response
    }
}

/// Takes a streamed body. It waits while the client is slow to take what was written before.
public final class ResponseWriter {
    private let exchange: Exchange?
    private(set) var collected: [UInt8] = []

    init(_ exchange: Exchange?) { self.exchange = exchange }

    public func write(_ bytes: [UInt8]) async throws(HTTPError) {
        if let exchange { try await exchange.write(bytes) } else { collected += bytes }
    }
}

extension Response {
    /// All of the body, for tests of a router.
    public func whole() async throws -> [UInt8] {
        switch body {
        case .bytes(let bytes): return bytes
        case .stream(_, let writing):
            let writer = ResponseWriter(nil)
            try await writing(writer)
            return writer.collected
        }
    }
}
