// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import HTTP
internal import Settings

extension CommandRun {
    // MARK: Grants

    func listGrants() async throws {
        print(
            "grants", try await pages(desk(), "/api/v1/grants/"),
            columns: [
                ("ID", "id"), ("CLIENT", "client"), ("KEYS", "keys"), ("KINDS", "kinds"),
                ("EXPIRES", "expire_at"),
            ])
    }

    private struct NewGrant: Encodable {
        var client: String
        var keys: [String]
        var kinds: [String]
        var expire_at: String?
        var description: String
    }

    func addGrant() async throws {
        let body = NewGrant(
            client: invocation.text("client") ?? "", keys: invocation.texts("key"),
            kinds: invocation.texts("kind"), expire_at: expiry(),
            description: invocation.text("description") ?? "")
        guard !body.keys.isEmpty, !body.kinds.isEmpty else {
            throw ConsoleError(
                .badArguments, "signet grant add: a grant names at least one --key and one --kind",
                remedy: "Add them; both may be repeated.")
        }
        print("grant", try await ask(desk(), json: .json(.post, "/api/v1/grants/", body)))
    }

    func removeGrants() async throws {
        try await remove("grants", segments: ["api", "v1", "grants"])
    }

    // MARK: Tokens

    func listTokens() async throws {
        let answer = try await ask(desk(), json: ClientRequest(.get, "/api/v1/users/api_keys"))
        print(
            "tokens", answer.items,
            columns: [
                ("ID", "id"), ("DESCRIPTION", "description"), ("CREATED", "create_at"),
                ("EXPIRES", "expire_at"),
            ])
    }

    func createToken() async throws {
        let body = ["description": invocation.argument("DESCRIPTION") ?? ""]
        let token = try await ask(desk(), json: .json(.post, "/api/v1/users/api_keys", body))
        guard form == .text else { return print("token", token) }
        screen.out(ShownText.line(token["token"].shown) + "\n")
        confirm("Token \(token["id"].shown), valid until \(token["expire_at"].shown). It is not shown again.")
    }

    func revokeTokens() async throws {
        try await remove("tokens", segments: ["api", "v1", "users", "api_keys"])
    }

    private func remove(_ name: String, segments: [String]) async throws {
        let desk = try desk()
        for id in invocation.arguments("ID") {
            try await ask(desk, ClientRequest(.delete, segments: segments + [id]))
            confirm("\(id) is gone")
        }
        if form != .text { print([(name, .list(invocation.arguments("ID").map { .text($0) }))]) }
    }

    // MARK: Records

    func listRecords() async throws {
        let query = invocation.text("key").map { [("key", $0)] } ?? []
        let limit = invocation.integer("limit") ?? 50
        print(
            "records", try await pages(desk(), "/api/v1/records/", query, most: limit),
            columns: [
                ("TIME", "time"), ("KEY", "key"), ("KIND", "kind"), ("CLIENT", "client"),
                ("SERVER", "server"),
                ("CONTENT", "content_digest"),
            ])
    }

    /// The point in time that `--expires` names.
    func expiry() -> String? {
        invocation.duration("expires").map { program.wallTime(after: $0) }
    }
}
