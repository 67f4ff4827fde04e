// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import HTTP
internal import Settings

extension CommandRun {
    private static let path = ["api", "v1", "keys"]

    func listKeys() async throws {
        let end = invocation.duration("expiring").map { program.wallTime(after: $0) }
        let keys = try await pages(desk(), "/api/v1/keys/", end.map { [("expires_until", $0)] } ?? [])
        if invocation.flag("names") {
            return keys.forEach { screen.out(ShownText.line($0["name"].shown) + "\n") }
        }
        print("keys", keys, columns: Self.keyColumns)
    }

    static let keyColumns = [
        ("NAME", "name"), ("TYPE", "key_type"), ("STATE", "key_state"), ("EXPIRES", "expire_at"),
        ("FINGERPRINT", "fingerprint"),
    ]

    func showKey() async throws {
        let key = invocation.argument("KEY") ?? ""
        print("key", try await ask(desk(), json: ClientRequest(.get, segments: Self.path + [key])))
    }

    func actOnKeys(_ action: String, _ done: String) async throws {
        let desk = try desk()
        for key in invocation.arguments("KEY") {
            let response = try await ask(
                desk, ClientRequest(.post, segments: Self.path + [key, "actions", action]))
            if response.status == .accepted {
                try confirmWaiting(response, "\(key) is not \(done) yet")
            } else {
                confirm("\(key) is \(done)")
            }
        }
        // What lets a client in counts at once.
        if action == "disable" { try await settle() }
        if form != .text {
            print([("keys", .list(invocation.arguments("KEY").map { .text($0) })), ("state", .text(done))])
        }
    }

    func exportKey() async throws {
        let desk = try desk()
        let key = invocation.argument("KEY") ?? ""
        let type = try await ask(desk, json: ClientRequest(.get, segments: Self.path + [key]))["key_type"]
            .shown
        let part = type == "pgp" ? "public_key" : "certificate"
        let body = try await ask(desk, ClientRequest(.get, segments: Self.path + [key, part])).body
        let text = String(decoding: body, as: UTF8.self)
        if let file = invocation.text("out") {
            try OutputFile.write(body, to: file)
            confirm("\(file): the public part of \(key)")
            if form != .text { print([("file", .text(file))]) }
        } else if form == .text {
            screen.out(ShownText.lines(text))
        } else {
            print([(part, .text(text))])
        }
    }
}
