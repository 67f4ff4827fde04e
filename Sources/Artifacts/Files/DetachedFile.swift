// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import Glibc

/// What lies where the detached signature of a file goes: beside the file, or in the folder that was named for that.
struct DetachedFile: Sendable {
    let path: String
    /// Whoever puts something in its place says with this over what.
    let snapshot: FileSnapshot
    /// Nil when it is larger than a signature.
    let content: [UInt8]?

    /// Bytes of a file of signatures; others make no larger ones.
    static let largest = 128 << 10

    /// Nil when there is nothing. A folder, a link or a device in that place is an error.
    init?(
        of file: borrowing SourceFile, _ suffix: String, limit: Int = Self.largest
    ) throws(ArtifactError) {
        path = file.detachedPath(suffix)
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else {
            guard errno == ENOENT else { throw SourceFile.unreadable(path, errno) }
            return nil
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw ArtifactError(.artifactUnwritable, "\(path): it is no regular file; it is as it was")
        }
        let there = try SourceFile(path)
        snapshot = there.snapshot
        content = there.size <= limit ? try there.read(0..<there.size) : nil
    }
}

extension SourceFile {
    /// Where a detached signature goes. A link's signature belongs to the file that it names.
    func detachedPath(_ suffix: String) -> String {
        if let signatureFolder { return "\(signatureFolder)/\(placeName)\(suffix)" }
        return (isLink ? place : path) + suffix
    }

    /// The file's own name, behind all links.
    var placeName: String { String(place.split(separator: "/").last ?? "") }

    private var isLink: Bool {
        var status = stat()
        return unsafe lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
    }
}
