// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import CLinux
internal import Cryptography
internal import Diagnostics
internal import Glibc

/// A file under way. It has no name until it is whole, where the file system can do that, and a hidden one otherwise;
/// what a crash leaves behind is swept by the next writer of the same file.
struct NewFile: ~Copyable {
    private let folder: Int32
    private let folderPath: String
    private let name: String
    /// A name that fits whatever the file's own is, and which only the holder of the file's lock uses.
    private let hidden: String
    private let descriptor: Int32
    private let isNameless: Bool

    init(in folder: borrowing Folder, for name: String) throws(ArtifactError) {
        let mark = Digest(hashing: Array(name.utf8).span, with: .sha256).bytes.prefix(8)
        let hidden = ".signet-" + Hex.encode(Array(mark))
        unsafe unlinkat(folder.descriptor, hidden, 0)
        var opened = unsafe openat(
            folder.descriptor, ".", O_RDWR | O_CLOEXEC | Int32(shim_O_TMPFILE), mode_t(0o600))
        // A nameless file gets its name through /proc.
        let canBeNamed = unsafe access("/proc/self/fd/\(opened)", F_OK) == 0
        if opened >= 0, !canBeNamed {
            close(opened)
            opened = -1
        }
        let isNameless = opened >= 0
        if !isNameless {
            let flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW
            opened = unsafe openat(folder.descriptor, hidden, flags, mode_t(0o600))
        }
        guard opened >= 0 else { throw folder.unwritable(name, errno) }
        self.folder = folder.descriptor
        folderPath = folder.path
        self.name = name
        self.hidden = hidden
        descriptor = opened
        self.isNameless = isNameless
    }

    deinit {
        // After `takeName` there is nothing under the hidden name.
        if !isNameless { unsafe unlinkat(folder, hidden, 0) }
        close(descriptor)
    }

    // MARK: Content

    /// Shares the old file's blocks where the file system can, lets the kernel copy otherwise.
    func write(_ pieces: [Patch.Piece], from file: borrowing SourceFile) throws(ArtifactError) {
        let isClone =
            Patch.isInPlace(pieces, size: file.size) && shim_clone(descriptor, file.descriptor) == 0
        var place = 0
        for piece in pieces {
            switch piece {
            case .kept(let range): if !isClone { try copy(range, of: file, to: place) }
            case .new(let bytes): try put(bytes.span, at: place)
            }
            place += piece.count
        }
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

    /// Becomes the file of that name at one stroke.
    func takeName() throws(ArtifactError) {
        if isNameless {
            let own = "/proc/self/fd/\(descriptor)"
            guard unsafe linkat(AT_FDCWD, own, folder, hidden, AT_SYMLINK_FOLLOW) == 0 else {
                throw unwritable(errno)
            }
        }
        guard unsafe renameat(folder, hidden, folder, name) == 0 else {
            let number = errno
            unsafe unlinkat(folder, hidden, 0)
            throw unwritable(number)
        }
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
