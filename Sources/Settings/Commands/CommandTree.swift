// SPDX-License-Identifier: Apache-2.0

/// A program or one of its commands: the one table from which the command line is parsed, help is written and
/// completion is made.
///
/// ```swift
/// let signet = CommandTree(
///     "signet", "sign and verify what a build farm makes", version: "signet 0.1.0",
///     options: [.value("server", "ADDRESS", "data-server to talk to", setting: "server.address"), .set],
///     commands: [
///         CommandTree(
///             "sign", "sign files and directories",
///             options: [.value("key", short: "k", "NAME", "key to sign with", isRequired: true)],
///             arguments: [CommandArgument("PATH", "what to sign", .file, count: 1 ... .max)],
///             examples: [CommandExample("Sign a package in place", "signet sign -k release bash.rpm")])
///     ])
/// switch try signet.parse(arguments, environment: environment) {
/// case .print(let text): print(text, terminator: "")
/// case .run(let invocation): ...
/// }
/// ```
///
/// The grammar that it parses:
///
/// ```text
/// line    = *word              the words behind the program's name
/// word    = command            the next command of the tree, until one without commands is reached
///         / "--" name [ "=" value / SP value ]
///         / "-" *flag [ short [ value / SP value ] ]
///         / "--"               everything behind it is an argument
///         / argument           also "-"
/// ```
///
/// Options may stand anywhere behind the command that declares them, between arguments too. A value in a word of its
/// own does not begin with `-`, unless it is `-`. `--help`, `-h`, `help COMMAND...` and, with a version, `--version`
/// are there without being declared.
public struct CommandTree: Sendable {
    public var name: String
    /// What it does, in a phrase of at most 58 characters without a full stop, like "list the keys that you may use".
    public var summary: String
    /// Paragraphs for the help.
    public var details: [String]
    /// What `--version` prints; at the root alone.
    public var version: String?
    /// Its own options, which all commands below it take too.
    public var options: [CommandOption]
    public var arguments: [CommandArgument]
    public var examples: [CommandExample]
    public var commands: [CommandTree]
    /// Whether it does something without one of its commands.
    public var runsAlone: Bool

    public init(
        _ name: String, _ summary: String, details: [String] = [], version: String? = nil,
        options: [CommandOption] = [], arguments: [CommandArgument] = [], examples: [CommandExample] = [],
        commands: [CommandTree] = [], runsAlone: Bool = false
    ) {
        self.name = name
        self.summary = summary
        self.details = details
        self.version = version
        self.options = options
        self.arguments = arguments
        self.examples = examples
        self.commands = commands
        self.runsAlone = runsAlone
    }

    /// Each command from the root down, with the way to it: the root first, itself last.
    func walk(_ above: [CommandTree] = []) -> [[CommandTree]] {
        let way = above + [self]
        return [way] + commands.flatMap { $0.walk(way) }
    }
}

/// A command line that works, and what it is good for.
public struct CommandExample: Sendable {
    /// A phrase, like "Sign all packages of a folder".
    public var purpose: String
    public var line: String

    public init(_ purpose: String, _ line: String) {
        self.purpose = purpose
        self.line = line
    }
}

/// What was asked for.
public enum CommandOutcome: Sendable {
    case run(Invocation)
    /// Help or the version, for standard output.
    case print(String)
}
