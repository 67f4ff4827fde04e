// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Foundation
import TestSupport

/// The real programs at work: a database, a control-server, two data-servers (`Scripts/servers`), and clients with
/// certificates of their own. One set serves all tests; it ends with the test process, whatever way that goes.
final class House: @unchecked Sendable {
    static let opened = Result { try House() }

    /// The set, with all its servers up, whatever the test before did to them.
    static func open() throws -> House {
        let house = try opened.get()
        try house.start()
        return house
    }

    let folder: TemporaryFolder
    let environment: [String: String]
    private let watchdog: Process
    private let leash = Pipe()

    private init() throws {
        folder = try TemporaryFolder()
        var environment = Command.environment
        environment["SIGNET_BIN"] = Products.folder
        environment["PATH"] = Products.folder + ":" + (environment["PATH"] ?? "/usr/bin:/bin") + ":/usr/sbin"
        self.environment = environment
        watchdog = Process()
        watchdog.executableURL = URL(fileURLWithPath: "/bin/sh")
        watchdog.arguments = [
            "-c", "trap '' INT TERM HUP; cat >/dev/null; bash Scripts/servers stop \"$1\"; rm -rf \"$1\"",
            "watchdog",
            folder.path,
        ]
        watchdog.currentDirectoryURL = URL(fileURLWithPath: Repository.root)
        watchdog.environment = environment
        watchdog.standardInput = leash
        watchdog.standardOutput = FileHandle.nullDevice
        watchdog.standardError = FileHandle.nullDevice
        try watchdog.run()
        try? leash.fileHandleForReading.close()
        try start()
        try makeKeys()
    }

    // MARK: Servers

    func path(_ name: String) -> String { folder.path + "/" + name }

    func text(_ name: String) throws -> String { String(decoding: try folder.read(name), as: UTF8.self) }

    func start() throws {
        try Command.check(
            ["bash", "Scripts/servers", "start", folder.path], environment: environment,
            folder: Repository.root)
    }

    func process(_ server: String) throws -> pid_t {
        let text = try text(server == "db" ? "db/pid" : server + ".pid").trimmingCharacters(
            in: .whitespacesAndNewlines)
        guard let process = pid_t(text), process > 1 else {
            throw Refused(description: "\(server) is not there")
        }
        return process
    }

    func kill(_ server: String) throws { Foundation.kill(try process(server), SIGKILL) }

    func killDatabase() throws { try kill("db") }

    /// `server` is `data-server-one` and so on; what its status pages say.
    func page(_ server: String, _ path: String) throws -> String {
        try Command.check(["curl", "-sS", "http://\(addresses(server).last ?? "")\(path)"]).text
    }

    /// Where it serves, and where its status pages are.
    func addresses(_ server: String) throws -> [String] {
        let line = try text("addresses").split(separator: "\n").first { $0.hasPrefix(server + " ") }
        return line?.split(separator: " ").dropFirst().map(String.init) ?? []
    }

    /// Runs SQL as root, and returns what the database answers.
    @discardableResult
    func sql(_ text: String) throws -> String {
        try Command.check(
            [
                "mariadb", "--defaults-file=" + path("db/root.cnf"), "--batch", "--skip-column-names",
                "signet",
            ],
            input: Array(text.utf8)
        ).text
    }

    // MARK: Clients

    @discardableResult
    func admin(_ arguments: String...) throws -> Command.Output {
        try Command.check(
            [Products.path("control-admin"), "--config", path("control-server.toml")] + arguments,
            environment: environment)
    }

    /// Runs signet with the settings of a client; `builder` may do everything.
    @discardableResult
    func signet(_ arguments: [String], as client: String = "builder") throws -> Command.Output {
        var environment = environment
        environment["SIGNET_CONFIG"] = path(client == "builder" ? "client.toml" : "client-\(client).toml")
        return try Command.run([Products.path("signet")] + arguments, environment: environment)
    }

    @discardableResult
    func manage(_ arguments: String...) throws -> String { try manage(arguments) }

    @discardableResult
    func manage(_ arguments: [String]) throws -> String {
        let output = try signet(arguments)
        guard output.status == 0 else {
            throw Refused(description: "signet \(arguments): \(output.errorText)")
        }
        return output.text
    }

    /// Settings for a client whose certificate and key are the files with this name.
    func writeSettings(_ client: String) throws {
        let settings = try text("client.toml").replacingOccurrences(of: "pki/builder", with: "pki/" + client)
        try folder.write("client-\(client).toml", settings)
    }

    func addClient(_ client: String) throws {
        try admin("pki", "issue", "--role", "client", "--name", client)
        try writeSettings(client)
    }

    // MARK: Keys

    private func makeKeys() throws {
        for name in ["packages", "texts"] {
            try manage(
                "key", "generate", name, "--type", "openpgp", "--algorithm", "rsa-2048", "--email",
                "\(name)@x.org")
        }
        try manage("key", "generate", "kernel-ca", "--type", "ca", "--algorithm", "p256")
        try manage("key", "enable", "packages", "texts", "kernel-ca")
        try manage(
            "key", "generate", "modules", "--type", "module", "--algorithm", "rsa-2048", "--parent",
            "kernel-ca",
            "--expires", "30d")
        try manage("key", "enable", "modules")
        for (key, kinds) in [
            ("packages", ["rpm", "generic"]), ("texts", ["rpm", "generic"]), ("modules", ["module"]),
        ] {
            let options = kinds.flatMap { ["--kind", $0] }
            let output = try signet(
                ["grant", "add", "--client", "uri:signet://client/builder", "--key", key] + options)
            guard output.status == 0 else { throw Refused(description: output.errorText) }
        }
    }

    // MARK: Files

    private static let packages = Lock<[Int: TemporaryFolder]>([:])

    /// A fresh folder with so many unsigned packages.
    func packages(_ count: Int) throws -> TemporaryFolder {
        let made = try Self.packages.withLock { kept in
            if let folder = kept[count] { return folder }
            let folder = try TemporaryFolder()
            try Command.check(
                ["bash", "Scripts/demo-files", "rpms", folder.path, "sample", String(count)],
                environment: environment,
                folder: Repository.root)
            kept[count] = folder
            return folder
        }
        let copy = try TemporaryFolder()
        for name in try FileManager.default.contentsOfDirectory(atPath: made.path) {
            try FileManager.default.copyItem(atPath: made.path + "/" + name, toPath: copy.path + "/" + name)
        }
        return copy
    }
}

/// A command of the preparations that did not do its work.
struct Refused: Error, CustomStringConvertible {
    var description: String
}
