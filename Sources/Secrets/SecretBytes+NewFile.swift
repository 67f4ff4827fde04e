// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import Glibc

extension SecretBytes {
    /// Writes the secret to a file that did not exist and that its owner alone may read, and makes sure that it is on
    /// the disk. A file that could not be written in full is not left behind.
    public func write(toNewFile path: String, addingNewline: Bool = false) throws(SecretsError) {
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        let descriptor = unsafe open(path, flags, 0o600)
        guard descriptor >= 0 else { throw Self.unwritable(path, errno) }
        defer { close(descriptor) }
        // The mode of a new file is cut by the umask, which may take away the owner's rights as well.
        var error = fchmod(descriptor, 0o600) == 0 ? 0 : errno
        if error == 0 { error = Self.write(bytes, to: descriptor) }
        if error == 0, addingNewline {
            let newline: [UInt8] = [0x0a]
            error = Self.write(newline.span, to: descriptor)
        }
        if error == 0, fsync(descriptor) != 0 { error = errno }
        guard error == 0 else {
            unsafe unlink(path)
            throw Self.unwritable(path, error)
        }
    }

    /// 0, or the number of the error.
    private static func write(_ bytes: Span<UInt8>, to descriptor: Int32) -> Int32 {
        unsafe bytes.withUnsafeBufferPointer { buffer in
            var done = 0
            while done < buffer.count {
                let count = unsafe Glibc.write(
                    descriptor, buffer.baseAddress?.advanced(by: done), buffer.count - done)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return count == 0 ? EIO : errno }
                done += count
            }
            return 0
        }
    }

    private static func unwritable(_ path: String, _ error: Int32) -> SecretsError {
        let reason = error == EEXIST ? "exists already" : unsafe String(cString: strerror(error))
        return SecretsError(code: .secretFileUnwritable, message: "\(path) could not be written: \(reason)")
    }
}
