// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Diagnostics
internal import Glibc

/// Carries patches out, each whole or not at all.
///
/// A signature that has its room in the file, as that of an RPM, is written where it belongs when `inPlace` is chosen: a
/// few KiB whatever the size of the file. What was there is written to a journal before; after a crash the next writer
/// takes back what was half done, see `UndoJournal`. A file with several names, or that this user may only read, or on a
/// file system without locks, is not changed in place.
///
/// Any other file that changes gets written anew: without a name in the folder of the old one, with its mode, owner,
/// extended attributes and times, synced, and then put in its place at one stroke. A crash, a full disk or an error
/// leaves the original. Of several names of one file only the given one names the signed file afterwards.
///
/// Whoever else writes through this room waits for the file's lock, and a file that is not what was read any more is
/// refused. A detached signature never takes the place of a file that was not there, or was another one, when the patch
/// was made.
public final class PatchWriter: Sendable {
    private let abilities: FileAbilities
    private let isInPlace: Bool
    private let watcher: @Sendable (WritingMoment) -> Void
    private let journals = Lock<[(folder: FileIdentity, journal: UndoJournal)]>([])
    private let swept = Lock(Swept())

    /// Folders that were cleared: themselves, and the names under which files in them were met.
    private struct Swept: Sendable {
        var folders = Set<FileIdentity>()
        var names = Set<String>()
    }

    public convenience init(inPlace: Bool = false) { self.init(FileAbilities(), inPlace: inPlace) }

    /// Tells of the moments of changes in place.
    package convenience init(watching watcher: @escaping @Sendable (WritingMoment) -> Void) {
        self.init(FileAbilities(), inPlace: true, watcher)
    }

    init(
        _ abilities: FileAbilities, inPlace: Bool = false,
        _ watcher: @escaping @Sendable (WritingMoment) -> Void = { _ in }
    ) {
        self.abilities = abilities
        isInPlace = inPlace
        self.watcher = watcher
    }

    func moment(_ moment: WritingMoment) { watcher(moment) }

    /// The journal of a folder; those of the folders that were met last are at hand.
    func journal(of folder: borrowing Folder) throws(ArtifactError) -> UndoJournal {
        let identity = FileIdentity(folder.descriptor)
        return try journals.withLock { journals throws(ArtifactError) in
            if let known = journals.first(where: { $0.folder == identity }) { return known.journal }
            let journal = UndoJournal(in: try Folder(folder.path, name: folder.name))
            journals.insert((identity, journal), at: 0)
            if journals.count > 16 { journals.removeLast() }
            return journal
        }
    }

    /// Clears away what a crash left in the folder of a file, the first time that it meets the folder: before the file
    /// is read. What somebody works on is left alone.
    @available(*, noasync, message: "it reads and writes files")
    public func recover(folderOf path: String) throws(ArtifactError) {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { return }
        let isLink = status.st_mode & S_IFMT == S_IFLNK
        let name = isLink ? path : String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
        // Who comes meanwhile waits.
        try swept.withLock { swept throws(ArtifactError) in
            guard !swept.names.contains(name) else { return }
            try Self.sweep(Folder(of: SourceFile(path)), &swept)
            swept.names.insert(name)
        }
    }

    private static func sweep(_ folder: borrowing Folder, _ swept: inout Swept) throws(ArtifactError) {
        let identity = FileIdentity(folder.descriptor)
        guard !swept.folders.contains(identity) else { return }
        try folder.sweep()
        swept.folders.insert(identity)
    }

    /// Waits `patience` at most for another writer of the file.
    @available(*, noasync, message: "it writes a file")
    public func apply(_ patch: Patch, patience: Duration = .seconds(10)) throws(ArtifactError) {
        let file = try SourceFile(patch.path)
        let isLocked = abilities.hasLocks ? try FileLock.take(file, patience: patience) : false
        try file.checkUnchanged(since: patch.snapshot)
        let folder = try Folder(of: file, other: patch.detachedFolder)
        try swept.withLock { swept throws(ArtifactError) in try Self.sweep(folder, &swept) }
        switch patch.effect {
        case .rewritten(let pieces): try replace(file, in: folder, by: pieces)
        case .exchanged(let place, let old, let new):
            if isInPlace, isLocked, try exchange(old, at: place, by: new, in: file, of: folder) { return }
            try replace(
                file, in: folder,
                by: [.kept(0..<place), .new(new), .kept(place + old.count..<file.size)])
        case .beside(let suffix, let bytes, let old):
            try put(bytes, folder.name + suffix, over: old, in: folder, of: file, patience)
        case .removed(let suffix, let old):
            try remove(folder.name + suffix, old, in: folder, patience)
        }
        try folder.sync()
        // The lock ends with the file.
        withExtendedLifetime(file) {}
    }

    private func replace(
        _ file: borrowing SourceFile, in folder: borrowing Folder, by pieces: [Patch.Piece]
    ) throws(ArtifactError) {
        var target = try NewFile(in: folder, for: folder.name, abilities)
        try target.write(pieces, from: file)
        try target.takeTraits(of: file)
        try target.sync()
        try file.checkUnchanged(since: file.snapshot)
        try target.takeName(over: file.snapshot)
    }

    // MARK: Detached signatures

    private func put(
        _ bytes: [UInt8], _ name: String, over old: FileSnapshot?, in folder: borrowing Folder,
        of file: borrowing SourceFile, _ patience: Duration
    ) throws(ArtifactError) {
        var target = try NewFile(in: folder, for: name, abilities)
        try target.write([.new(bytes)], from: file)
        try target.takeAccess(of: file)
        try target.sync()
        try file.checkUnchanged(since: file.snapshot)
        guard let old else { return try target.takeFreeName() }
        let there = try lock(name, old, in: folder, patience)
        try target.takeName(over: there.snapshot)
    }

    private func remove(
        _ name: String, _ old: FileSnapshot, in folder: borrowing Folder, _ patience: Duration
    ) throws(ArtifactError) {
        let there = try lock(name, old, in: folder, patience)
        try folder.remove(name)
        withExtendedLifetime(there) {}
    }

    /// The signature that lies there, which two sources may share, locked.
    private func lock(
        _ name: String, _ old: FileSnapshot, in folder: borrowing Folder, _ patience: Duration
    ) throws(ArtifactError) -> SourceFile {
        guard folder.status(of: name).map({ FileSnapshot($0) }) == old else { throw folder.changed(name) }
        let there = try SourceFile("\(folder.path)/\(name)")
        if abilities.hasLocks { _ = try FileLock.take(there, patience: patience) }
        guard folder.status(of: name).map({ FileSnapshot($0) }) == old, there.snapshot == old else {
            throw folder.changed(name)
        }
        return there
    }
}

extension Patch {
    /// Carries the patch out by a writer of its own.
    @available(*, noasync, message: "it writes a file")
    public func apply(patience: Duration = .seconds(10)) throws(ArtifactError) {
        try PatchWriter().apply(self, patience: patience)
    }

    /// The folder that is written to, if it is not the file's own.
    fileprivate var detachedFolder: String? {
        switch effect {
        case .rewritten, .exchanged: nil
        case .beside, .removed: signatureFolder
        }
    }
}
