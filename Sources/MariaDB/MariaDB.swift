// SPDX-License-Identifier: Apache-2.0

public import Diagnostics

/// MariaDB speaks SQL to MariaDB and MySQL servers over libmariadb, and knows no table but the two that record
/// migrations.
///
/// `DatabaseConnection` is one blocking session: prepared statements with typed values, and transactions that run
/// again when they met another one. `DatabasePool` keeps a fixed number of them, each on a thread of its own, for async
/// code. `MigrationRunner` brings the schema to the version of a folder of SQL files. The room refuses values that are cut off or do not fit, results of another type than
/// asked for, servers that do not prove who they are where TLS is required, and statements without a deadline. What
/// it promises about a failed transaction: it left nothing behind, unless the error's kind is `commitUnknown`.
///
/// ```swift
/// let settings = DatabaseSettings(servers: [.socket(path: path)], user: "signet", database: "signet")
/// let connection = try DatabaseConnection.open(settings)
/// let row = try connection.execute("SELECT name FROM data_key WHERE id = ?", [.uint(7)]).onlyRow()
/// ```
///
/// This is what the server, the way to it or this room refused.
///
/// `message` and `description` are safe for users. The server's own words can quote values ("Duplicate entry 'x'"),
/// so they are part of the message only where they cannot; `debugDescription` always has them.
public struct DatabaseError: CodedError, CustomStringConvertible, CustomDebugStringConvertible {
    public let kind: Kind
    public let message: String
    /// The server's error number, or libmariadb's (2000 and up); 0 when the fault was found on our side.
    public let number: Int
    /// Five characters, or empty.
    public let sqlState: String
    /// The unique key that a duplicate met.
    public let constraint: String?
    /// The server's own words.
    let detail: String

    init(
        _ kind: Kind, _ message: String, number: Int = 0, sqlState: String = "", constraint: String? = nil,
        detail: String = ""
    ) {
        self.kind = kind
        self.message = message
        self.number = number
        self.sqlState = sqlState
        self.constraint = constraint
        self.detail = detail
    }

    /// What the server answered to `what`.
    init(number: Int, sqlState: String, detail: String, during what: String) {
        let kind = Kind(number: number, sqlState: sqlState)
        let words = kind.mayQuoteValues ? kind.summary : detail
        let constraint = kind == .duplicateKey ? Self.constraint(in: detail) : nil
        let place = constraint.map { " (key \($0))" } ?? ""
        self.init(
            kind, "\(what): \(words)\(place) [\(number) \(sqlState)]", number: number, sqlState: sqlState,
            constraint: constraint, detail: detail)
    }

    public var code: ErrorCode { kind.code }
    public var description: String { message }
    public var debugDescription: String { detail.isEmpty ? message : "\(message): \(detail)" }

    /// The same fault seen as another kind, with what we know about it put in front.
    func seen(as kind: Kind, _ words: String) -> DatabaseError {
        DatabaseError(
            kind, "\(words): \(message)", number: number, sqlState: sqlState, constraint: constraint,
            detail: detail)
    }

    /// MariaDB says `for key 'name'`, MySQL `for key 'table.name'`.
    static func constraint(in detail: String) -> String? {
        guard detail.hasSuffix("'") else { return nil }
        let name = detail.dropLast().suffix(while: { $0 != "'" })
        return name.split(separator: ".").last.map { String($0) }
    }
}

extension Substring {
    fileprivate func suffix(while belongs: (Character) -> Bool) -> Substring {
        var start = endIndex
        while start > startIndex, belongs(self[index(before: start)]) { start = index(before: start) }
        return self[start...]
    }
}
