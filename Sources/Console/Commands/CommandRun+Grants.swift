// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import HTTP
internal import Settings

extension CommandRun {
    // MARK: Grants

    func listGrants() async throws {
        let grants = try await pages(desk(), "/api/v1/grants")
        print("grants", grants, columns: Self.grantColumns)
    }

    private static let grantColumns = [
        ("ID", "id"), ("KINDS", "kinds"), ("EXPIRES", "expire_at"), ("CLIENTS", "clients"), ("KEYS", "keys"),
        ("NETWORKS", "networks"),
    ]

    private struct NewGrant: Encodable {
        var clients: String
        var keys: [String]
        var kinds: [String]
        var expire_at: String?
        var description: String
        var networks: [String]?
    }

    func addGrant() async throws {
        let body = NewGrant(
            clients: invocation.text("client") ?? "", keys: invocation.texts("key"),
            kinds: invocation.texts("kind"), expire_at: expiry(),
            description: invocation.text("description") ?? "",
            networks: invocation.texts("network").isEmpty ? nil : invocation.texts("network"))
        guard !body.keys.isEmpty, !body.kinds.isEmpty else {
            throw ConsoleError(
                .badArguments, "signet grant add: a grant names at least one --key and one --kind",
                remedy: "Add them; both may be repeated.")
        }
        let response = try await ask(desk(), .json(.post, "/api/v1/grants", body))
        let grant = try response.json(JSONValue.self)
        guard response.status != .accepted else {
            try confirmWaiting(response, "not granted yet")
            if form != .text { print("approval", grant) }
            return
        }
        if form == .text {
            print("grants", [grant], columns: Self.grantColumns)
        } else {
            print("grant", grant)
        }
    }

    func removeGrants() async throws {
        try await remove("grants", segments: ["api", "v1", "grants"])
        try await settle()
    }

    // MARK: Tokens

    func listTokens() async throws {
        let answer = try await ask(desk(), json: ClientRequest(.get, "/api/v1/users/api_keys"))
        print(
            "tokens", answer.items,
            columns: [
                ("ID", "id"), ("DESCRIPTION", "description"), ("CREATED", "create_at"),
                ("EXPIRES", "expire_at"), ("USED", "last_used_at"), ("SCOPES", "scopes"),
            ])
    }

    private struct NewToken: Encodable {
        var description: String
        var expire_at: String?
        var scopes: [String]?
    }

    func createToken() async throws {
        let scopes = invocation.texts("scope")
        let body = NewToken(
            description: invocation.argument("DESCRIPTION") ?? "", expire_at: expiry(),
            scopes: scopes.isEmpty ? nil : scopes)
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

    // MARK: Users

    func listUsers() async throws {
        print(
            "users", try await pages(desk(), "/api/v1/users"),
            columns: [("ID", "id"), ("NAME", "email"), ("ROLE", "role"), ("DISABLED", "disabled")])
    }

    /// Makes a user and his first token, since without one he cannot do anything.
    func addUser() async throws {
        let desk = try desk()
        let body = ["email": invocation.argument("NAME") ?? "", "role": invocation.text("role") ?? ""]
        let response = try await ask(desk, .json(.post, "/api/v1/users", body))
        let user = try response.json(JSONValue.self)
        guard response.status != .accepted else {
            try confirmWaiting(response, "\(user["for_user_email"].shown) is a viewer")
            if form != .text { print("approval", user) }
            return
        }
        let path = "/api/v1/users/\(user["id"].shown)/api_keys"
        let token = try await ask(desk, json: .json(.post, path, ["description": "the first"]))
        guard form == .text else { return print([("user", user), ("token", token)]) }
        screen.out(ShownText.line(token["token"].shown) + "\n")
        confirm("\(user["email"].shown) is \(user["role"].shown); this token is not shown again")
    }

    private struct UserChange: Encodable {
        var role: String?
        var disabled: Bool?
    }

    func changeUser() async throws {
        let desk = try desk()
        let name = invocation.argument("USER") ?? ""
        let users = try await pages(desk, "/api/v1/users")
        guard let user = users.first(where: { $0["email"].shown == name || $0["id"].shown == name }) else {
            throw ConsoleError(.userNotFound, "there is no user \(name)")
        }
        let isSwitched = invocation.flag("disable") || invocation.flag("enable")
        let change = UserChange(
            role: invocation.text("role"), disabled: isSwitched ? invocation.flag("disable") : nil)
        var request = try ClientRequest.json(.patch, "/api/v1/users/\(user["id"].shown)", change)
        request.isIdempotent = true
        let response = try await ask(desk, request)
        let answer = try response.json(JSONValue.self)
        guard response.status != .accepted else {
            try confirmWaiting(response, "\(name) is what he was")
            if form != .text { print("approval", answer) }
            return
        }
        print("user", answer)
    }

    // MARK: Records

    func listRecords() async throws {
        let desk = try desk()
        var query: [(String, String)] = []
        if let key = invocation.text("key") {
            // Records name keys by their ids, since names come and go.
            let found = try await ask(desk, json: ClientRequest(.get, segments: ["api", "v1", "keys", key]))
            query.append(("key", found["id"].shown))
        }
        for name in ["client", "kind", "server", "content"] {
            if let text = invocation.text(name) { query.append((name, text)) }
        }
        for (option, name) in [("since", "from"), ("until", "to")] {
            if let time = invocation.duration(option) {
                query.append((name, program.wallTime(after: .zero - time)))
            }
        }
        let limit = invocation.integer("limit") ?? 50
        print(
            "records", try await pages(desk, "/api/v1/signatures", query, most: limit),
            columns: [
                ("TIME", "time"), ("KIND", "kind"), ("SERVER", "server"), ("FINGERPRINT", "fingerprint"),
                ("CLIENT", "client"), ("CONTENT", "content"),
            ])
    }

    /// The server tells them by their numbers; what is not asked for is left out here.
    func listAudit() async throws {
        let desk = try desk()
        let most = invocation.integer("limit") ?? 1000
        var after = "\(invocation.integer("after") ?? 0)"
        var entries: [JSONValue] = []
        while entries.count < most {
            let request = ClientRequest(.get, "/api/v1/audit", query: [("limit", "1000"), ("after", after)])
            let found = try await ask(desk, json: request)["data"].items
            entries += found.filter { entry in
                [("action", "action"), ("by", "actor")].allSatisfy { option, field in
                    invocation.text(option).map { $0 == entry[field].shown } ?? true
                }
            }
            guard found.count == 1000, let last = found.last else { break }
            after = last["sequence"].shown
        }
        print(
            "audit", Array(entries.prefix(most)),
            columns: [
                ("N", "sequence"), ("TIME", "time"), ("BY", "actor"), ("ACTION", "action"),
                ("SUBJECT", "subject"),
                ("FACTS", "facts"),
            ])
    }

    /// The point in time that `--expires` names.
    func expiry() -> String? {
        invocation.duration("expires").map { program.wallTime(after: $0) }
    }
}
