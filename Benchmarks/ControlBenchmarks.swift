// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import Glibc
internal import MariaDB
internal import TestSupport

/// The control-server with 10,000 keys, asked over TLS.
///
/// | figure | value | reference |
/// | --- | --- | --- |
/// | `control.list` | p99 of a page of 100 keys, in ms | p99 of a plain SELECT of the same rows |
/// | `control.search` | p99 of the keys whose names contain a text, in ms | the same |
/// | `control.mixed` | mixed requests a second of the server's CPU | 300 |
/// | `control.start` | from the program's start until it serves, in ms | 1000 |
///
/// Without limits for each caller, which is what would be measured otherwise.
let controlBenchmarks = [
    Benchmark(name: "control") {
        let house = try ControlHouse()
        defer { house.stop() }
        try house.fill(10_000)
        return try await house.pages() + [house.mixed()] + [house.starts()]
    }
]

private final class ControlHouse {
    private let folder: TemporaryFolder
    private let database: DatabaseServer
    private var server: Companion?
    private var rest = ""

    init() throws {
        folder = try TemporaryFolder()
        database = try DatabaseServer()
        try folder.write("password", database.passwordFile.isEmpty ? "" : Self.line(database.passwordFile))
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
            stranger_limits_per_minute = 0
            [database]
            servers = ["\(database.socket)"]
            user = "signet"
            password_file = "password"
            owner_user = "signet"
            owner_password_file = "password"
            [memory.kms-provider]
            type = "dummy"
            file = "kms-key"
            [pki]
            folder = "pki"
            [hardening]
            allow = ["locked-memory", "secure-heap"]
            """)
        try admin(["pki", "init"])
        try admin(["pki", "issue", "--role", "control", "--name", "control", "--host", "127.0.0.1"])
        try admin(["migrate", "--folder", Repository.path("migrations")])
        try admin(["init", "--name", "admin@example.org", "--token-file", folder.path + "/token"])
        _ = try start()
    }

    private static func line(_ path: String) throws -> String {
        try String(contentsOfFile: path, encoding: .utf8).trimmingCharacters(in: .newlines)
    }

    private func program(_ name: String) -> String { Repository.path(".build/release/" + name) }

    private func admin(_ arguments: [String]) throws {
        try Command.check(
            [program("control-admin")] + arguments + ["--config", folder.path + "/control-server.toml"])
    }

    /// Seconds until it serves.
    private func start() throws -> Double {
        let begin = ContinuousClock.now
        let server = try Companion([
            "sh", "-c", "exec \"$0\" --config \"$1\" 2>>\"$2\"", program("control-server"),
            folder.path + "/control-server.toml", folder.path + "/log",
        ])
        guard let first = server.readLine(), server.readLine() != nil else {
            throw CocoaError(.fileReadUnknown)
        }
        let passed = (ContinuousClock.now - begin) / .seconds(1)
        rest = "https://" + first.dropFirst("rest ".count)
        self.server = server
        return passed
    }

    func stop() {
        server?.signal(SIGTERM)
        while server?.readLine() != nil {}
        server = nil
    }

    // MARK: Filling

    private static let filler = """
        import sys, threading, requests
        url, ca, token, count = sys.argv[1], sys.argv[2], open(sys.argv[3]).read().strip(), int(sys.argv[4])
        def fill(part):
            session = requests.Session()
            for number in range(part, count, 6):
                body = {"name": f"{number % 97:02}-project-{number:05}", "key_type": "pgp",
                    "expire_at": "2040-01-01T00:00:00Z",
                    "attributes": {"key_type": "eddsa", "email": "project@example.org"}}
                answer = session.post(url + "/api/v1/keys/", json=body, verify=ca,
                    headers={"Authorization": token})
                assert answer.status_code == 201, answer.text
        threads = [threading.Thread(target=fill, args=(part,)) for part in range(6)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        """

    func fill(_ count: Int) throws {
        try Command.python(
            Self.filler, arguments: [rest, folder.path + "/pki/ca.crt", folder.path + "/token", "\(count)"])
    }

    // MARK: Measuring

    func pages() async throws -> [Figure] {
        let pool = try DatabasePool(
            DatabaseSettings(
                servers: [.socket(path: database.socket)], user: "signet",
                passwordFile: database.passwordFile,
                database: "signet"))
        let listed = (1...100).map { "/api/v1/keys/?page_size=100&page_number=\($0)" }
        let searched = (0..<97).map { "/api/v1/keys/?page_size=100&name=\($0 < 10 ? "0" : "")\($0)-project" }
        let list = "SELECT * FROM signing_key ORDER BY name LIMIT 100 OFFSET "
        let search = "SELECT * FROM signing_key WHERE INSTR(name, '%-project') > 0 ORDER BY name LIMIT 100"
        var times: [String: [Double]] = [:]
        for round in 0..<4 {
            let own = (try latencies(listed), try latencies(searched))
            let bare = try await pool.run { connection in
                let lists = (0..<100).map { list + "\($0 * 100)" }
                let searches = (0..<97).map { number in
                    search.replacingOccurrences(of: "%", with: "\(number < 10 ? "0" : "")\(number)")
                }
                return try (Self.latencies(lists, connection), Self.latencies(searches, connection))
            }
            guard round > 0 else { continue }
            times["list", default: []] += own.0
            times["search", default: []] += own.1
            times["list.bare", default: []] += bare.0
            times["search.bare", default: []] += bare.1
        }
        await pool.close()
        return ["list", "search"].map {
            Figure(
                "control.\($0)", value: Self.p99(times[$0] ?? []), unit: "ms",
                reference: Self.p99(times[$0 + ".bare"] ?? []))
        }
    }

    private static func latencies(_ statements: [String], _ connection: DatabaseConnection) throws -> [Double]
    {
        try statements.map { statement in
            let begin = ContinuousClock.now
            guard try connection.execute(statement).rows.count > 90 else {
                throw CocoaError(.fileReadUnknown)
            }
            return (ContinuousClock.now - begin) / .milliseconds(1)
        }
    }

    /// One after the other, on one connection; in milliseconds.
    private func latencies(_ paths: [String]) throws -> [Double] {
        let log = folder.path + "/latencies"
        try? FileManager.default.removeItem(atPath: log)
        try load(paths, count: paths.count, clients: 1, streams: 1, ["--log-file=" + log])
        // Start, status and duration in microseconds.
        return try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n").compactMap { line in
            line.split(separator: "\t").last.flatMap { Double($0) }.map { $0 / 1000 }
        }
    }

    private func load(_ paths: [String], count: Int, clients: Int, streams: Int, _ options: [String] = [])
        throws
    {
        let list = try folder.write("paths", paths.map { rest + $0 + "\n" }.joined())
        let token = try Self.line(folder.path + "/token")
        let output = try Command.check(
            [
                "h2load", "-n", "\(count)", "-c", "\(clients)", "-m", "\(streams)", "-H",
                "authorization: \(token)",
                "-i", list,
            ] + options)
        guard output.text.contains("\(count) succeeded") else {
            throw CocoaError(.fileReadUnknown)
        }
    }

    private static func p99(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        return sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, sorted.count * 99 / 100)]
    }

    /// What a farm asks: keys by name, public parts, who one is, a page now and then, approvals.
    func mixed() throws -> Figure {
        let names = (0..<200).map {
            "\($0 % 97 < 10 ? "0" : "")\($0 % 97)-project-\(String(format: "%05d", $0))"
        }
        var paths: [String] = []
        for (number, name) in names.enumerated() {
            paths += ["/api/v1/keys/\(name)", "/api/v1/keys/\(name)/public_key", "/api/v1/users/info"]
            if number % 4 == 0 { paths.append("/api/v1/keys/?page_size=100&page_number=\(number / 4 + 1)") }
            if number % 4 == 2 { paths.append("/api/v1/approvals") }
        }
        let process = server?.identifier ?? 0
        var rates: [Double] = []
        for round in 0..<4 {
            let before = Self.seconds(process)
            try load(paths, count: 2000, clients: 8, streams: 4)
            if round > 0 { rates.append(2000 / (Self.seconds(process) - before)) }
        }
        return Figure("control.mixed", value: median(rates), unit: "requests per CPU second", reference: 300)
    }

    /// Of all threads of a process.
    private static func seconds(_ process: Int32) -> Double {
        let folder = "/proc/\(process)/task"
        let threads = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return threads.reduce(0) { sum, thread in
            let text = try? String(contentsOfFile: "\(folder)/\(thread)/schedstat", encoding: .utf8)
            return sum + (text?.split(separator: " ").first.flatMap { Double($0) } ?? 0) / 1e9
        }
    }

    func starts() throws -> Figure {
        var times: [Double] = []
        for _ in 0..<5 {
            stop()
            times.append(try start() * 1000)
        }
        return Figure("control.start", value: median(times), unit: "ms", reference: 1000)
    }
}
