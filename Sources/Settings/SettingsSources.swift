// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics

/// Everything that settings are made of, the strongest last: files (system before user), environment variables,
/// arguments.
///
/// A setting has one place: its sections and its name, `data-server.tls.port`. Tables of several files are laid over
/// one another key by key; a list, also one of tables, is taken whole from the strongest source that has it.
///
/// **Environment.** The variable of a setting is `SIGNET_` and the parts of its place in capitals, `-` written as `_`,
/// joined by `__`: `data-server.tls.port` is `SIGNET_DATA_SERVER__TLS__PORT`. Names of settings consist of small
/// letters, digits, and single `-` and `_` inside, so each has exactly one variable; should two settings share one
/// (`a-b` and `a_b`), setting it is an error. A section whose name the file chose otherwise ("Main", "a.b") has no
/// variables. An unknown variable with `__` is an error like an unknown key; one without is taken for somebody else's.
///
/// **Text.** Variables and arguments are text and are read as the kind of the setting: `3306`, `true`, `90d`, `4MiB`.
/// A list is separated by commas, or written as a TOML array when it begins with `[`.
public struct SettingsSources: Sendable {
    /// The weakest first.
    public var files: [SettingsFile]
    public var environment: [String: String]
    /// The last of several for one setting counts.
    public var overrides: [SettingsOverride]
    public var variablePrefix: String

    public init(
        files: [SettingsFile] = [], environment: [String: String] = [:], overrides: [SettingsOverride] = [],
        variablePrefix: String = "SIGNET"
    ) {
        self.files = files
        self.environment = environment
        self.overrides = overrides
        self.variablePrefix = variablePrefix
    }

    /// Decodes all settings at once. What `decode` asks for is what is known; after a problem it is handed
    /// placeholders, and the error with all problems is thrown in place of what it made.
    public func read<Value>(_ decode: (SettingsReader) -> Value) throws(SettingsError) -> (
        value: Value, report: SettingsReport
    ) {
        let reading = SettingsReading(self)
        let value = decode(reading.root())
        reading.findUnknown()
        if let error = reading.error() { throw error }
        return (value, SettingsReport(entries: reading.entries))
    }

    /// The variable of a setting, if it can have one.
    func variable(of path: [String]) -> String? {
        guard path.allSatisfy(Self.isPlain) else { return nil }
        let parts = path.map { $0.uppercased().replacingHyphens() }
        return variablePrefix + "_" + parts.joined(separator: "__")
    }

    /// Small letters, digits, and single `-` and `_` inside.
    static func isPlain(_ name: String) -> Bool {
        var afterMark = true
        for byte in name.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                afterMark = false
            case UInt8(ascii: "-"), UInt8(ascii: "_"):
                if afterMark { return false }
                afterMark = true
            default: return false
            }
        }
        return !afterMark
    }
}

/// The settings in force and where each comes from.
public struct SettingsReport: Sendable {
    public struct Entry: Sendable {
        public let path: [String]
        /// As TOML writes it; nil for an optional setting that is not set.
        public let shown: String?
        public let origin: SettingsOrigin
    }

    public let entries: [Entry]

    /// One line a setting, in the order in which they were read.
    public func text(origins: Bool = false) -> String {
        let lines = entries.map { entry in
            let place = shownPath(entry.path)
            let line = entry.shown.map { "\(place) = \($0)" } ?? "# \(place) is not set"
            return origins && entry.shown != nil ? "\(line)  # \(entry.origin)" : line
        }
        return lines.map { $0 + "\n" }.joined()
    }
}

extension String {
    fileprivate func replacingHyphens() -> String {
        String(decoding: utf8.map { $0 == UInt8(ascii: "-") ? UInt8(ascii: "_") : $0 }, as: UTF8.self)
    }
}
