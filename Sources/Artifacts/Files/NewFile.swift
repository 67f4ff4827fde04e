// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import CLinux
internal import Cryptography
internal import Diagnostics
internal import Glibc

/// A file under way. It has no name until it is whole, where the file system can do that, and a hidden one of its own
/// otherwise.
///
/// ```
/// hidden = ".signet-" 16HEXDIG      ; random
/// ```
/// Whoever makes such a file holds its lock as long as it is under way, so what a crash leaves behind is told from what
/// another writer works on: see `Folder.sweep`.
struct NewFile: ~Copyable {
    private let folder: Int32
    private let folderPath: String
    private let name: String
    private let descriptor: Int32
    private let identity: FileIdentity
    private let abilities: FileAbilities
    /// The name that it has for the moment.
    private var hidden: String?

    static let hiddenPrefix = ".signet-"

    init(
        in folder: borrowing Folder, for name: String, _ abilities: FileAbilities = FileAbilities()
    ) throws(ArtifactError) {
        let opened: (name: String?, descriptor: Int32)
        if abilities.hasNamelessFiles, let nameless = Self.openNameless(in: folder.descriptor) {
            opened = (nil, nameless)
        } else {
            opened = try Self.openHidden(in: folder, for: name)
        }
        // A lock that cannot be had is one that the file system does not know.
        _ = flock(opened.descriptor, LOCK_EX | LOCK_NB)
        self.folder = folder.descriptor
        folderPath = folder.path
        self.name = name
        descriptor = opened.descriptor
        identity = FileIdentity(opened.descriptor)
        self.abilities = abilities
        hidden = opened.name
    }

    private static func openNameless(in folder: Int32) -> Int32? {
        let opened = unsafe openat(folder, ".", O_RDWR | O_CLOEXEC | Int32(shim_O_TMPFILE), mode_t(0o600))
        guard opened >= 0 else { return nil }
        // Such a file gets its name through /proc.
        guard unsafe access("/proc/self/fd/\(opened)", F_OK) == 0 else {
            close(opened)
            return nil
        }
        return opened
    }

    private static func openHidden(
        in folder: borrowing Folder, for name: String
    ) throws(ArtifactError) -> (name: String?, descriptor: Int32) {
        for _ in 0..<100 {
            let hidden = randomName()
            let flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW
            let opened = unsafe openat(folder.descriptor, hidden, flags, mode_t(0o600))
            guard opened >= 0 else {
                if errno == EEXIST { continue }
                throw folder.unwritable(name, errno)
            }
            _ = flock(opened, LOCK_EX | LOCK_NB)
            // Before it was locked, a sweep may have taken it for a leftover.
            if let status = folder.status(of: hidden), FileIdentity(status) == FileIdentity(opened) {
                return (hidden, opened)
            }
            close(opened)
        }
        throw folder.unwritable(name, EEXIST)
    }

    static func randomName() -> String {
        let digits = String(UInt64.random(in: .min ... .max), radix: 16)
        return hiddenPrefix + String(repeating: "0", count: 16 - digits.count) + digits
    }

    deinit {
        if let hidden, isOwn(hidden) { unsafe unlinkat(folder, hidden, 0) }
        close(descriptor)
    }

    /// Whether that name stands for this file.
    private func isOwn(_ name: String) -> Bool {
        var status = stat()
        return unsafe fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0
            && FileIdentity(status) == identity
    }

    // MARK: Content

    /// Shares the old file's blocks where the file system can, lets the kernel copy otherwise.
    func write(_ pieces: [Patch.Piece], from file: borrowing SourceFile) throws(ArtifactError) {
        let isClone = Self.staysInPlace(pieces) && shim_clone(descriptor, file.descriptor) == 0
        var place = 0
        for piece in pieces {
            switch piece {
            case .kept(let range): if !isClone { try copy(range, of: file, to: place) }
            case .new(let bytes): try put(bytes.span, at: place)
            }
            place += piece.count
        }
        guard !isClone || place >= file.size || ftruncate(descriptor, place) == 0 else {
            throw unwritable(errno)
        }
    }

