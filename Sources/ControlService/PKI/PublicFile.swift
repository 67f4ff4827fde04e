// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Diagnostics
internal import Glibc

/// Files without secrets, and the folders around them: read whole, written whole or not at all.
enum PublicFile {
    static let largest = 16 << 20

    /// `nil` when there is none.
    static func read(_ path: String) throws(ControlError) -> [UInt8]? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw failed(.fileUnreadable, path, errno)
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe Glibc.read(descriptor, &part, part.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failed(.fileUnreadable, path, errno) }
            guard count > 0 else { return bytes }
            bytes += part[..<count]
            guard bytes.count <= largest else {
                throw ControlError(.tooLarge, "\(path) has more than \(largest) bytes")
            }
        }
    }

    static func text(_ path: String) throws(ControlError) -> String? {
        guard let bytes = try read(path) else { return nil }
        guard let text = String(validatingUTF8: bytes.span) else {
            throw ControlError(.malformedInput, "\(path) is no text")
        }
        return text
    }

    /// Writes beside it, makes sure of the disk, and puts it in its place. Only `replacing` takes the place of a file.
    static func write(_ text: String, to path: String, replacing: Bool, mode: mode_t = 0o644)
        throws(ControlError)
    {
        let beside = path + ".new"
        unsafe unlink(beside)
        let descriptor = unsafe open(beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw failed(.fileNotWritten, path, errno) }
        let error = fill(descriptor, Array(text.utf8))
        close(descriptor)
        guard error == 0 else {
            unsafe unlink(beside)
            throw failed(.fileNotWritten, path, error)
        }
        try place(beside, at: path, replacing: replacing)
    }

    /// A file that was written beside it takes its place.
    static func place(_ beside: String, at path: String, replacing: Bool) throws(ControlError) {
        // A link fails when there is something, a rename does not.
        let failure = unsafe replacing ? rename(beside, path) : link(beside, path)
        let error = failure == 0 ? 0 : errno
        if !replacing || error != 0 { unsafe unlink(beside) }
        guard error == 0 else { throw failed(.fileNotWritten, path, error) }
        try syncFolder(of: path)
    }

    /// What is not there needs no removing.
    static func remove(_ path: String) throws(ControlError) {
        if unsafe unlink(path) != 0, errno != ENOENT { throw failed(.fileNotWritten, path, errno) }
    }

    static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

    static func makeFolder(_ path: String) throws(ControlError) {
        guard unsafe mkdir(path, 0o700) != 0, errno != EEXIST else { return }
        throw failed(.fileNotWritten, path, errno)
    }

    /// Sorted, without those that begin with a dot.
    static func names(in folder: String) throws(ControlError) -> [String] {
        guard let stream = unsafe opendir(folder) else {
            if errno == ENOENT { return [] }
            throw failed(.fileUnreadable, folder, errno)
        }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }

    /// Runs `body` while no other process does so with the same folder.
    static func withLock<Result>(on folder: String, _ body: () throws -> Result) throws -> Result {
        let path = folder + "/.lock"
        let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failed(.fileNotWritten, path, errno) }
        defer { close(descriptor) }
        while flock(descriptor, LOCK_EX) != 0 {
            guard errno == EINTR else { throw failed(.fileNotWritten, path, errno) }
        }
        return try body()
    }

    // MARK: Parts

    private static func fill(_ descriptor: Int32, _ bytes: [UInt8]) -> Int32 {
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeBytes {
                unsafe Glibc.write(descriptor, $0.baseAddress?.advanced(by: done), bytes.count - done)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return count == 0 ? EIO : errno }
            done += count
        }
        return fsync(descriptor) == 0 ? 0 : errno
    }

    private static func syncFolder(of path: String) throws(ControlError) {
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        let descriptor = unsafe open(folder.isEmpty ? "/" : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failed(.fileNotWritten, path, errno) }
        defer { close(descriptor) }
        // Some file systems cannot, and say so.
        if fsync(descriptor) != 0, errno != EINVAL { throw failed(.fileNotWritten, path, errno) }
    }

    private static func failed(_ code: ErrorCode, _ path: String, _ error: Int32) -> ControlError {
        let reason = error == EEXIST ? "exists already" : unsafe String(cString: strerror(error))
        return ControlError(code, "\(path): \(reason)")
    }
}
