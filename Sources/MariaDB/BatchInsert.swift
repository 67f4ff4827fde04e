// SPDX-License-Identifier: Apache-2.0

/// Inserts many rows with one statement, `INSERT INTO t (a, b) VALUES (?, ?), (?, ?), ...`, which costs one round trip
/// and one look at the table whatever the number of rows.
///
/// ```swift
/// let records = BatchInsert(into: "signature_record", columns: ["id", "server", "body"])
/// try connection.transaction { try $0.insert(rows, with: records) }
/// ```
public struct BatchInsert: Hashable, Sendable {
    public let table: String
    public let columns: [String]
    /// What follows ON DUPLICATE KEY UPDATE; `nil` lets a duplicate fail the statement.
    public let onDuplicate: String?

    /// Rows of one statement. Larger ones gain nothing, and both servers stop at 65535 parameters.
    static let largest = 256

    public init(into table: String, columns: [String], onDuplicate: String? = nil) {
        self.table = table
        self.columns = columns
        self.onDuplicate = onDuplicate
    }

    func sql(rows: Int) -> String {
        let names = columns.map { Self.quoted($0) }.joined(separator: ", ")
        let row = "(" + Array(repeating: "?", count: columns.count).joined(separator: ", ") + ")"
        let values = Array(repeating: row, count: rows).joined(separator: ", ")
        let end = onDuplicate.map { " ON DUPLICATE KEY UPDATE \($0)" } ?? ""
        return "INSERT INTO \(Self.quoted(table)) (\(names)) VALUES \(values)\(end)"
    }

    /// Statements of few different lengths, so that each is prepared once: as many of the largest as fit, then
    /// powers of two.
    func chunks(of count: Int) -> [Int] {
        guard !columns.isEmpty else { return [] }
        let largest = min(Self.largest, 65_535 / columns.count)
        var chunks = Array(repeating: largest, count: count / largest)
        var left = count % largest
        while left > 0 {
            let power = 1 << (Int.bitWidth - 1 - left.leadingZeroBitCount)
            chunks.append(power)
            left -= power
        }
        return chunks
    }

    private static func quoted(_ name: String) -> String {
        "`" + name.split(separator: "`", omittingEmptySubsequences: false).joined(separator: "``") + "`"
    }
}

extension DatabaseConnection {
    /// Inserts the rows, each with a value for every column, and returns how many the server counted. More rows than
    /// one statement takes are several statements: without a transaction some of them may stand and others fail.
    @available(*, noasync, message: "it blocks the thread")
    @discardableResult
    public func insert(_ rows: [[DatabaseValue]], with batch: BatchInsert) throws(DatabaseError) -> Int {
        for row in rows where row.count != batch.columns.count {
            throw DatabaseError(
                .badStatement,
                "a row for \(batch.table) has \(row.count) values, not \(batch.columns.count)")
        }
        var affected = 0
        var next = 0
        for chunk in batch.chunks(of: rows.count) {
            let values = Array(rows[next..<next + chunk].joined())
            affected += try execute(batch.sql(rows: chunk), values).affectedRows
            next += chunk
        }
        return affected
    }
}
