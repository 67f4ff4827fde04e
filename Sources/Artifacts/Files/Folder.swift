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
        let path = other ?? own
        let opened = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard opened >= 0 else { throw SourceFile.unreadable(path, errno) }
        self.path = path
        name = String(place[end...].dropFirst())
        descriptor = opened
    }

    deinit { close(descriptor) }

    func remove(_ name: String) throws(ArtifactError) {
        guard unsafe unlinkat(descriptor, name, 0) == 0 || errno == ENOENT else {
            throw unwritable(name, errno)
        }
    }

    func sync() throws(ArtifactError) {
        // Some file systems cannot sync a folder, and say so.
        guard fsync(descriptor) == 0 || errno == EINVAL || errno == ENOTSUP else {
            throw unwritable(name, errno)
        }
    }

    func unwritable(_ name: String, _ number: Int32) -> ArtifactError {
        let text = SystemError.text(of: number)
        return ArtifactError(.artifactUnwritable, "\(path)/\(name): \(text); the file is as it was")
    }
}
