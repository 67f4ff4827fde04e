// SPDX-License-Identifier: Apache-2.0

/// The value of an attribute of a log line. It can be made of public kinds alone.
///
/// A `String` has no way in without a reason, an interpolated literal does not compile, and bytes leave nothing but
/// their number.
public struct LogValue: Sendable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByFloatLiteral
{
    enum Kind: Sendable {
        case signed(Int64)
        case unsigned(UInt64)
        case number(Double)
        case flag(Bool)
        case fixed(StaticString)
        case text(String)
    }

    let kind: Kind

    public init(stringLiteral text: StaticString) { kind = .fixed(text) }
    public init(integerLiteral value: Int64) { kind = .signed(value) }
    public init(booleanLiteral value: Bool) { kind = .flag(value) }
    public init(floatLiteral value: Double) { kind = .number(value) }

    private init(_ kind: Kind) { self.kind = kind }

    public static func fixed(_ text: StaticString) -> LogValue { LogValue(.fixed(text)) }
    public static func integer(_ value: Int) -> LogValue { LogValue(.signed(Int64(value))) }
    public static func integer(_ value: Int64) -> LogValue { LogValue(.signed(value)) }
    public static func integer(_ value: UInt64) -> LogValue { LogValue(.unsigned(value)) }
    public static func integer(_ value: Int32) -> LogValue { LogValue(.signed(Int64(value))) }
    public static func number(_ value: Double) -> LogValue { LogValue(.number(value)) }
    public static func flag(_ value: Bool) -> LogValue { LogValue(.flag(value)) }

    /// In seconds.
    public static func duration(_ value: Duration) -> LogValue {
        let parts = value.components
        return LogValue(.number(Double(parts.seconds) + Double(parts.attoseconds) * 1e-18))
    }

    /// Text from outside the program that everybody who reads the log may see. `reason` is for the reviewer: why it
    /// can be neither a secret nor a payload.
    public static func `public`(_ text: String, because reason: StaticString) -> LogValue {
        LogValue(.text(text))
    }

    /// What an error says to users, which holds no secret by its contract.
    public static func error(_ error: some CodedError) -> LogValue {
        LogValue(.text(error.code.id + ": " + error.message))
    }

    public static func code(_ code: ErrorCode) -> LogValue { LogValue(.text(code.id)) }

    /// Bytes that must not be seen: only their number is kept.
    public static func redacted(_ bytes: [UInt8]) -> LogValue { redacted(count: bytes.count) }
    public static func redacted(_ bytes: Span<UInt8>) -> LogValue { redacted(count: bytes.count) }
    public static func redacted(count: Int) -> LogValue { LogValue(.text("<redacted \(count) bytes>")) }
}

/// The attributes of a log line, in the order in which they are written.
public typealias LogAttributes = KeyValuePairs<StaticString, LogValue>
