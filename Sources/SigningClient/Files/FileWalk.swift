// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import Glibc

/// The files under some paths, one after the other, in the order of their names.
///
/// A path that names a file stands for it, also through a symbolic link. In a folder, links are passed over, so that
/// no file is met twice and no circle entered, and so are files whose names start with a dot: other programs' scratch.
struct FileWalk: Sendable {
    enum Step: Sendable {
        /// `isNamed` when the caller named the file itself.
        case file(String, size: Int, isNamed: Bool)
        case unreadable(String, Int32)
    }

    /// What is still to be seen, the next one last.
    private var pending: [(path: String, isNamed: Bool)]

    init(_ paths: [String]) {
        var seen = Set<String>()
        pending = paths.filter { seen.insert($0).inserted }.reversed().map { (path: $0, isNamed: true) }
    }

    mutating func next() -> Step? {
        while let (path, isNamed) = pending.popLast() {
            var status = stat()
            guard unsafe (isNamed ? stat(path, &status) : lstat(path, &status)) == 0 else {
                return .unreadable(path, errno)
            }
            switch status.st_mode & S_IFMT {
            case S_IFREG: return .file(path, size: Int(status.st_size), isNamed: isNamed)
            case S_IFDIR:
                guard let names = Self.names(in: path) else { return .unreadable(path, errno) }
                let folder = path.hasSuffix("/") ? path : path + "/"
                pending += names.sorted(by: >).map { (path: folder + $0, isNamed: false) }
            default: if isNamed { return .file(path, size: 0, isNamed: true) }
            }
        }
        return nil
    }

    /// Why a path could not be looked at.
    static func error(_ path: String, _ number: Int32) -> SigningClientError {
        var text = [CChar](repeating: 0, count: 128)
        unsafe strerror_r(number, &text, text.count)
        let words = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return SigningClientError(number == ENOENT ? .notFound : .fileUnreadable, "\(path): \(words)")
    }

    private static func names(in folder: String) -> [String]? {
        guard let stream = unsafe opendir(folder) else { return nil }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = unsafe readdir(stream) else { break }
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { field in
                unsafe field.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        // A list that broke off is none.
        let number = errno
        unsafe closedir(stream)
        errno = number
        return number == 0 ? names : nil
    }
}
