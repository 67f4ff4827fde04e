// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import HTTP
internal import Settings

/// Stops of signing.
extension CommandRun {
    private static let path = "/api/v1/freezes"

    private struct Order: Encodable {
        var key: String?
        var reason: String?
    }

    func freeze() async throws {
        let key = invocation.text("key")
        let order = Order(key: key, reason: invocation.text("reason") ?? "")
        let made = try await ask(desk(), json: .json(.post, Self.path, order))
        try await settle()
        confirm("\(key.map { "signing with \($0)" } ?? "all signing") is frozen on every data-server")
        if form != .text { print("freeze", made) }
    }

    func thaw() async throws {
        let key = invocation.text("key")
        let response = try await ask(desk(), .json(.post, Self.path + "/actions/thaw", Order(key: key)))
        guard response.status != .accepted else {
            try confirmWaiting(response, "not yet")
            if form != .text { print("approval", try response.json(JSONValue.self)) }
            return
        }
        try await settle()
        confirm("\(key.map { "signing with \($0)" } ?? "signing") goes on")
        if form != .text { print([("key", key.map { .text($0) } ?? .null)]) }
    }

    /// Of what others have to approve first.
    func confirmWaiting(_ response: ClientResponse, _ what: String) throws {
        let request = try response.json(JSONValue.self)
        confirm(
            "\(what): request \(request["id"].shown) has \(request["approved_by"].items.count) of "
                + "\(request["needed"].shown) approvals of other administrators")
    }

    func listFreezes() async throws {
        print(
            "freezes", try await ask(desk(), json: ClientRequest(.get, Self.path))["data"].items,
            columns: [
                ("KEY", "name"), ("ID", "key"), ("SINCE", "create_at"), ("BY", "user_email"),
                ("REASON", "reason"),
            ])
    }
}
