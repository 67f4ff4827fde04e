// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import Glibc

/// A file that a command was asked to write: whole or not at all.
enum OutputFile {
    static func write(_ bytes: [UInt8], to path: String) throws(ConsoleError) {
        let draft = path + ".signet-\(getpid())"
        let file = unsafe open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw failed(path) }
        var start = 0
        while start < bytes.count {
            let count = unsafe bytes[start...].withUnsafeBytes {
                unsafe Glibc.write(file, $0.baseAddress, $0.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                let error = failed(path)
                close(file)
                unsafe unlink(draft)
                throw error
            }
            start += count
        }
        guard fsync(file) == 0, close(file) == 0, unsafe rename(draft, path) == 0 else {
            let error = failed(path)
            unsafe unlink(draft)
            throw error
        }
    }

    private static func failed(_ path: String) -> ConsoleError {
        ConsoleError(
            .fileUnreadable, "\(path) could not be written: \(unsafe String(cString: strerror(errno)))")
    }
}
