// SPDX-License-Identifier: Apache-2.0

internal import Foundation

/// A private MariaDB server in a folder of its own, ended with its last reference or, at the latest, with the test
/// process: a watchdog kills it and removes the folder when the pipe from the tests closes.
///
/// It listens on a unix socket and on a loopback port, has the database `signet` and two users with random
/// passwords, `root` and `signet` (all rights on that database).
public final class DatabaseServer: @unchecked Sendable {
    public struct Unavailable: Error, CustomStringConvertible {
        public var description: String

        public init(description: String) { self.description = description }
    }

    public let folder: TemporaryFolder
    public let port: UInt16
    public let passwordFile: String
    public let rootPasswordFile: String
    private let options: [String]
    private let lock = NSLock()
    private var server: pid_t = 0
    private var watchdog: Process?
    private var leash: Pipe?

    /// The process, which is another one after a crash.
    public var process: Int32 { lock.withLock { server } }
    public var socket: String { folder.path + "/s" }
    public var log: String { (try? folder.read("log")).map { String(decoding: $0, as: UTF8.self) } ?? "" }

    /// Makes the data folder, starts the server and waits until it answers. `options` go to mariadbd as they are.
    public convenience init(options: [String] = []) throws {
        try self.init(folder: TemporaryFolder(), options: options)
    }

    /// As above, in a folder that may hold files which the options name.
    public init(folder: TemporaryFolder, options: [String] = []) throws {
        self.folder = folder
        self.options = options
        let passwords = try (0..<2).map { _ in try Self.randomPassword() }
        passwordFile = try folder.write("password", passwords[0] + "\n")
        rootPasswordFile = try folder.write("root-password", passwords[1] + "\n")
        try folder.write(
            "init.sql",
            """
            CREATE DATABASE IF NOT EXISTS signet CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
            ALTER USER root@localhost IDENTIFIED BY '\(passwords[1])';
            CREATE USER IF NOT EXISTS signet@'%' IDENTIFIED BY '\(passwords[0])';
            CREATE USER IF NOT EXISTS root@'127.0.0.1' IDENTIFIED BY '\(passwords[1])';
            GRANT ALL ON *.* TO root@'127.0.0.1';
            GRANT ALL ON signet.* TO signet@'%';
            """)
        // Each needs its own folder for temporary tables: a server that starts removes all that it finds there.
        try FileManager.default.createDirectory(
            atPath: folder.path + "/tmp", withIntermediateDirectories: true)
        try Command.check([
            "mariadb-install-db", "--no-defaults", "--datadir=\(folder.path)/data",
            "--auth-root-authentication-method=normal", "--skip-test-db", "--user=\(Self.user)",
            "--innodb-use-native-aio=0", "--tmpdir=\(folder.path)/tmp",
        ])
        // mariadbd cannot be asked for any free port, so a taken one means another try.
        var tries = 0
        while true {
            let port = UInt16.random(in: 20_000...32_000)
            do {
                let started = try Self.start(folder, port: port, options)
                (server, watchdog, leash) = (started.server, started.watchdog, started.leash)
                self.port = port
                return
            } catch {
                tries += 1
                if tries == 5 { throw error }
            }
        }
    }

    deinit {
        if server > 0 {
            kill(server, SIGCONT)
            kill(server, SIGKILL)
        }
        try? leash?.fileHandleForWriting.close()
        watchdog?.waitUntilExit()
    }

    // MARK: Faults

    /// `kill -9`, as a crash of the machine; the data stays.
    public func crash() {
        lock.withLock {
            kill(server, SIGKILL)
            try? leash?.fileHandleForWriting.close()
            watchdog?.waitUntilExit()
            server = 0
        }
    }

    /// Starts it again on the same data and port, and waits until it answers.
    public func start() throws {
        let started = try Self.start(folder, port: port, options)
        lock.withLock { (server, watchdog, leash) = (started.server, started.watchdog, started.leash) }
    }

    /// `SIGSTOP`: connections stay open, nothing answers. Returns when all its threads stand still.
    public func freeze() {
        lock.withLock {
            kill(server, SIGSTOP)
            let deadline = ContinuousClock.now + .seconds(30)
            while !Self.isStopped(server), ContinuousClock.now < deadline { usleep(1000) }
        }
    }

    public func thaw() { lock.withLock { _ = kill(server, SIGCONT) } }

