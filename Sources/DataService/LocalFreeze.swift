// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Diagnostics
internal import Glibc
internal import Keyring

/// Signing that somebody on this machine has stopped, for this server alone. It needs no database, and a restart does not
/// end it: the orders stand in a file of their own.
///
/// ```
/// file  = *( order LF )
/// order = "all" / "key " text        ; the name or id of a key
/// ```
/// A file that is anything else stops all signing.
final class LocalFreeze: Sendable {
    struct Orders: Hashable, Sendable {
        var all = false
        /// Names and ids, as they were given.
        var keys: Set<String> = []

        var isEmpty: Bool { !all && keys.isEmpty }
    }

    /// `nil` when the server has no folder for it, and nothing can be stopped here.
    private let path: String?
    private let state: Lock<Orders>

    static let fileName = "frozen"
    private static let largest = 1 << 20

    init(folder: String?, _ log: Log) throws(DataServiceError) {
        path = folder.map { $0 + "/" + Self.fileName }
        var orders = Orders()
        if let folder { try Self.check(folder) }
        if let path, let text = try Self.read(path) {
            if let read = Orders(text) {
                orders = read
            } else {
                orders.all = true
                log.error("the file of local freezes is damaged, so all signing is frozen")
            }
        }
        if !orders.isEmpty { Self.tell(orders, log) }
        state = Lock(orders)
    }

    var orders: Orders { state.withLock { $0 } }

    /// Refuses while all signing is stopped here.
    func check() throws(DataServiceError) {
        guard !state.withLock({ $0.all }) else {
            throw DataServiceError(.signingFrozen, "all signing is frozen on this server")
        }
    }

    func check(_ record: KeyRecord) throws(DataServiceError) {
        let orders = orders
        guard !orders.isEmpty else { return }
        try check()
        guard !orders.keys.contains(where: { Snapshot.Selector($0)?.fits(record) ?? false }) else {
            throw DataServiceError(
                .signingFrozen, "signing with the key \(record.name) is frozen on this server")
        }
    }

    /// In force at once, and safe on the disk when it returns.
    func change(_ log: Log, _ body: (inout Orders) throws -> Void) throws {
        try state.withLock { orders in
            var next = orders
            try body(&next)
            guard next != orders else { return }
            // To stop comes before the disk, to go on after it.
            if next.all || !next.keys.isSubset(of: orders.keys) { orders = next }
            if let path { try Self.write(next.text, to: path) }
            orders = next
            Self.tell(next, log)
        }
    }

    private static func tell(_ orders: Orders, _ log: Log) {
        guard !orders.isEmpty else { return log.warning("signing is not frozen here any more") }
        log.warning(
            "signing is frozen here", ["all": .flag(orders.all), "keys": .integer(orders.keys.count)])
    }
}

extension LocalFreeze.Orders {
    var text: String { ((all ? ["all"] : []) + keys.sorted().map { "key " + $0 }).map { $0 + "\n" }.joined() }

    /// `nil` for what is no file of orders.
    init?(_ text: String) {
        guard text.isEmpty || text.hasSuffix("\n") else { return nil }
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
            if line == "all" {
                all = true
            } else if line.hasPrefix("key "), Snapshot.Selector(String(line.dropFirst(4))) != nil {
                keys.insert(String(line.dropFirst(4)))
            } else {
                return nil
            }
        }
    }
}

// MARK: - The file

extension LocalFreeze {
    /// Whoever may write there could let signing go on.
    private static func check(_ folder: String) throws(DataServiceError) {
        var status = stat()
        guard unsafe stat(folder, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            throw DataServiceError(
                .badConfiguration, "data-server.local_folder: there is no folder \(folder)")
        }
        guard status.st_uid == geteuid() || status.st_uid == 0, status.st_mode & 0o022 == 0 else {
            throw DataServiceError(
                .badConfiguration,
                "data-server.local_folder: \(folder) has to belong to the server's user, and nobody else may write there"
            )
        }
    }

    private static func read(_ path: String) throws(DataServiceError) -> String? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw failed(path)
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 1 << 12)
        while bytes.count <= largest {
            let count = unsafe Glibc.read(descriptor, &part, part.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failed(path) }
            guard count > 0 else { break }
            bytes += part[..<count]
        }
        // What is no text has no order that can be read.
        return String(validatingUTF8: bytes.span) ?? "?"
    }

    /// Written beside it, and put in its place when it is safe on the disk.
    private static func write(_ text: String, to path: String) throws(DataServiceError) {
        let beside = path + ".new"
        let descriptor = unsafe open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failed(path) }
        defer { close(descriptor) }
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes {
                unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failed(path) }
            rest = rest.dropFirst(count)
        }
        guard fsync(descriptor) == 0, unsafe rename(beside, path) == 0 else { throw failed(path) }
        let folder = unsafe open(
            String(path.dropLast(fileName.utf8.count)), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw failed(path) }
        defer { close(folder) }
        if fsync(folder) != 0, errno != EINVAL { throw failed(path) }
    }

    private static func failed(_ path: String) -> DataServiceError {
        DataServiceError(.badConfiguration, "\(path): \(unsafe String(cString: strerror(errno)))")
    }
}
