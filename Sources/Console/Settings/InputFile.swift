// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import Glibc

/// A small file that a command was told to read.
enum InputFile {
    static func read(_ path: String, limit: Int) throws(ConsoleError) -> [UInt8] {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)
        guard file >= 0 else { throw unreadable(path) }
        defer { close(file) }
        var contents: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while contents.count <= limit {
            let count = unsafe Glibc.read(file, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw unreadable(path) }
            if count == 0 { return contents }
            contents += buffer[..<count]
        }
        throw ConsoleError(.tooLarge, "\(path) has more than \(limit) bytes")
    }

    private static func unreadable(_ path: String) -> ConsoleError {
        ConsoleError(.fileUnreadable, "\(path) could not be read: \(unsafe String(cString: strerror(errno)))")
    }
}
