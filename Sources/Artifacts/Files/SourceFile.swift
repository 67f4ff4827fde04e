// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import CLinux
internal import Diagnostics
internal import Glibc

/// An open file that is signed, and what it was when it was opened.
///
/// A symbolic link is followed once, and what it names is signed. Only regular files are taken.
struct SourceFile: ~Copyable, Sendable {
    /// As the caller wrote it; messages use this.
    let path: String
    /// The file itself, behind all links.
    let place: String
    /// Where detached signatures go; nil for beside the file itself.
    let signatureFolder: String?
    let snapshot: FileSnapshot
    let descriptor: Int32

    /// What is read at once.
    static let chunk = 256 << 10

    init(_ path: String, signaturesIn folder: String? = nil) throws(ArtifactError) {
        guard let real = unsafe realpath(path, nil) else { throw Self.unreadable(path, errno) }
        let place = unsafe String(cString: real)
        unsafe free(real)
        // Not blocking, since a pipe would wait for its writer; it is refused below.
        let opened = unsafe open(place, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard opened >= 0 else { throw Self.unreadable(path, errno) }
        var status = stat()
        let failed = unsafe fstat(opened, &status) != 0 ? errno : 0
        guard failed == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(opened)
            guard failed == 0 else { throw Self.unreadable(path, failed) }
            throw ArtifactError(.artifactUnrecognised, "\(path): not a regular file")
        }
        self.path = path
        self.place = place
        signatureFolder = folder
        descriptor = opened
        snapshot = FileSnapshot(status)
    }

    deinit { close(descriptor) }

    var size: Int { snapshot.size }
    /// The last part of the path.
    var name: String { String(path.split(separator: "/").last ?? "") }

    // MARK: Reading

    /// Exactly these bytes. The range is checked before anything is allocated.
    func read(_ range: Range<Int>) throws(ArtifactError) -> [UInt8] {
        guard range.lowerBound >= 0, range.upperBound <= size else {
            throw ArtifactError(.artifactMalformed, "\(path): the file is cut off at byte \(size)")
        }
        var buffer = [UInt8](repeating: 0, count: range.count)
        try fill(&buffer, count: range.count, at: range.lowerBound)
        return buffer
    }

    /// The bytes of `range` in pieces, each lent for the call.
    func forEachChunk(
        of range: Range<Int>, _ body: (Span<UInt8>) throws(ArtifactError) -> Void
    ) throws(ArtifactError) {
        var buffer = [UInt8](repeating: 0, count: min(Self.chunk, range.count))
        var place = range.lowerBound
        while place < range.upperBound {
            let count = min(buffer.count, range.upperBound - place)
            try fill(&buffer, count: count, at: place)
            try body(buffer.span.extracting(first: count))
            place += count
        }
    }

    private func fill(_ buffer: inout [UInt8], count: Int, at place: Int) throws(ArtifactError) {
        var done = 0
        while done < count {
            let length = unsafe buffer.withUnsafeMutableBytes { raw in
                let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: raw[done..<count])
                return unsafe pread(descriptor, rest.baseAddress, rest.count, place + done)
            }
            if length < 0, errno == EINTR { continue }
            guard length >= 0 else { throw Self.unreadable(path, errno) }
            guard length > 0 else { throw changed() }
            done += length
        }
    }

    // MARK: Judging

    /// Whether the open file, and what its path names now, are still what was read.
    func checkUnchanged(since then: FileSnapshot) throws(ArtifactError) {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0, FileSnapshot(status) == then else { throw changed() }
        guard unsafe lstat(place, &status) == 0, FileSnapshot(status) == then else { throw changed() }
    }

    func changed() -> ArtifactError {
        ArtifactError(.artifactChanged, "\(path): the file changed while it was signed")
    }

    static func unreadable(_ path: String, _ number: Int32) -> ArtifactError {
        let code: ErrorCode = number == ENOENT || number == ENOTDIR ? .notFound : .fileUnreadable
        return ArtifactError(code, "\(path): \(SystemError.text(of: number))")
    }
}

/// What tells whether a file is still the same, without reading it.
struct FileSnapshot: Hashable, Sendable {
    var device: UInt64
    var inode: UInt64
    var size: Int
    /// Seconds and nanoseconds of the last change of the content and of anything.
    var times: [4 of Int]

    init(_ status: stat) {
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        size = Int(status.st_size)
        times = [
            status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_ctim.tv_sec, status.st_ctim.tv_nsec,
        ]
    }

    static func == (one: FileSnapshot, other: FileSnapshot) -> Bool {
        for index in one.times.indices where one.times[index] != other.times[index] { return false }
        return one.device == other.device && one.inode == other.inode && one.size == other.size
    }

    /// Whether it is the same but for what a change of its name changes.
    func hasContent(of other: FileSnapshot) -> Bool {
        size == other.size && times[0] == other.times[0] && times[1] == other.times[1]
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(inode)
        hasher.combine(size)
    }
}

/// Which file it is, whatever its name.
struct FileIdentity: Hashable, Sendable {
    var device: UInt64
    var inode: UInt64

    init(_ status: stat) {
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
    }

    /// Of an open file; nothing's when it cannot be told.
    init(_ descriptor: Int32) {
        var status = stat()
        _ = unsafe fstat(descriptor, &status)
        self.init(status)
    }
}

/// What not every file system can do; tests go without it.
struct FileAbilities: Sendable {
    var hasNamelessFiles = true
    var hasLocks = true
    var exchangesNames = true
}

/// What a system call said.
enum SystemError {
    static func text(of number: Int32) -> String {
        var text = [CChar](repeating: 0, count: 128)
        unsafe strerror_r(number, &text, text.count)
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
