// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Diagnostics
internal import Glibc

/// The open folder that a file is in, or another one where what belongs to it goes.
struct Folder: ~Copyable, Sendable {
    let path: String
    /// The file's name in it.
    let name: String
    let descriptor: Int32

    init(of file: borrowing SourceFile, other: String? = nil) throws(ArtifactError) {
        let place = file.place
        let end = place.lastIndex(of: "/") ?? place.startIndex
        let own = end == place.startIndex ? "/" : String(place[..<end])
        try self.init(other ?? own, name: String(place[end...].dropFirst()))
    }

    init(_ path: String, name: String) throws(ArtifactError) {
        let opened = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard opened >= 0 else { throw SourceFile.unreadable(path, errno) }
        self.path = path
        self.name = name
        descriptor = opened
    }

    deinit { close(descriptor) }

    /// What this name stands for now; nil for nothing.
    func status(of name: String) -> stat? {
        var status = stat()
        guard unsafe fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { return nil }
        return status
    }

    func remove(_ name: String) throws(ArtifactError) {
        guard unsafe unlinkat(descriptor, name, 0) == 0 || errno == ENOENT else {
            throw unwritable(name, errno)
        }
    }

    /// Makes its names last. When it cannot, what was done is done all the same.
    func sync() throws(ArtifactError) {
        // Some file systems cannot sync a folder, and say so.
        guard fsync(descriptor) == 0 || errno == EINVAL || errno == ENOTSUP else {
            throw ArtifactError(
                .artifactUnsettled,
                "\(path): \(SystemError.text(of: errno)); the file was written, but may be the old one after a crash"
            )
        }
    }

    func unwritable(_ name: String, _ number: Int32) -> ArtifactError {
        let text = SystemError.text(of: number)
        return ArtifactError(.artifactUnwritable, "\(path)/\(name): \(text); the file is as it was")
    }

    func changed(_ name: String) -> ArtifactError {
        ArtifactError(
            .artifactChanged, "\(path)/\(name): something else came there meanwhile; it is left as it is")
    }
}
