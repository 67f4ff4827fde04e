// SPDX-License-Identifier: Apache-2.0

/// A parameter of a statement, or a field of a row.
public enum DatabaseValue: Hashable, Sendable {
    case null
    case int(Int64)
    case uint(UInt64)
    case double(Double)
    /// Text columns, and DECIMAL, DATE, TIME and JSON as the server writes them.
    case text(String)
    /// BINARY and BLOB columns.
    case bytes([UInt8])
    /// DATETIME and TIMESTAMP columns, in UTC to the microsecond.
    case time(Timestamp)

    /// `.null` for `nil`.
    public static func text(ifPresent text: String?) -> DatabaseValue { text.map { .text($0) } ?? .null }
    public static func bytes(ifPresent bytes: [UInt8]?) -> DatabaseValue { bytes.map { .bytes($0) } ?? .null }
    public static func time(ifPresent time: Timestamp?) -> DatabaseValue { time.map { .time($0) } ?? .null }
    public static func uint(ifPresent number: UInt64?) -> DatabaseValue { number.map { .uint($0) } ?? .null }
    public static func int(ifPresent number: Int64?) -> DatabaseValue { number.map { .int($0) } ?? .null }

    var typeName: String {
        switch self {
        case .null: "NULL"
        case .int: "a signed integer"
        case .uint: "an unsigned integer"
        case .double: "a floating-point number"
        case .text: "text"
        case .bytes: "bytes"
        case .time: "a time"
        }
    }
}
