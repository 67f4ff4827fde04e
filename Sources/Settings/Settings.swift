// SPDX-License-Identifier: Apache-2.0

public import Diagnostics

/// Settings turns TOML files, environment variables and arguments into typed, validated values, and one declarative
/// table of commands into a parser, its help and its completion.
///
/// It refuses what it does not know: an unknown key, variable or option is an error that names its place and the
/// nearest known name, and all errors of the settings are reported at once. It refuses secrets: a setting names the
/// file that holds one, so that settings may be printed, logged and compared.
///
/// ```swift
/// let sources = SettingsSources(
///     files: [try SettingsFile.load("/etc/signet/server.toml")].compactMap { $0 }, environment: environment)
/// let (database, report) = try sources.read { settings in
///     let section = settings.section("database")
///     return Database(
///         host: section.required("host", .string),
///         port: section.value("port", .integer(in: 1...65535), default: 3306),
///         password: section.required("password_file", .path),
///         timeout: section.value("timeout", .duration, default: .seconds(5)))
/// }
/// print(report.text(origins: true))
/// ```
///
/// What is wrong with the settings: every problem that was found, each with its place and its remedy.
public struct SettingsError: CodedError, Hashable, CustomStringConvertible {
    public let problems: [SettingsProblem]

    init(_ problems: [SettingsProblem]) {
        self.problems = problems
    }

    init(_ code: ErrorCode, _ origin: SettingsOrigin?, _ text: String) {
        problems = [SettingsProblem(code: code, origin: origin, text: text)]
    }

    /// That of the problems, when they agree.
    public var code: ErrorCode {
        guard let first = problems.first, problems.allSatisfy({ $0.code == first.code }) else {
            return .badConfiguration
        }
        return first.code
    }

    /// One line a problem.
    public var message: String { problems.map(\.description).joined(separator: "\n") }
    public var description: String { message }
}

/// One thing that is wrong with the settings. It names settings and places, never the text of a value.
public struct SettingsProblem: Hashable, Sendable, CustomStringConvertible {
    public let code: ErrorCode
    /// None for a setting that is missing everywhere.
    public let origin: SettingsOrigin?
    /// The setting, what is wrong, and the remedy.
    public let text: String

    init(code: ErrorCode, origin: SettingsOrigin?, text: String) {
        self.code = code
        self.origin = origin
        self.text = text
    }

    public var description: String { (origin.map { "\($0): " } ?? "") + text }
}

/// Where a setting's value comes from; in the order of precedence, the strongest first.
public enum SettingsOrigin: Hashable, Sendable, CustomStringConvertible {
    /// An option, without its value: `--set database.port`.
    case argument(String)
    case variable(String)
    case file(String, TOMLPosition)
    case builtIn

    public var description: String {
        switch self {
        case .argument(let option): option
        case .variable(let name): name
        case .file(let path, let position): "\(path):\(position)"
        case .builtIn: "default"
        }
    }
}
