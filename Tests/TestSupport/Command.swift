// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Foundation

/// Another program, run to its end with its input and output in files, so that no pipe can block.
public struct Command {
    public struct Output: Sendable {
        /// The exit status, or minus the signal's number.
        public var status: Int32
        public var stdout: [UInt8]
        public var stderr: [UInt8]
        public var text: String { String(decoding: stdout, as: UTF8.self) }
        public var errorText: String { String(decoding: stderr, as: UTF8.self) }
    }

    public struct Failed: Error, CustomStringConvertible {
        public var description: String
    }

    /// What children see: the caller's `PATH`, a fixed locale and time zone, a home folder of their own, and where the
    /// sanitizers of those that this package makes put their reports.
    public static let environment: [String: String] = {
        let own = ProcessInfo.processInfo.environment
        var clean = own.filter {
            $0.key == "PATH" || $0.key.hasPrefix("SIGNET_") || $0.key.hasSuffix("SAN_OPTIONS")
        }
        clean["LC_ALL"] = "C.UTF-8"
        clean["TZ"] = "UTC"
        let home = own["SIGNET_TMP"].map { $0 + "/home" } ?? Repository.path(".build/home")
        try? FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
        clean["HOME"] = home
        clean["TMPDIR"] = own["SIGNET_TMP"]
        return clean
    }()

    /// Runs `arguments[0]`, found in `PATH`, and returns what it printed. Throws only when it cannot be started.
    public static func run(
        _ arguments: [String], input: [UInt8] = [], environment: [String: String] = environment,
        folder: String? = nil
    ) throws -> Output {
        let scratch = try TemporaryFolder()
        let paths = try (
            scratch.write("in", input), scratch.write("out", []), scratch.write("err", [])
        )
        let status = try Spawned(
            arguments, environment: environment, folder: folder, input: paths.0, output: paths.1,
            errors: paths.2
        ).wait()
        return Output(
            status: status, stdout: try scratch.read("out"), stderr: try scratch.read("err"))
    }

    /// Runs a program that has to succeed.
    @discardableResult
    public static func check(
        _ arguments: [String], input: [UInt8] = [], environment: [String: String] = environment,
        folder: String? = nil
    ) throws -> Output {
        let output = try run(arguments, input: input, environment: environment, folder: folder)
        guard output.status == 0 else {
            throw Failed(
                description:
                    "\(arguments.joined(separator: " ")): status \(output.status): \(output.errorText)")
        }
        return output
    }

    /// The interpreter of the tests' own virtual environment.
    public static var pythonPath: String {
        ProcessInfo.processInfo.environment["SIGNET_PYTHON"] ?? Repository.path(".build/python/bin/python3")
    }

    /// Runs a Python script in the tests' own virtual environment (`make deps`).
    @discardableResult
    public static func python(_ script: String, arguments: [String] = [], input: [UInt8] = []) throws
        -> Output
    {
        return try check([pythonPath, "-c", script] + arguments, input: input)
    }
}
