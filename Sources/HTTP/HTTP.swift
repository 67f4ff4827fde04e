// SPDX-License-Identifier: Apache-2.0

public import Diagnostics
public import HTTP2

/// HTTP answers and asks over REST: a `Router` of typed paths, a `Server` that speaks HTTP/1.1 and HTTP/2 on one
/// listener, and a `Client` for the services that a program needs.
///
/// Handlers are plain `async` functions on the loop of their connection; they see the same `Request` whatever carried
/// it, read its body as it comes or whole, and return a `Response` or throw. What they throw becomes a problem document
/// (RFC 9457) from the one vocabulary of errors; of an error outside of it nothing is told. HEAD, OPTIONS, 404, 405,
/// 406, 412, 413, 414, 415, 431, 408, 100-continue, Date, request ids and traces are seen to here.
///
/// It refuses: messages that two readers could frame in two ways; paths with escaped slashes, dot segments or text that
/// is not UTF-8; JSON with duplicate keys or too deep; heads and bodies that are too large or too slow; content codings,
/// upgrades and, in the client, redirects.
///
/// ```swift
/// struct Note: Codable { var text: String }
///
/// var router = Router()
/// router.get("/notes/{id}") { request in
///     guard let note = await notes.find(try request.path("id", as: Int.self)) else {
///         throw HTTPError(.notFound, "no such note")
///     }
///     return try request.conditional(.json(note))
/// }
/// router.post("/notes", Route.Options(body: 16 << 10)) { request in
///     try .json(await notes.add(try await request.json(Note.self)), status: .created)
/// }
///
/// var settings = TLSSettings.server(
///     certificates: .file("\(folder)/server.crt"), key: .file("\(folder)/server.key"),
///     trust: .authorities(.file("\(folder)/clients.crt")))
/// settings.applicationProtocols = Server.applicationProtocols
/// let loops = try EventLoops()
/// let server = Server(router)
/// let listener = try Listener(at: address, loops: loops, security: .tls(TLSContext(settings))) {
///     server.serve($0)
/// }
/// // ... until the program shall end:
/// await listener.drain(within: .seconds(10))
/// ```
///
/// What a handler throws to refuse a request, and what a `Client` throws when it has no answer.
///
/// Any `CodedError` may be thrown in a handler; this one also chooses the status and adds fields to the answer, such
/// as `Allow`, `WWW-Authenticate` or `Retry-After`.
public struct HTTPError: CodedError, Equatable, CustomStringConvertible {
    public let code: ErrorCode
    public let message: String
    public let status: Status
    public let fields: HeaderFields

    /// Without a status, that of the code's category.
    public init(
        _ code: ErrorCode, _ message: String, status: Status? = nil, fields: HeaderFields = HeaderFields()
    ) {
        self.code = code
        self.message = message
        self.status = status ?? Status(rawValue: code.category.http)
        self.fields = fields
    }

    public var description: String { message }

    public static func == (one: HTTPError, other: HTTPError) -> Bool {
        one.code == other.code && one.status == other.status
    }

    // MARK: Refusals of the server itself

    init(_ error: MessageError) {
        let code: ErrorCode =
            switch error.status {
            case .contentTooLarge, .headerFieldsTooLarge, .uriTooLong: .tooLarge
            case .requestTimeout: .requestTimeout
            case .notImplemented, .versionNotSupported: .unsupported
            default: .httpMalformed
            }
        self.init(code, error.reason, status: error.status)
    }

    static func malformed(_ message: String) -> HTTPError { HTTPError(.httpMalformed, message) }

    static func bodyTooLarge(_ limit: Int) -> HTTPError {
        HTTPError(.tooLarge, "the body is over the limit of \(limit) bytes", status: .contentTooLarge)
    }
}
