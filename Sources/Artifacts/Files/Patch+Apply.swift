// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Diagnostics
internal import Glibc

extension Patch {
    /// Carries the patch out, whole or not at all.
    ///
    /// The new file is written without a name in the folder of the old one, gets its mode, owner, extended attributes
    /// and times, is synced, takes the old one's name at one stroke, and the folder is synced. A crash, a full disk or
    /// an error leaves the original. Whoever else writes through this room waits for the lock of the file, `patience`
    /// at most, and a file that is not what was read any more is refused. Of several names of one file only this one
    /// names the signed file afterwards.
    @available(*, noasync, message: "it writes a file")
    public func apply(patience: Duration = .seconds(10)) throws(ArtifactError) {
        let file = try SourceFile(path)
        try FileLock.take(file, patience: patience)
        try file.checkUnchanged(since: snapshot)
        let folder = try Folder(of: file, other: otherFolder)
        switch effect {
        case .rewritten(let pieces):
            let target = try NewFile(in: folder, for: folder.name)
            try target.write(pieces, from: file)
            try target.takeTraits(of: file)
            try target.sync()
            try file.checkUnchanged(since: snapshot)
            try target.takeName()
        case .beside(let suffix, let bytes, _):
            let target = try NewFile(in: folder, for: folder.name + suffix)
            try target.write([.new(bytes)], from: file)
            try target.takeAccess(of: file)
            try target.sync()
            try file.checkUnchanged(since: snapshot)
            try target.takeName()
        case .removed(let suffix):
            try folder.remove(folder.name + suffix)
        }
        try folder.sync()
        // The lock ends with the file.
        withExtendedLifetime(file) {}
    }
}

extension Patch {
    private var otherFolder: String? {
        if case .beside(_, _, let folder) = effect { folder } else { nil }
    }
}

/// The lock that two writers of one file exclude each other by; it ends with the file's descriptor.
private enum FileLock {
    static func take(_ file: borrowing SourceFile, patience: Duration) throws(ArtifactError) {
        let end = ContinuousClock.now + patience
        while flock(file.descriptor, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EWOULDBLOCK || errno == EINTR else {
                // A file system without locks; the check for changes is what is left.
                return
            }
            guard ContinuousClock.now < end else {
                throw ArtifactError(.artifactBusy, "\(file.path): another program holds its lock")
            }
            usleep(2000)
        }
    }
}
