// SPDX-License-Identifier: Apache-2.0

/// How much a log line matters.
public enum LogLevel: UInt8, CaseIterable, Comparable, Sendable {
    /// For those who work on the program.
    case debug
    /// What happens in the ordinary course of things.
    case info
    /// Something is wrong that the program can live with for now.
    case warning
    /// Something was not done that should have been.
    case error

    public static func < (one: LogLevel, other: LogLevel) -> Bool { one.rawValue < other.rawValue }

    /// `nil` unless `name` is one of `debug`, `info`, `warning`, `error`.
    public init?(name: String) {
        guard let level = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = level
    }

    public var name: String {
        switch self {
        case .debug: "debug"
        case .info: "info"
        case .warning: "warning"
        case .error: "error"
        }
    }
}