    /// Runs SQL as root in the mariadb client.
    @discardableResult
    public func sql(_ text: String) throws -> String {
        let password = String(decoding: try folder.read("root-password"), as: UTF8.self)
        var environment = Command.environment
        environment["MYSQL_PWD"] = password.trimmingCharacters(in: .newlines)
        let output = try Command.check(
            ["mariadb", "--no-defaults", "--socket=\(socket)", "--user=root", "--batch", "--raw", "signet"],
            input: Array(text.utf8), environment: environment)
        return output.text
    }

    private static func isStopped(_ server: pid_t) -> Bool {
        let threads = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(server)/task")) ?? []
        return threads.allSatisfy { thread in
            let stat = FileManager.default.contents(atPath: "/proc/\(server)/task/\(thread)/stat") ?? Data()
            return String(decoding: stat, as: UTF8.self).contains(") T ")
        }
    }

    // MARK: Starting

    private struct Started {
        var server: pid_t
        var watchdog: Process
        var leash: Pipe
    }

    static var user: String { NSUserName() }

    private static func randomPassword() throws -> String {
        (0..<24).map { _ in String(UInt8.random(in: 0...15), radix: 16) }.joined()
    }

    /// `sh` starts the server, tells its number and then reads until the pipe closes.
    private static let watch = """
        trap '' INT TERM HUP
        folder=$1; parent=$2; shift 2
        "$@" </dev/null >>"$folder/log" 2>&1 &
        child=$!
        echo "$child" >"$folder/pid.new" && mv "$folder/pid.new" "$folder/pid"
        cat >/dev/null
        kill -9 "$child" 2>/dev/null
        wait "$child" 2>/dev/null
        kill -0 "$parent" 2>/dev/null || rm -rf "$folder"
        """

    private static func start(_ folder: TemporaryFolder, port: UInt16, _ options: [String]) throws -> Started
    {
        try? FileManager.default.removeItem(atPath: folder.path + "/pid")
        try? FileManager.default.removeItem(atPath: folder.path + "/s")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments =
            ["-c", watch, "watchdog", folder.path, String(getpid())] + [
                "mariadbd", "--no-defaults", "--user=\(user)", "--datadir=\(folder.path)/data",
                "--socket=\(folder.path)/s", "--bind-address=127.0.0.1", "--port=\(port)",
                "--tmpdir=\(folder.path)/tmp", "--pid-file=\(folder.path)/server.pid",
                "--init-file=\(folder.path)/init.sql",
                "--innodb-use-native-aio=0", "--innodb-buffer-pool-size=32M", "--innodb-log-file-size=64M",
                "--max-allowed-packet=64M", "--skip-name-resolve", "--performance-schema=OFF",
            ] + options
        var environment = Command.environment
        environment["PATH", default: "/usr/bin:/bin"] += ":/usr/sbin:/sbin"
        process.environment = environment
        let leash = Pipe()
        // A program that a test starts later would hold the other end for as long as it lives.
        _ = fcntl(leash.fileHandleForWriting.fileDescriptor, F_SETFD, FD_CLOEXEC)
        let before = count(of: "ready for connections", in: folder)
        process.standardInput = leash
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        try? leash.fileHandleForReading.close()
        var started = Started(server: 0, watchdog: process, leash: leash)
        do {
            started.server = try waitUntilReady(folder, before)
            return started
        } catch {
            try? leash.fileHandleForWriting.close()
            process.waitUntilExit()
            throw error
        }
    }

    private static func waitUntilReady(_ folder: TemporaryFolder, _ before: Int) throws -> pid_t {
        let deadline = ContinuousClock.now + .seconds(60)
        var server: pid_t = 0
        while ContinuousClock.now < deadline {
            if server == 0, let text = try? folder.read("pid") {
                server = pid_t(String(decoding: text, as: UTF8.self).dropLast()) ?? 0
            }
            // A server that gave up is a zombie until its watchdog ends: it has no command line any more.
            if server != 0, FileManager.default.contents(atPath: "/proc/\(server)/cmdline")?.isEmpty ?? true {
                break
            }
            if server != 0, count(of: "ready for connections", in: folder) > before,
                FileManager.default.fileExists(atPath: folder.path + "/s")
            {
                return server
            }
            usleep(10_000)
        }
        let log = (try? folder.read("log")).map { String(decoding: $0.suffix(2000), as: UTF8.self) } ?? ""
        throw Unavailable(description: "mariadbd did not start: \(log)")
    }

    private static func count(of words: String, in folder: TemporaryFolder) -> Int {
        let log = (try? folder.read("log")).map { String(decoding: $0, as: UTF8.self) } ?? ""
        return log.components(separatedBy: words).count - 1
    }
}
