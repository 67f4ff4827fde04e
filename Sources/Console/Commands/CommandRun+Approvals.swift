// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import HTTP
internal import Settings

/// The end of keys, and what has to be approved.
extension CommandRun {
    private static let keys = ["api", "v1", "keys"]
    private static let approvals = ["api", "v1", "approvals"]

    /// Asks for it, or approves what somebody else asked for.
    func askFor(_ action: String, _ what: String) async throws {
        let desk = try desk()
        var states: [JSONValue] = []
        for key in invocation.arguments("KEY") {
            let found = try await ask(desk, json: ClientRequest(.get, segments: Self.keys + [key]))
            let path = "/api/v1/keys/\(found["id"].shown)/actions/\(action)"
            if let reason = invocation.text("reason") {
                _ = try await ask(desk, json: .json(.post, path, ["reason": reason]))
            } else {
                try await ask(desk, ClientRequest(.post, path))
            }
            states.append(.object(["key": .text(key), "id": found["id"], "asked": .text(action)]))
            confirm("\(key) is asked \(what)")
        }
        if form != .text { print([("keys", .list(states))]) }
    }

    /// Withdraws whichever request a key waits for.
    func keepKeys() async throws {
        let desk = try desk()
        for key in invocation.arguments("KEY") {
            let found = try await ask(desk, json: ClientRequest(.get, segments: Self.keys + [key]))
            let action = found["key_state"].shown == "pending_revoke" ? "cancel_revoke" : "cancel_delete"
            try await ask(desk, ClientRequest(.post, segments: Self.keys + [key, "actions", action]))
            confirm("\(key): yours is withdrawn")
        }
        if form != .text { print([("keys", .list(invocation.arguments("KEY").map { .text($0) }))]) }
    }

    func listApprovals() async throws {
        let query = invocation.flag("all") ? [] : [("state", "open")]
        print(
            "approvals", try await pages(desk(), "/api/v1/approvals", query),
            columns: [
                ("ID", "id"), ("OPERATION", "operation"), ("STATE", "state"), ("KEY", "key"),
                ("ASKED BY", "user_email"), ("APPROVED BY", "approved_by"), ("NEEDED", "needed"),
                ("ENDS", "expire_at"),
            ])
    }

    func actOnApprovals(_ action: String, _ done: String) async throws {
        let desk = try desk()
        var requests: [JSONValue] = []
        for id in invocation.arguments("ID") {
            let request = try await ask(
                desk, json: ClientRequest(.post, segments: Self.approvals + [id, "actions", action]))
            requests.append(request)
            confirm("\(id) is \(done); it is \(request["state"].shown)")
        }
        if form != .text { print([("approvals", .list(requests))]) }
    }
}
