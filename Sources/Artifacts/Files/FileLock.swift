// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import Glibc

/// The lock by which the writers of one file exclude each other; it ends with the file's descriptor.
enum FileLock {
    /// Waits, `patience` at most. False on a file system without locks; the checks for changes are what is left there.
    static func take(_ file: borrowing SourceFile, patience: Duration) throws(ArtifactError) -> Bool {
        let end = ContinuousClock.now + patience
        while true {
            switch attempt(file.descriptor) {
            case true?: return true
            case nil: return false
            case false?:
                guard ContinuousClock.now < end else {
                    throw ArtifactError(.artifactBusy, "\(file.path): another program holds its lock")
                }
                usleep(2000)
            }
        }
    }

    /// Whether the lock could be had at once; nil where there are none.
    static func attempt(_ descriptor: Int32) -> Bool? {
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            if errno == EINTR { continue }
            return errno == EWOULDBLOCK ? false : nil
        }
        return true
    }
}
