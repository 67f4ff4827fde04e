// SPDX-License-Identifier: Apache-2.0

internal import Cryptography
internal import Diagnostics
internal import Glibc
internal import Storage

/// A backup on disk: written piece by piece beside its place, and put there when it is whole and on the disk.
enum BackupFile {
    /// `code` makes the last frame of the digest of all that `body` wrote. Its digest.
    static func write(
        _ path: String, code: (Digest) throws -> [UInt8],
        _ body: (_ sink: ([UInt8]) throws -> Void) throws -> Void
    ) throws -> Digest {
        let beside = path + ".new"
        try PublicFile.remove(beside)
        let descriptor = unsafe open(beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failed(.fileNotWritten, path) }
        let digest: Digest
        do {
            defer { close(descriptor) }
            var running = RunningDigest(.sha256)
            var waiting: [UInt8] = []
            func flush() throws {
                try put(waiting, descriptor, path)
                waiting.removeAll(keepingCapacity: true)
            }
            try body { bytes in
                running.update(bytes.span)
                waiting += bytes
                if waiting.count >= 1 << 20 { try flush() }
            }
            digest = running.finish()
            waiting += BackupFrame.code(try code(digest)).encoded
            try flush()
            guard fsync(descriptor) == 0 else { throw failed(.fileNotWritten, path) }
        } catch {
            try? PublicFile.remove(beside)
            throw error
        }
        try PublicFile.place(beside, at: path, replacing: false)
        return digest
    }

    private static func put(_ bytes: [UInt8], _ descriptor: Int32, _ path: String) throws {
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeBytes {
                unsafe Glibc.write(descriptor, $0.baseAddress?.advanced(by: done), bytes.count - done)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failed(.fileNotWritten, path) }
            done += count
        }
    }

    /// Lends a source for `BackupReader`.
    static func read<Result>(_ path: String, _ body: (@escaping (Int) throws -> [UInt8]) throws -> Result)
        throws -> Result
    {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failed(.fileUnreadable, path) }
        defer { close(descriptor) }
        let source = BufferedSource(descriptor, path)
        return try body { try source.take($0) }
    }

    fileprivate static func failed(_ code: ErrorCode, _ path: String) -> ControlError {
        let reason = errno == EEXIST ? "exists already" : unsafe String(cString: strerror(errno))
        return ControlError(code, "\(path): \(reason)")
    }
}

private final class BufferedSource {
    private let descriptor: Int32
    private let path: String
    private var buffer = [UInt8](repeating: 0, count: 1 << 20)
    private var range = 0..<0

    init(_ descriptor: Int32, _ path: String) { (self.descriptor, self.path) = (descriptor, path) }

    /// As many bytes, or all that are left. What is asked for is bounded by whoever asks; memory grows with what is there.
    func take(_ count: Int) throws -> [UInt8] {
        var taken: [UInt8] = []
        while taken.count < count {
            if range.isEmpty {
                let got = unsafe Glibc.read(descriptor, &buffer, buffer.count)
                if got < 0, errno == EINTR { continue }
                guard got >= 0 else { throw BackupFile.failed(.fileUnreadable, path) }
                guard got > 0 else { break }
                range = 0..<got
            }
            let part = range.prefix(count - taken.count)
            taken += buffer[part]
            range = part.upperBound..<range.upperBound
        }
        return taken
    }
}
