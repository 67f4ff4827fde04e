// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import Glibc

extension Folder {
    /// Removes the hidden files that writers of this user left behind when they were killed, and takes back what their
    /// journals tell of. Their locks went with them; where there are no locks, nothing is known about such a file and it
    /// stays.
    func sweep(patience: Duration = .seconds(10)) throws(ArtifactError) {
        for name in try hiddenNames() {
            let opened = unsafe openat(descriptor, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
            guard opened >= 0 else { continue }
            defer { close(opened) }
            var status = stat()
            guard unsafe fstat(opened, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
                status.st_uid == geteuid(), FileLock.attempt(opened) == true,
                self.status(of: name).map({ FileIdentity($0) }) == FileIdentity(status)
            else { continue }
            if name.hasSuffix(UndoJournal.suffix) {
                // Another user's words, or what others may write to, is no journal.
                guard status.st_nlink == 1, status.st_mode & 0o077 == 0 else { continue }
                for entry in try entries(of: opened, name) { try entry.undo(in: self, patience: patience) }
            }
            unsafe unlinkat(descriptor, name, 0)
        }
    }

    private func entries(of journal: Int32, _ name: String) throws(ArtifactError) -> [UndoEntry] {
        var bytes = [UInt8](repeating: 0, count: UndoEntry.batchLimit + 64)
        var count = 0
        while true {
            let length = unsafe bytes.withUnsafeMutableBytes { raw in
                let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: raw[count...])
                return unsafe pread(journal, rest.baseAddress, rest.count, count)
            }
            if length < 0, errno == EINTR { continue }
            guard length >= 0 else { throw SourceFile.unreadable("\(path)/\(name)", errno) }
            count += length
            guard length > 0, count < bytes.count else { break }
        }
        return UndoEntry.entries(of: Array(bytes[..<count])) ?? []
    }

    private func hiddenNames() throws(ArtifactError) -> [String] {
        let opened = unsafe openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard opened >= 0, let stream = unsafe fdopendir(opened) else {
            throw SourceFile.unreadable(path, errno)
        }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { field in
                unsafe field.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name.hasPrefix(NewFile.hiddenPrefix) { names.append(name) }
        }
        return names
    }
}
