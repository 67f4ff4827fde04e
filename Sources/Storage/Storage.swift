// SPDX-License-Identifier: Apache-2.0

public import Diagnostics

/// Storage keeps what Keyring's ports ask for, in MariaDB and in memory.
///
/// `ControlStorage` is the control plane's side of the database: keys, grants, users, audit. `DataStorage` is a
/// data-server's: it reads keys and grants, and adds records. `MemoryStorage` has all ports at once, for tests and for
/// trying things out; one contract suite holds both. `DatabaseRights` says which rights each database user needs and no
/// more, and `SchemaVersion` whether a program and a schema fit. Every change is one transaction with its entry in the
/// audit and the next revision; when the answer to a COMMIT is lost, it is found out whether it stands.
///
/// ```swift
/// let storage = DataStorage(pool, server: try ServerName("data-1"))
/// try await SchemaVersion.check(pool)
/// let outcomes = try await storage.append(drafts)
/// ```
public struct StorageError: CodedError, Equatable, CustomStringConvertible {
    public let code: ErrorCode
    public let message: String

    init(_ code: ErrorCode, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { "\(code.id): \(message)" }
}
