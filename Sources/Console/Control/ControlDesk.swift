// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
public import HTTP
internal import HTTP2
internal import Secrets
internal import Transport

/// Asks the control-server; tests answer themselves.
public protocol ControlDesk: Sendable {
    func send(_ request: ClientRequest) async throws -> ClientResponse
}

/// The control-server over TLS, asked with a bearer's token.
struct RemoteDesk: ControlDesk {
    private let client: Client
    private let token: String?

    init(_ settings: ClientSettings.ControlServer, token: String?, on loop: EventLoop) throws {
        client = Client(
            of: ClientService(settings.endpoint, serverName: settings.name), on: loop,
            connector: Connector(security: .tls(try TLSContext(settings.tls))))
        self.token = token
    }

    func send(_ request: ClientRequest) async throws -> ClientResponse {
        var request = request
        if let token { request.fields.append("authorization", "Bearer " + token) }
        return try await client.send(request)
    }
}

/// Where the token comes from: `--token-file`, the variable SIGNET_TOKEN, the settings' file; never an argument.
enum TokenSource {
    static let variable = "SIGNET_TOKEN"

    static func read(
        option: String?, environment: [String: String], setting: String?
    ) throws -> String? {
        if let option { return try read(option) }
        if let token = environment[variable], !token.isEmpty { return try checked(token, variable) }
        return try setting.map(read)
    }

    private static func read(_ path: String) throws -> String {
        let bytes = try SecretBytes(contentsOf: path, limit: 4096, lastNewline: .dropped)
        var text = ""
        // It goes into a field of the request as text, as the protocol wants it.
        let span = bytes.bytes
        for index in span.indices { text.unicodeScalars.append(Unicode.Scalar(span[index])) }
        return try checked(text, path)
    }

    private static func checked(_ token: String, _ place: String) throws -> String {
        guard (1...1024).contains(token.utf8.count), token.utf8.allSatisfy({ 0x21...0x7e ~= $0 }) else {
            throw ConsoleError(
                .invalidArgument, "\(place) holds no token",
                remedy: "It holds one line, as `signet token create` or `control-admin user add` printed it.")
        }
        return token
    }
}
