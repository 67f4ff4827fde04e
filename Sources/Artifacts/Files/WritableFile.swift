// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Diagnostics
internal import Glibc

/// A file that is open to be changed where it is.
struct WritableFile: ~Copyable {
    let name: String
    let path: String
    let descriptor: Int32
    let status: stat

    /// Nil when this user may not write to it, or it is no regular file; links are not followed.
    init?(_ name: String, in folder: borrowing Folder) {
        let flags = O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY
        let opened = unsafe openat(folder.descriptor, name, flags)
        guard opened >= 0 else { return nil }
        var status = stat()
        guard unsafe fstat(opened, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(opened)
            return nil
        }
        self.name = name
        path = "\(folder.path)/\(name)"
        descriptor = opened
        self.status = status
    }

    deinit { close(descriptor) }

    /// Seconds and nanoseconds of the last reading and the last writing.
    var times: [Int] {
        [status.st_atim.tv_sec, status.st_atim.tv_nsec, status.st_mtim.tv_sec, status.st_mtim.tv_nsec]
    }

    /// Whether a change in place changes nothing else that counts: no other name has the content, writing takes no
    /// privilege away, and no attribute speaks of the content.
    var bearsChange: Bool {
        guard status.st_nlink == 1, status.st_mode & 0o6000 == 0 else { return false }
        for name in ["security.ima", "security.evm", "security.capability"] {
            guard unsafe fgetxattr(descriptor, name, nil, 0) < 0 else { return false }
        }
        return true
    }

    /// False when it did not work out, with the reason in `errno`.
    func write(_ bytes: [UInt8], at place: Int) -> Bool {
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { raw in
                let rest = unsafe UnsafeRawBufferPointer(rebasing: raw[done...])
                return unsafe pwrite(descriptor, rest.baseAddress, rest.count, place + done)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                if count == 0 { errno = ENOSPC }
                return false
            }
            done += count
        }
        return true
    }

    /// Nil when so much is not there.
    func read(_ count: Int, at place: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let length = unsafe bytes.withUnsafeMutableBytes { raw in
                let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: raw[done...])
                return unsafe pread(descriptor, rest.baseAddress, rest.count, place + done)
            }
            if length < 0, errno == EINTR { continue }
            guard length > 0 else { return nil }
            done += length
        }
        return bytes
    }

    /// Gives it times that it had; a file system that knows none is as good.
    func set(_ times: [Int]) {
        let pair = [
            timespec(tv_sec: times[0], tv_nsec: times[1]), timespec(tv_sec: times[2], tv_nsec: times[3]),
        ]
        _ = unsafe futimens(descriptor, pair)
    }

    func sync() -> Bool { fdatasync(descriptor) == 0 }
}

// MARK: Undoing

extension UndoEntry {
    /// Takes a change back that broke off; one that was not begun, or was ended, stays. What somebody else has changed
    /// since then is left alone as well.
    func undo(in folder: borrowing Folder, patience: Duration) throws(ArtifactError) {
        guard let status = folder.status(of: name), status.st_mode & S_IFMT == S_IFREG, status.st_size == size
        else { return }
        guard let file = WritableFile(name, in: folder) else { throw unsettled(folder, errno) }
        try lock(file, patience)
        guard isTorn(file) else { return }
        guard restore(file) else { throw unsettled(folder, errno) }
    }

    /// Writes back what was there.
    func restore(_ file: borrowing WritableFile) -> Bool {
        for segment in segments {
            guard file.write(segment.old, at: segment.place) else { return false }
        }
        file.set(times)
        return file.sync()
    }

    /// Whether the bytes are partly the old and partly the new ones.
    private func isTorn(_ file: borrowing WritableFile) -> Bool {
        var (hasOld, hasNew) = (false, false)
        for segment in segments {
            guard let present = file.read(segment.old.count, at: segment.place) else { return false }
            for (index, byte) in present.enumerated() {
                let (old, new) = (segment.old[index], segment.new[index])
                guard byte == old || byte == new else { return false }
                guard old != new else { continue }
                if byte == old { hasOld = true } else { hasNew = true }
            }
        }
        return hasOld && hasNew
    }

    private func lock(_ file: borrowing WritableFile, _ patience: Duration) throws(ArtifactError) {
        let end = ContinuousClock.now + patience
        while FileLock.attempt(file.descriptor) == false {
            guard ContinuousClock.now < end else {
                throw ArtifactError(.artifactBusy, "\(file.path): another program holds its lock")
            }
            usleep(2000)
        }
    }

    private func unsettled(_ folder: borrowing Folder, _ number: Int32) -> ArtifactError {
        ArtifactError(
            .artifactUnsettled,
            "\(folder.path)/\(name): it may be half written, and taking that back failed: "
                + SystemError.text(of: number))
    }
}