    /// Whether every byte that is kept is where it was.
    private static func staysInPlace(_ pieces: [Patch.Piece]) -> Bool {
        var place = 0
        for piece in pieces {
            if case .kept(let range) = piece, range.lowerBound != place { return false }
            place += piece.count
        }
        return true
    }

    private func copy(_ range: Range<Int>, of file: borrowing SourceFile, to place: Int) throws(ArtifactError)
    {
        var from = range.lowerBound
        var to = place
        while from < range.upperBound {
            let wanted = min(range.upperBound - from, 1 << 30)
            let count = shim_copy(file.descriptor, from, descriptor, to, wanted)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                // Some file systems cannot, and some say so by copying nothing.
                let cannot = [EXDEV, EINVAL, ENOSYS, EOPNOTSUPP, EPERM, EBADF]
                guard count == 0 || cannot.contains(errno) else { throw unwritable(errno) }
                try file.forEachChunk(of: from..<range.upperBound) { bytes throws(ArtifactError) in
                    try put(bytes, at: to)
                    to += bytes.count
                }
                return
            }
            from += count
            to += count
        }
    }

    private func put(_ bytes: Span<UInt8>, at place: Int) throws(ArtifactError) {
        var done = 0
        while done < bytes.count {
            let rest = bytes.extracting(droppingFirst: done)
            let count = unsafe rest.withUnsafeBufferPointer {
                unsafe pwrite(descriptor, $0.baseAddress, $0.count, place + done)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw unwritable(count == 0 ? ENOSPC : errno) }
            done += count
        }
    }

    // MARK: Traits

    /// Mode, owner, extended attributes and times of the file that this one replaces.
    func takeTraits(of file: borrowing SourceFile) throws(ArtifactError) {
        var status = stat()
        guard unsafe fstat(file.descriptor, &status) == 0 else { throw unwritable(errno) }
        try setOwner(status.st_uid, status.st_gid)
        // After the owner, whose change takes the set-user bit away; before the attributes, which hold the access list.
        guard fchmod(descriptor, status.st_mode & 0o7777) == 0 else { throw unwritable(errno) }
        try FileAttributes.copy(from: file.descriptor, to: descriptor) { number in unwritable(number) }
        let times = [status.st_atim, status.st_mtim]
        guard unsafe futimens(descriptor, times) == 0 else { throw unwritable(errno) }
    }

    /// For a file beside it: whoever may read the one may read the other; nobody executes it.
    func takeAccess(of file: borrowing SourceFile) throws(ArtifactError) {
        var status = stat()
        guard unsafe fstat(file.descriptor, &status) == 0 else { throw unwritable(errno) }
        // Who may not give files away keeps this one, and then its group says nothing.
        let isGiven = fchown(descriptor, status.st_uid, status.st_gid) == 0
        guard isGiven || errno == EPERM else { throw unwritable(errno) }
        guard fchmod(descriptor, status.st_mode & (isGiven ? 0o666 : 0o606)) == 0 else {
            throw unwritable(errno)
        }
    }

    private func setOwner(_ user: uid_t, _ group: gid_t) throws(ArtifactError) {
        var own = stat()
        guard unsafe fstat(descriptor, &own) == 0 else { throw unwritable(errno) }
        guard own.st_uid != user || own.st_gid != group else { return }
        guard fchown(descriptor, user, group) == 0 else {
            throw ArtifactError(
                .artifactUnwritable,
                "\(folderPath)/\(name): it belongs to user \(user) and group \(group), which only they or root may "
                    + "give a new file; the file is as it was")
        }
    }

    // MARK: The end

    func sync() throws(ArtifactError) {
        guard fsync(descriptor) == 0 else { throw unwritable(errno) }
    }

    /// Becomes the file of that name at one stroke, in the place of the file that `old` describes and of no other.
    mutating func takeName(over old: FileSnapshot) throws(ArtifactError) {
        let hidden = try takeHiddenName()
        guard isOwn(hidden) else { throw changed() }
        guard abilities.exchangesNames, exchange(hidden) else {
            // Without such an exchange there is a moment between the look and the change.
            var status = stat()
            guard unsafe fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0,
                FileSnapshot(status) == old
            else { throw changed() }
            guard unsafe renameat(folder, hidden, folder, name) == 0 else { throw unwritable(errno) }
            self.hidden = nil
            return
        }
        var status = stat()
        let isThere = unsafe fstatat(folder, hidden, &status, AT_SYMLINK_NOFOLLOW) == 0
        guard isThere, FileSnapshot(status).hasContent(of: old) else {
            // Somebody else's: it gets its name back.
            _ = exchange(hidden)
            throw changed()
        }
        self.hidden = nil
        unsafe unlinkat(folder, hidden, 0)
    }

    /// Becomes the file of that name when there is none yet.
    mutating func takeFreeName() throws(ArtifactError) {
        var taken: Bool
        if let hidden {
            guard isOwn(hidden) else { throw changed() }
            let flag = UInt32(shim_RENAME_NOREPLACE)
            taken = unsafe renameat2(folder, hidden, folder, name, flag) == 0
            if !taken, errno != EEXIST, unsafe linkat(folder, hidden, folder, name, 0) == 0 {
                taken = true
                unsafe unlinkat(folder, hidden, 0)
            }
        } else {
            taken = unsafe linkat(AT_FDCWD, ownPath, folder, name, AT_SYMLINK_FOLLOW) == 0
        }
        guard taken else { throw errno == EEXIST ? changed() : unwritable(errno) }
        hidden = nil
    }

    private var ownPath: String { "/proc/self/fd/\(descriptor)" }

    private mutating func takeHiddenName() throws(ArtifactError) -> String {
        if let hidden { return hidden }
        for _ in 0..<100 {
            let name = Self.randomName()
            if unsafe linkat(AT_FDCWD, ownPath, folder, name, AT_SYMLINK_FOLLOW) == 0 {
                hidden = name
                return name
            }
            guard errno == EEXIST else { break }
        }
        throw unwritable(errno)
    }

    /// The hidden name and the other one change places.
    private func exchange(_ hidden: String) -> Bool {
        unsafe renameat2(folder, hidden, folder, name, UInt32(shim_RENAME_EXCHANGE)) == 0
    }

    private func changed() -> ArtifactError {
        ArtifactError(
            .artifactChanged,
            "\(folderPath)/\(name): something else came there meanwhile; it is left as it is")
    }

    private func unwritable(_ number: Int32) -> ArtifactError {
        ArtifactError(
            .artifactUnwritable,
            "\(folderPath)/\(name): \(SystemError.text(of: number)); the file is as it was")
    }
}

/// Extended attributes, access lists among them.
private enum FileAttributes {
    /// These say something about the old content.
    private static let left: Set<String> = ["security.ima", "security.evm"]

    static func copy(
        from source: Int32, to target: Int32, _ failure: (Int32) -> ArtifactError
    ) throws(ArtifactError) {
        var names = [CChar](repeating: 0, count: 64 << 10)
        let count = unsafe flistxattr(source, &names, names.count)
        guard count > 0 else {
            if count == 0 || errno == ENOTSUP { return }
            throw failure(errno)
        }
        for raw in names[..<count].split(separator: 0) {
            let name = String(decoding: raw.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            guard !left.contains(name) else { continue }
            var value = [UInt8](repeating: 0, count: 64 << 10)
            let length = unsafe fgetxattr(source, name, &value, value.count)
            guard length >= 0 else { throw failure(errno) }
            guard unsafe fsetxattr(target, name, value, length, 0) != 0 else { continue }
            // A label that only the policy may give: the new file has the one of its folder.
            guard name == "security.selinux", errno == EPERM || errno == EACCES || errno == ENOTSUP else {
                throw failure(errno)
            }
        }
    }
}
