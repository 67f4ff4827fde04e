// SPDX-License-Identifier: Apache-2.0

/// What a statement answered: rows, or the number of those that it touched.
public struct DatabaseResult: Sendable {
    /// Empty for a statement that returns no rows.
    public let columns: [String]
    public let rows: [DatabaseRow]
    /// How many rows were inserted, deleted or really changed (a row that already was as asked does not count).
    public let affectedRows: Int
    /// The first AUTO_INCREMENT value of an insert, or 0.
    public let insertID: UInt64

    /// The only row; `nil` when there is none, an error when there are several.
    public func onlyRow() throws(DatabaseError) -> DatabaseRow? {
        guard rows.count <= 1 else {
            throw DatabaseError(.badStatement, "expected one row at most, got \(rows.count)")
        }
        return rows.first
    }
}

/// One row, read by the names of its columns (or by their places, from 0).
///
/// ```swift
/// let name = try row.text("name")
/// let end = try row.timeIfPresent("expires_at")
/// ```
///
/// A missing column, NULL where a value is asked for, another type or a number that does not fit is a
/// `badStatement` error that names the column; a value that no program of ours writes there is a `badRow`.
public struct DatabaseRow: Sendable {
    public let values: [DatabaseValue]
    package let columns: [String]

    package init(values: [DatabaseValue], columns: [String]) {
        self.values = values
        self.columns = columns
    }

    public subscript(column: String) -> DatabaseValue {
        get throws(DatabaseError) {
            guard let place = columns.firstIndex(of: column) else {
                let known = columns.joined(separator: ", ")
                throw DatabaseError(.badStatement, "the result has no column \(column), only \(known)")
            }
            return values[place]
        }
    }

    public subscript(place: Int) -> DatabaseValue {
        get throws(DatabaseError) {
            guard values.indices.contains(place) else {
                throw DatabaseError(
                    .badStatement, "the result has \(values.count) columns, no number \(place)")
            }
            return values[place]
        }
    }
}

// MARK: - Typed fields

extension DatabaseRow {
    public func isNull(_ column: String) throws(DatabaseError) -> Bool { try self[column] == .null }

    public func int(_ column: String) throws(DatabaseError) -> Int64 {
        try present(column, intIfPresent(column))
    }

    public func uint(_ column: String) throws(DatabaseError) -> UInt64 {
        try present(column, uintIfPresent(column))
    }

    public func double(_ column: String) throws(DatabaseError) -> Double {
        try present(column, doubleIfPresent(column))
    }

    public func text(_ column: String) throws(DatabaseError) -> String {
        try present(column, textIfPresent(column))
    }

    public func bytes(_ column: String) throws(DatabaseError) -> [UInt8] {
        try present(column, bytesIfPresent(column))
    }

    public func time(_ column: String) throws(DatabaseError) -> Timestamp {
        try present(column, timeIfPresent(column))
    }

    /// A BOOLEAN (TINYINT) column: 0 or 1, nothing else.
    public func bool(_ column: String) throws(DatabaseError) -> Bool {
        switch try int(column) {
        case 0: false
        case 1: true
        default: throw DatabaseError(.badRow, "column \(column) holds neither 0 nor 1")
        }
    }

    public func intIfPresent(_ column: String) throws(DatabaseError) -> Int64? {
        switch try self[column] {
        case .null: return nil
        case .int(let number): return number
        case .uint(let number):
            guard let signed = Int64(exactly: number) else { throw unfit(column, "a signed 64-bit integer") }
            return signed
        case let other: throw mismatch(column, other, "an integer")
        }
    }

    public func uintIfPresent(_ column: String) throws(DatabaseError) -> UInt64? {
        switch try self[column] {
        case .null: return nil
        case .uint(let number): return number
        case .int(let number):
            guard let unsigned = UInt64(exactly: number) else {
                throw unfit(column, "an unsigned 64-bit integer")
            }
            return unsigned
        case let other: throw mismatch(column, other, "an integer")
        }
    }

    public func doubleIfPresent(_ column: String) throws(DatabaseError) -> Double? {
        switch try self[column] {
        case .null: return nil
        case .double(let number): return number
        case let other: throw mismatch(column, other, "a floating-point number")
        }
    }

    public func textIfPresent(_ column: String) throws(DatabaseError) -> String? {
        switch try self[column] {
        case .null: return nil
        case .text(let text): return text
        case let other: throw mismatch(column, other, "text")
        }
    }

    public func bytesIfPresent(_ column: String) throws(DatabaseError) -> [UInt8]? {
        switch try self[column] {
        case .null: return nil
        case .bytes(let bytes): return bytes
        case let other: throw mismatch(column, other, "bytes")
        }
    }

    public func timeIfPresent(_ column: String) throws(DatabaseError) -> Timestamp? {
        switch try self[column] {
        case .null: return nil
        case .time(.impossible):
            throw DatabaseError(.badRow, "column \(column) holds a zero or impossible date")
        case .time(let time): return time
        case let other: throw mismatch(column, other, "a time")
        }
    }

    private func present<Value>(_ column: String, _ value: Value?) throws(DatabaseError) -> Value {
        guard let value else { throw DatabaseError(.badStatement, "column \(column) is NULL") }
        return value
    }

    private func mismatch(_ column: String, _ value: DatabaseValue, _ wanted: String) -> DatabaseError {
        DatabaseError(.badStatement, "column \(column) is \(value.typeName), not \(wanted)")
    }

    private func unfit(_ column: String, _ wanted: String) -> DatabaseError {
        DatabaseError(.badStatement, "the number in column \(column) does not fit \(wanted)")
    }
}
