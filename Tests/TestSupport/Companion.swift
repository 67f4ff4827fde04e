// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc

/// Another program that runs beside a test and speaks with it in lines. It ends with its last reference; its input ends
/// with this process, whatever way that goes.
public final class Companion: @unchecked Sendable {
    private var child: Spawned?
    private let folder: TemporaryFolder
    private let input: Int32
    private let output: Int32
    private var buffered: [UInt8] = []
    public let identifier: Int32

    public init(_ arguments: [String]) throws {
        folder = try TemporaryFolder()
        let paths = (input: folder.path + "/in", output: folder.path + "/out")
        guard unsafe mkfifo(paths.input, 0o600) == 0, unsafe mkfifo(paths.output, 0o600) == 0 else {
            throw Command.Failed(description: "mkfifo: \(errno)")
        }
        // Neither call waits for the other end, which the child opens before it runs its program.
        input = unsafe open(paths.input, O_RDWR | O_CLOEXEC)
        output = unsafe open(paths.output, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        let errors = try folder.write("errors", [])
        let child = try Spawned(
            arguments, environment: Command.environment, folder: nil, input: paths.input,
            output: paths.output,
            errors: errors)
        identifier = child.process
        self.child = consume child
        _ = fcntl(output, F_SETFL, 0)
    }

    /// A Python script in the tests' own virtual environment.
    public convenience init(python script: String, _ arguments: [String] = []) throws {
        try self.init([Command.pythonPath, Repository.path("Tests/Python/" + script)] + arguments)
    }

    deinit {
        end()
        close(input)
        close(output)
    }

    /// Its next line, without the end; nil when it has closed its output.
    public func readLine() -> String? {
        while true {
            if let end = buffered.firstIndex(of: 0x0a) {
                let line = String(decoding: buffered[..<end], as: UTF8.self)
                buffered.removeFirst(end + 1)
                return line
            }
            var bytes = [UInt8](repeating: 0, count: 4096)
            let count = unsafe read(output, &bytes, bytes.count)
            guard count > 0 else { return nil }
            buffered += bytes[..<count]
        }
    }

    /// What it has written to stderr.
    public var errorText: String {
        (try? folder.read("errors")).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    public func write(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        _ = unsafe Glibc.write(input, bytes, bytes.count)
    }

    public func signal(_ number: Int32) {
        guard child != nil else { return }
        kill(identifier, number)
    }

    /// Kills it and waits for its end.
    public func end() {
        signal(SIGKILL)
        _ = child.take()?.wait()
    }
}
