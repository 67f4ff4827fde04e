// SPDX-License-Identifier: Apache-2.0

/// An option of a command: a flag, or one with a value.
///
/// Secrets are never on the command line, where other users can read them: an option whose name announces one cannot
/// be declared with a value other than a file, `--token-file FILE`.
public struct CommandOption: Sendable {
    /// Without the hyphens.
    public var name: String
    public var short: Character?
    public var summary: String
    /// The value's name in the help, like "NAME", and its kind; nil for a flag.
    public var value: (name: String, kind: CommandValue)?
    public var isRepeated: Bool
    public var isRequired: Bool
    /// What holds when it is given nowhere.
    public var fallback: String?
    /// The variable that is taken when the option is not given.
    public var variable: String?
    /// The setting that it overrides, like "server.address".
    public var setting: String?

    public static func flag(
        _ name: String, short: Character? = nil, _ summary: String, isRepeated: Bool = false,
        variable: String? = nil, setting: String? = nil
    ) -> CommandOption {
        CommandOption(
            name: name, short: short, summary: summary, isRepeated: isRepeated, isRequired: false,
            variable: variable, setting: setting)
    }

    public static func value(
        _ name: String, short: Character? = nil, _ valueName: String, _ summary: String,
        _ kind: CommandValue = .text, isRepeated: Bool = false, isRequired: Bool = false,
        fallback: String? = nil, variable: String? = nil, setting: String? = nil
    ) -> CommandOption {
        precondition(
            !(kind.isFreeText && LiteralSecret.isAnnounced(by: name)),
            "--\(name): a secret is never an argument; declare --\(name)-file")
        return CommandOption(
            name: name, short: short, summary: summary, value: (valueName, kind), isRepeated: isRepeated,
            isRequired: isRequired, fallback: fallback, variable: variable, setting: setting)
    }

    /// `--set SECTION.KEY=VALUE`, which overrides any setting.
    public static let set = value(
        "set", "SECTION.KEY=VALUE", "override a setting", .assignment, isRepeated: true)
}

/// An argument of a command, told apart from the others by its place.
public struct CommandArgument: Sendable {
    /// In the help and for `Invocation`, like "FILE".
    public var name: String
    public var summary: String
    public var kind: CommandValue
    public var count: ClosedRange<Int>

    public init(
        _ name: String, _ summary: String, _ kind: CommandValue = .text, count: ClosedRange<Int> = 1...1
    ) {
        self.name = name
        self.summary = summary
        self.kind = kind
        self.count = count
    }
}

/// What a value on the command line may be; it decides the check and the completion.
public enum CommandValue: Sendable {
    case text
    case choice([String])
    case integer(ClosedRange<Int>)
    case duration
    case size
    case file
    case folder
    /// `section.key=value`
    case assignment
    /// Any text; the program, called with these arguments, prints what can be proposed, one a line.
    case proposed([String])

    var isFreeText: Bool {
        switch self {
        case .text, .proposed: true
        default: false
        }
    }

    /// What was expected instead, if `text` does not do. The text itself is never shown.
    func refusal(of text: String) -> String? {
        switch self {
        case .text, .proposed: return nil
        case .choice(let words):
            if words.contains(text) { return nil }
            return "expected one of " + words.joined(separator: ", ")
                + (NearestName.hint(text, among: words).map { "; \($0)" } ?? "")
        case .integer(let range):
            if let number = Int(text), range.contains(number) { return nil }
            return "expected an integer"
                + (range.upperBound == .max
                    ? " of at least \(range.lowerBound)" : " from \(range.lowerBound) to \(range.upperBound)")
        case .duration:
            return DurationText.parse(text) == nil ? "expected a duration such as 90d, 1h30m or 500ms" : nil
        case .size: return SizeText.parse(text) == nil ? "expected a size such as 64KiB or 4MiB" : nil
        case .file, .folder: return text.isEmpty ? "expected a path" : nil
        case .assignment:
            do throws(SettingsError) {
                _ = try SettingsOverride(assignment: text)
                return nil
            } catch {
                return error.problems.first?.text
            }
        }
    }
}
