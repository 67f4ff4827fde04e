// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
public import HTTP2
internal import Secrets

/// What a `Client` asks.
public struct ClientRequest: Sendable {
    public let method: Method
    /// The path with its query, escaped.
    public let target: String
    /// Names in lower case. Host, lengths and the connection's own fields are added.
    public var fields: HeaderFields
    public var body: [UInt8]
    /// Fields whose values are secret, such as a token. They and a secret body stand in secret memory alone, and the
    /// connection's buffers are wiped behind them.
    public var secretFields: [(name: String, value: RequestSecret)] = []
    /// In place of `body`.
    public var secretBody: RequestSecret?
    /// Whether it may be sent a second time when it is not known what became of the first.
    public var isIdempotent: Bool
    /// From the call to the whole answer, tries included; nil for the client's own.
    public var deadline: Duration?

    /// `path` begins with a slash and is escaped where it must be; `query` is escaped here.
    public init(
        _ method: Method, _ path: String, query: [(String, String)] = [],
        fields: HeaderFields = HeaderFields(),
        body: [UInt8] = []
    ) {
        self.method = method
        self.fields = fields
        self.body = body
        isIdempotent = method.isIdempotent
        let pairs = query.map { Escapes.encode($0.0) + "=" + Escapes.encode($0.1) }
        target = pairs.isEmpty ? path : path + "?" + pairs.joined(separator: "&")
    }

    /// A path of segments that are any text.
    public init(_ method: Method, segments: [String], query: [(String, String)] = []) {
        self.init(method, "/" + segments.map(Escapes.encode).joined(separator: "/"), query: query)
    }

    /// With a value as its JSON body.
    public static func json(_ method: Method, _ path: String, _ value: some Encodable) throws -> ClientRequest
    {
        ClientRequest(
            method, path, fields: ["content-type": "application/json", "accept": "application/json"],
            body: try JSON.encode(value))
    }

    /// The head on the wire, without its last line and the secret fields. Throws for what would be read as another request.
    private func head(host: String) throws(HTTPError) -> [UInt8] {
        let own = ["host", "content-length", "transfer-encoding", "connection", "expect", "te", "upgrade"]
        guard !method.rawValue.isEmpty, method.rawValue.utf8.allSatisfy(\.isTokenByte),
            target.utf8.first == UInt8(ascii: "/"),
            target.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "#") }),
            fields.allAreWritable, !own.contains(where: fields.contains),
            secretFields.allSatisfy({
                !$0.name.isEmpty && $0.name.utf8.allSatisfy(\.isTokenByte) && !own.contains($0.name)
                    && $0.value.isFieldValue
            })
        else { throw HTTPError(.invalidArgument, "the request to \(host) cannot be written as HTTP") }
        var all: HeaderFields = ["host": host]
        all.append(contentsOf: fields)
        if !fields.contains("user-agent") { all.append("user-agent", "signet") }
        let count = secretBody?.bytes.count ?? body.count
        if count > 0 || [.post, .put, .patch].contains(method) {
            all.append("content-length", String(count))
        }
        return MessageWriter.request(method, target, all)
    }

    /// All that goes over the wire.
    func wire(host: String) throws -> RequestWire {
        var head = try head(host: host)
        guard !secretFields.isEmpty || secretBody != nil else { return .plain(head + body) }
        // The empty line comes behind the secret fields.
        head.removeLast(2)
        let count = secretFields.reduce(head.count + 2 + (secretBody?.bytes.count ?? body.count)) {
            $0 + $1.name.utf8.count + $1.value.bytes.count + 4
        }
        let whole = try SecretBytes(capacity: count) { output in
            for byte in head { output.append(byte) }
            for field in secretFields {
                for byte in field.name.utf8 { output.append(byte) }
                for byte in ": ".utf8 { output.append(byte) }
                field.value.append(to: &output)
                for byte in "\r\n".utf8 { output.append(byte) }
            }
            for byte in "\r\n".utf8 { output.append(byte) }
            if let secretBody {
                secretBody.append(to: &output)
            } else {
                for byte in body { output.append(byte) }
            }
        }
        return .secret(RequestSecret(whole))
    }
}

/// What a service answered, whatever its status; the body is whole.
public struct ClientResponse: Sendable {
    public let status: Status
    public let fields: HeaderFields
    public let body: [UInt8]

    public init(status: Status, fields: HeaderFields, body: [UInt8]) {
        self.status = status
        self.fields = fields
        self.body = body
    }

    public func json<Value: Decodable>(_ type: Value.Type = Value.self) throws(HTTPError) -> Value {
        try JSON.decode(type, from: body)
    }
}
