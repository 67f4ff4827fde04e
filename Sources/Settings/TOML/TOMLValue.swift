// SPDX-License-Identifier: Apache-2.0

/// A value and where it begins.
public struct TOMLValue: Sendable {
    public enum Content: Sendable {
        case string(String)
        case integer(Int64)
        case float(Double)
        case boolean(Bool)
        /// `offset` is in minutes; none for a local date-time.
        case dateTime(TOMLDate, TOMLTime, offset: Int?)
        case date(TOMLDate)
        case time(TOMLTime)
        case array([TOMLValue])
        case table(TOMLTable)
    }

    public var content: Content
    /// In bytes from the start of the file; `TOMLDocument.position(at:)` makes a line and a column of it.
    public var offset: Int

    /// The kind in words, for messages.
    public var kind: String {
        switch content {
        case .string: "a string"
        case .integer: "an integer"
        case .float: "a float"
        case .boolean: "a boolean"
        case .dateTime, .date, .time: "a date or time"
        case .array: "an array"
        case .table: "a table"
        }
    }
}

/// A table: its entries in the order of the file.
public struct TOMLTable: Sendable {
    public struct Entry: Sendable {
        public let key: String
        public let keyOffset: Int
        public let value: TOMLValue
    }

    public let entries: [Entry]
    /// By the key's bytes: `String` takes canonically equivalent spellings for one, TOML does not.
    private let index: [[UInt8]: Int]

    init(_ entries: [Entry], index: [[UInt8]: Int]) {
        self.entries = entries
        self.index = index
    }

    /// The entry called `key`, if there is one.
    public subscript(key: String) -> Entry? {
        index[Array(key.utf8)].map { entries[$0] }
    }
}

/// A day of the proleptic Gregorian calendar, years 0 to 9999.
public struct TOMLDate: Hashable, Sendable {
    public var year: Int
    public var month: Int
    public var day: Int
}

/// A time of day. Second 60 is a leap second, which is not checked against the list of those that happened;
/// what is finer than a nanosecond is cut off.
public struct TOMLTime: Hashable, Sendable {
    public var hour: Int
    public var minute: Int
    public var second: Int
    public var nanosecond: Int
}
