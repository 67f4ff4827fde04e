// SPDX-License-Identifier: Apache-2.0

internal import Glibc

extension Migrations {
    /// Reads a folder of migration files.
    public init(folder: String) throws(MigrationError) {
        guard let listing = unsafe opendir(folder) else {
            throw .invalid("\(folder): the folder of migrations cannot be opened (errno \(errno))")
        }
        defer { unsafe _ = closedir(listing) }
        var files: [(name: String, contents: [UInt8])] = []
        while let entry = unsafe readdir(listing) {
            let name = unsafe withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name.hasSuffix(".sql") { files.append((name, try Self.read("\(folder)/\(name)"))) }
        }
        try self.init(files: files, folder: folder)
    }

    private static func read(_ path: String) throws(MigrationError) -> [UInt8] {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
        guard file >= 0 else { throw .invalid("\(path) cannot be opened (errno \(errno))") }
        defer { close(file) }
        var facts = stat()
        guard unsafe fstat(file, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG else {
            throw .invalid("\(path) is no regular file")
        }
        guard facts.st_size <= SQLScript.limit else {
            throw .invalid("\(path): longer than \(SQLScript.limit) bytes")
        }
        let size = Int(facts.st_size)
        let contents = unsafe [UInt8](unsafeUninitializedCapacity: size) { buffer, used in
            while used < size {
                let count = unsafe Glibc.read(file, buffer.baseAddress?.advanced(by: used), size - used)
                guard count > 0 else { return }
                used += count
            }
        }
        guard contents.count == size else { throw .invalid("\(path) cannot be read in full") }
        return contents
    }
}
