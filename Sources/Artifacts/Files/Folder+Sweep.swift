// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import Glibc

extension Folder {
    /// Removes the hidden files that writers of this user left behind when they were killed. Their locks went with
    /// them; where there are no locks, nothing is known about such a file and it stays.
    func sweep() throws(ArtifactError) {
        for name in try hiddenNames() {
            let opened = unsafe openat(descriptor, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
            guard opened >= 0 else { continue }
            defer { close(opened) }
            var status = stat()
            guard unsafe fstat(opened, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
                status.st_uid == geteuid(), FileLock.attempt(opened) == true,
                self.status(of: name).map({ FileIdentity($0) }) == FileIdentity(status)
            else { continue }
            unsafe unlinkat(descriptor, name, 0)
        }
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
