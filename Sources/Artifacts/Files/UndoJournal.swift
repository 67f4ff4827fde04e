// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import Glibc

/// What makes changes in place safe in one folder: before a file is changed, what it was lies on the disk, in a hidden
/// file of the folder.
///
/// ```
/// journal = ".signet-" 16HEXDIG ".undo"     ; its content: see `UndoEntry`
/// ```
/// The entries of all threads that wait at a time are one batch: they are written and synced together. A journal is used
/// again when all files of its batch are done, and goes away with this. While it is in use its writer holds its lock, so
/// a journal whose lock can be had is a dead writer's and is undone by the next one: see `Folder.sweep`.
final class UndoJournal: Sendable {
    private struct State: Sendable {
        var waiting: [(number: UInt64, entry: [UInt8])] = []
        var lastNumber: UInt64 = 0
        var isWriting = false
        var outcomes: [UInt64: Result<Batch, ArtifactError>] = [:]
        var free: [JournalFile] = []
    }

    /// Files whose change is on the way; their entries stay until all of them are done.
    final class Batch: Sendable {
        private let file: JournalFile
        private let journal: UndoJournal
        private let left: Lock<Int>
        private let isKept = Lock(false)

        fileprivate init(_ file: JournalFile, _ count: Int, _ journal: UndoJournal) {
            self.file = file
            self.journal = journal
            left = Lock(count)
        }

        /// One of the files is old or new and safe on the disk.
        func settle() {
            let isLast = left.withLock { count in
                count -= 1
                return count == 0
            }
            if isLast, !isKept.withLock({ $0 }) { journal.free(file) }
        }

        /// The entries are needed at the next start, which they tell the name for.
        func keep() -> String {
            isKept.withLock { $0 = true }
            return file.name
        }
    }

    static let suffix = ".undo"
    private let folder: Folder
    private let state = Lock(State())

    init(in folder: consuming Folder) { self.folder = folder }

    deinit {
        for file in state.withLock({ $0.free }) { file.remove(from: folder) }
    }

    /// Returns when the entry is on the disk.
    func protect(_ entry: UndoEntry) throws(ArtifactError) -> Batch {
        let bytes = entry.encoded
        let number = state.withLock { state in
            state.lastNumber += 1
            state.waiting.append((state.lastNumber, bytes))
            return state.lastNumber
        }
        while true {
            switch turn(of: number) {
            case .done(let outcome): return try outcome.get()
            case .leads(let batch, let file): write(batch, to: file)
            }
        }
    }

    private enum Turn: Sendable {
        case done(Result<Batch, ArtifactError>)
        /// This thread writes what waits.
        case leads([(number: UInt64, entry: [UInt8])], JournalFile?)
    }

    private func turn(of number: UInt64) -> Turn {
        let turn: Turn? = state.withLock(when: { !$0.isWriting || $0.outcomes[number] != nil }) { state in
            if let outcome = state.outcomes.removeValue(forKey: number) { return .done(outcome) }
            var size = 0
            let count =
                state.waiting.firstIndex {
                    size += $0.entry.count
                    return size > UndoEntry.batchLimit
                } ?? state.waiting.count
            let batch = Array(state.waiting.prefix(count))
            state.waiting.removeFirst(count)
            state.isWriting = true
            return .leads(batch, state.free.popLast())
        }
        return turn ?? .done(.failure(folder.unwritable(Self.suffix, EIO)))
    }

    private func write(_ entries: [(number: UInt64, entry: [UInt8])], to file: JournalFile?) {
        let outcome: Result<Batch, ArtifactError>
        do throws(ArtifactError) {
            let file = if let file { file } else { try JournalFile(in: folder) }
            try file.write(UndoEntry.journal(of: entries.map(\.entry)), in: folder)
            outcome = .success(Batch(file, entries.count, self))
        } catch {
            outcome = .failure(error)
        }
        state.withLock { state in
            state.isWriting = false
            for (number, _) in entries { state.outcomes[number] = outcome }
        }
        state.wakeAll()
    }

    fileprivate func free(_ file: JournalFile) { state.withLock { $0.free.append(file) } }
}

/// A journal's own file.
private final class JournalFile: Sendable {
    let name: String
    private let descriptor: Int32

    init(in folder: borrowing Folder) throws(ArtifactError) {
        for _ in 0..<100 {
            let name = NewFile.randomName() + UndoJournal.suffix
            let flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW
            let opened = unsafe openat(folder.descriptor, name, flags, mode_t(0o600))
            guard opened >= 0 else {
                if errno == EEXIST { continue }
                throw folder.unwritable(name, errno)
            }
            // Before it was locked, a sweep may have taken it away.
            guard FileLock.attempt(opened) == true,
                folder.status(of: name).map({ FileIdentity($0) }) == FileIdentity(opened)
            else {
                close(opened)
                continue
            }
            (self.name, descriptor) = (name, opened)
            guard fsync(folder.descriptor) == 0 || errno == EINVAL || errno == ENOTSUP else {
                let number = errno
                remove(from: folder)
                throw folder.unwritable(name, number)
            }
            return
        }
        throw folder.unwritable(UndoJournal.suffix, EEXIST)
    }

    deinit { close(descriptor) }

    func write(_ bytes: [UInt8], in folder: borrowing Folder) throws(ArtifactError) {
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { raw in
                let rest = unsafe UnsafeRawBufferPointer(rebasing: raw[done...])
                return unsafe pwrite(descriptor, rest.baseAddress, rest.count, done)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failed(count == 0 ? ENOSPC : errno, folder) }
            done += count
        }
        guard fdatasync(descriptor) == 0 else { throw failed(errno, folder) }
    }

    /// Nothing was begun that this one would have to undo.
    private func failed(_ number: Int32, _ folder: borrowing Folder) -> ArtifactError {
        remove(from: folder)
        return folder.unwritable(name, number)
    }

    func remove(from folder: borrowing Folder) { unsafe unlinkat(folder.descriptor, name, 0) }
}
