// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import Glibc

/// The moments of a change in place after which a crash leaves different things; tests end the process there.
package enum WritingMoment: String, CaseIterable, Sendable {
    /// What the file was lies on the disk; the file is untouched.
    case protected
    /// A part of the new bytes is written.
    case partlyWritten
    /// All are written, and not synced.
    case written
    /// The file is safe, and the journal still there.
    case settled
}

extension PatchWriter {
    /// Exchanges bytes of the locked file where it is. False when that is not possible here, and nothing was done.
    ///
    /// The lock has to be held already; the file system has locks then, so that the journal of a dead writer is told
    /// from that of a live one.
    func exchange(
        _ old: [UInt8], at place: Int, by new: [UInt8], in source: borrowing SourceFile,
        of folder: borrowing Folder
    ) throws(ArtifactError) -> Bool {
        let segments = UndoEntry.segments(at: place, old: old, new: new)
        guard !segments.isEmpty else { return true }
        guard segments.count < 256, segments.reduce(0, { $0 + $1.new.count }) <= UndoEntry.largest,
            folder.name.utf8.count < 256, let file = WritableFile(folder.name, in: folder),
            FileIdentity(file.status) == FileIdentity(source.descriptor), file.bearsChange
        else { return false }
        guard file.read(old.count, at: place) == old else { throw source.changed() }
        let entry = UndoEntry(name: folder.name, size: source.size, times: file.times, segments: segments)
        let batch = try journal(of: folder).protect(entry)
        moment(.protected)
        do throws(ArtifactError) {
            try source.checkUnchanged(since: source.snapshot)
        } catch {
            batch.settle()
            throw error
        }
        for (index, segment) in segments.enumerated() {
            guard file.write(segment.new, at: segment.place) else {
                throw takeBack(entry, file, batch, errno)
            }
            if index == 0 { moment(.partlyWritten) }
        }
        file.set(entry.times)
        moment(.written)
        guard file.sync() else { throw takeBack(entry, file, batch, errno) }
        moment(.settled)
        batch.settle()
        return true
    }

    private func takeBack(
        _ entry: UndoEntry, _ file: borrowing WritableFile, _ batch: UndoJournal.Batch, _ number: Int32
    ) -> ArtifactError {
        let reason = SystemError.text(of: number)
        defer { batch.settle() }
        guard entry.restore(file) else {
            return ArtifactError(
                .artifactUnsettled,
                "\(file.path): \(reason); it may be half written, which \(batch.keep()) takes back at the next run"
            )
        }
        return ArtifactError(.artifactUnwritable, "\(file.path): \(reason); the file is as it was")
    }
}
