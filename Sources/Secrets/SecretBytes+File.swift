// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Diagnostics
internal import Glibc

extension SecretBytes {
    /// What to do with a line feed at the end of a file, as editors leave it behind a passphrase or a token.
    public enum LastNewline: Sendable {
        case kept
        case dropped
    }

    /// Reads a secret file straight into locked pages, so that no buffer of a library ever holds a copy.
    ///
    /// It has to be a regular file, not behind a symbolic link, owned by the process's user or root, and nobody else
    /// may read or write it. An access list that gives the process's user the right to read is fine: that is how
    /// systemd hands out `$CREDENTIALS_DIRECTORY`.
    public init(contentsOf path: String, limit: Int = 1 << 16, lastNewline: LastNewline = .kept) throws {
        let file = try SecretFile(path, limit: limit)
        // One byte more than there should be, to see a file that grows.
        try self.init(capacity: file.size + 1) { output throws(SecretsError) in
            try file.read(into: &output)
            if lastNewline == .dropped { Self.dropLastNewline(&output) }
        }
    }

    private static func dropLastNewline(_ output: inout OutputSpan<UInt8>) {
        guard output.span.last == UInt8(ascii: "\n") else { return }
        _ = output.removeLast()
    }
}

extension Span where Element == UInt8 {
    fileprivate var last: UInt8? { isEmpty ? nil : self[count - 1] }
}

/// An open file that may hold a secret.
private struct SecretFile: ~Copyable {
    let path: String
    let size: Int
    private let descriptor: Int32

    init(_ path: String, limit: Int) throws(SecretsError) {
        self.path = path
        // Not blocking, since a pipe would wait for its writer; it is refused below.
        let flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY
        descriptor = unsafe open(path, flags)
        guard descriptor >= 0 else {
            size = 0
            if errno == ELOOP { throw Self.refused(path, "is a symbolic link; name the file itself") }
            throw SecretsError(
                code: .secretFileUnreadable,
                message: "\(path) could not be opened: \(unsafe String(cString: strerror(errno)))")
        }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else {
            size = 0
            throw Self.refused(path, "could not be examined")
        }
        size = Int(status.st_size)
        guard status.st_mode & S_IFMT == S_IFREG else { throw Self.refused(path, "is no regular file") }
        guard size <= limit else {
            throw Self.refused(path, "has \(size) bytes, more than the limit of \(limit)")
        }
        let access = SecretFileAccess(
            owner: status.st_uid, mode: status.st_mode, list: Self.accessList(descriptor))
        if let reason = access.exposure(to: geteuid()) {
            throw SecretsError(code: .secretFileExposed, message: "\(path) \(reason)")
        }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    func read(into output: inout OutputSpan<UInt8>) throws(SecretsError) {
        while true {
            let error = unsafe output.withUnsafeMutableBufferPointer { buffer, filled -> Int32? in
                let got = unsafe Glibc.read(
                    descriptor, buffer.baseAddress?.advanced(by: filled), buffer.count - filled)
                guard got >= 0 else { return errno }
                filled += got
                return got == 0 ? nil : 0
            }
            guard let error else { break }
            guard error == 0 || error == EINTR else {
                throw SecretsError(
                    code: .secretFileUnreadable,
                    message: "\(path) could not be read: \(unsafe String(cString: strerror(error)))")
            }
            if output.isFull { break }
        }
        guard output.count == size else { throw Self.refused(path, "changed while it was read") }
    }

    private static func refused(_ path: String, _ reason: String) -> SecretsError {
        SecretsError(code: .secretFileRefused, message: "\(path) \(reason)")
    }

    /// `nil` when the file has none or its file system knows none.
    private static func accessList(_ descriptor: Int32) -> [UInt8]? {
        var list: [UInt8] = Array(repeating: 0, count: 4096)
        let count = unsafe fgetxattr(descriptor, "system.posix_acl_access", &list, list.count)
        if count >= 0 { return Array(list[..<count]) }
        // A list that does not even fit is a list of strangers.
        return errno == ERANGE ? [] : nil
    }
}
