// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import HTTP
internal import Settings
internal import Transport

extension CommandRun {
    /// The desk, with the token of whoever asks.
    func desk() throws -> any ControlDesk {
        let settings = try settings().settings
        if let desk = program.desk { return try desk(settings) }
        guard let server = settings.controlServer else {
            throw ConsoleError(
                .settingMissing, "no control-server is named",
                remedy: "Name one in the section [control-server] of the settings: \(paths).")
        }
        let token = try TokenSource.read(
            option: invocation.text("token-file"), environment: program.environment, setting: server.tokenFile
        )
        return try RemoteDesk(server, token: token, on: EventLoops(count: 1).next())
    }

    private var paths: String {
        invocation.text("config") ?? ClientSettings.paths(program.environment).joined(separator: " or ")
    }

    /// The answer to a request that was accepted.
    @discardableResult
    func ask(_ desk: any ControlDesk, _ request: ClientRequest) async throws -> ClientResponse {
        let response = try await desk.send(request)
        guard (200..<300).contains(response.status.rawValue) else { throw ConsoleError(refusal: response) }
        return response
    }

    func ask(_ desk: any ControlDesk, json request: ClientRequest) async throws -> JSONValue {
        let response = try await ask(desk, request)
        return response.body.isEmpty ? .null : try response.json(JSONValue.self)
    }

    /// The pages of a list, up to `most` items.
    func pages(
        _ desk: any ControlDesk, _ path: String, _ query: [(String, String)] = [], most: Int = 100_000
    ) async throws -> [JSONValue] {
        var items: [JSONValue] = []
        for page in 1...1000 where items.count < most {
            let request = ClientRequest(
                .get, path, query: query + [("page_size", "100"), ("page_number", "\(page)")])
            let found = try await ask(desk, json: request)["data"].items
            items += found
            guard found.count == 100 else { break }
        }
        return Array(items.prefix(most))
    }
}
