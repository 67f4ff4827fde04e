// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import TestSupport
import Testing

/// The real programs over a private MariaDB whose users have the rights of their programs and no others.
final class Plant {
    let folder: TemporaryFolder
    private(set) var database: DatabaseServer
    let token: String
    private(set) var server: Companion?
    private(set) var rest = ""
    private(set) var status = ""

    struct Refused: Error, CustomStringConvertible {
        let description: String
    }

    var config: String { folder.path + "/control-server.toml" }
    var log: String { (try? folder.read("log")).map { String(decoding: $0, as: UTF8.self) } ?? "" }

    /// `strangers`: requests a minute of those without a token, 0 for any number.
    init(strangers: Int = 0) throws {
        folder = try TemporaryFolder()
        database = try DatabaseServer()
        for user in ["signet_control", "signet_migration", "signet_data"] {
            let password = (0..<24).map { _ in String(UInt8.random(in: 0...15), radix: 16) }.joined()
            try folder.write(user, password)
            try database.sql("CREATE USER \(user)@localhost IDENTIFIED BY '\(password)'")
        }
        try folder.write(
            "control-server.toml",
            """
            environment = "development"
            tls_cert = "pki/control.crt"
            tls_key = "pki/control.key"
            ca_root = "pki/ca.crt"
            [control-server]
            server_port = 0
            status_port = 0
            limits_per_minute = 0
            stranger_limits_per_minute = \(strangers)
            [database]
            servers = ["\(database.socket)"]
            password_file = "signet_control"
            owner_password_file = "signet_migration"
            [memory.kms-provider]
            type = "dummy"
            file = "kms-key"
            [memory.certifying-kms-provider]
            type = "dummy"
            file = "certifying-kms-key"
            [pki]
            folder = "pki"
            [backup]
            folder = "backups"
            [log]
            form = "json"
            [hardening]
            allow = ["locked-memory", "secure-heap"]
            """)
        let config = folder.path + "/control-server.toml"
        try Self.admin(config, ["pki", "init"])
        try Self.admin(
            config, ["pki", "issue", "--role", "control", "--name", "control", "--host", "127.0.0.1"])
        for role in ["migration", "control", "data"] {
            if role == "control" {
                let migrations = Repository.path("migrations")
                let told = try Self.admin(config, ["migrate", "--folder", migrations])
                #expect(told.contains("the schema is at version"))
            }
            try database.sql(Self.admin(config, ["database", "rights", role, "--host", "localhost"]))
        }
        let file = folder.path + "/admin.token"
        try Self.admin(config, ["init", "--name", "admin@example.org", "--token-file", file])
        token = String(decoding: try folder.read("admin.token"), as: UTF8.self)
            .trimmingCharacters(in: .newlines)
        try folder.write("header", "authorization: Bearer \(token)\n")
    }

    // Before the database, which waits until nobody holds what the server inherited.
    deinit { server?.end() }

    /// Another database, in which the users are and the one who migrates has his rights, but nothing else.
    func moveToEmptyDatabase() throws {
        stop()
        let old = database.socket
        database = try DatabaseServer()
        for user in ["signet_control", "signet_migration", "signet_data"] {
            let password = String(decoding: try folder.read(user), as: UTF8.self)
            try database.sql("CREATE USER \(user)@localhost IDENTIFIED BY '\(password)'")
        }
        let text = String(decoding: try folder.read("control-server.toml"), as: UTF8.self)
        try folder.write("control-server.toml", text.replacingOccurrences(of: old, with: database.socket))
        try giveRights("migration")
    }

    func giveRights(_ role: String) throws {
        try database.sql(admin(["database", "rights", role, "--host", "localhost"]))
    }

    @discardableResult
    func admin(_ arguments: [String]) throws -> String { try Self.admin(config, arguments) }

    @discardableResult
    private static func admin(_ config: String, _ arguments: [String]) throws -> String {
        try Command.check([Products.path("control-admin")] + arguments + ["--config", config]).text
    }

    func start() throws {
        let line = "exec \"$0\" --config \"$1\" 2>>\"$2\""
        let server = try Companion([
            "sh", "-c", line, Products.path("control-server"), config, folder.path + "/log",
        ])
        guard let first = server.readLine(), let second = server.readLine() else {
            throw Refused(description: "control-server did not start: \(log)")
        }
        rest = "https://" + first.dropFirst("rest ".count)
        status = "http://" + second.dropFirst("status ".count)
        self.server = server
    }

    func stop() {
        server?.signal(SIGTERM)
        while server?.readLine() != nil {}
        server = nil
    }

    /// As whatever ends a process without a word.
    func kill() {
        server?.end()
        server = nil
    }

    /// Asks over the network; the answer's status and body.
    func curl(
        _ path: String, _ options: [String] = [], anonymous: Bool = false, certificates: String = "pki/ca.crt"
    ) throws -> (status: Int, body: String) {
        let output = try Command.run(
            [
                "curl", "-sS", "--max-time", "60", "--cacert", folder.path + "/" + certificates, "-w",
                "\n%{http_code}",
            ]
                + (anonymous ? [] : ["-H", "@" + folder.path + "/header"]) + options + [rest + path])
        guard output.status == 0 else { throw Refused(description: output.errorText) }
        let end = output.text.lastIndex(of: "\n") ?? output.text.startIndex
        return (Int(output.text[end...].dropFirst()) ?? 0, String(output.text[..<end]))
    }

    func post(_ path: String, _ json: String) throws -> (status: Int, body: String) {
        try curl(path, ["-H", "content-type: application/json", "-d", json])
    }

    /// A page for those who watch.
    func page(_ path: String) throws -> (status: Int, body: String) {
        let output = try Command.run([
            "curl", "-sS", "--max-time", "60", "-w", "\n%{http_code}", status + path,
        ])
        guard output.status == 0 else { throw Refused(description: output.errorText) }
        let end = output.text.lastIndex(of: "\n") ?? output.text.startIndex
        return (Int(output.text[end...].dropFirst()) ?? 0, String(output.text[..<end]))
    }
}
