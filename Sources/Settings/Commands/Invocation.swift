// SPDX-License-Identifier: Apache-2.0

/// A command line that was understood: which command, with which options and arguments.
///
/// Options and arguments are asked for by their declared names; asking for one that the command does not have is a
/// mistake in the program.
public struct Invocation: Sendable {
    struct Given: Sendable {
        var texts: [String]
        var origin: SettingsOrigin
    }

    /// The commands below the program, like `["key", "list"]`.
    public let path: [String]
    /// The settings that options override, in the order in which they were given.
    public let overrides: [SettingsOverride]
    /// All options of the command, given or not; a flag has one text each time it is given.
    let options: [String: Given]
    let arguments: [String: [String]]

    // MARK: Options

    public func flag(_ name: String) -> Bool { !texts(name).isEmpty }
    /// How often a flag was given.
    public func count(_ name: String) -> Int { texts(name).count }
    public func text(_ name: String) -> String? { texts(name).last }
    public func texts(_ name: String) -> [String] { option(name).texts }
    public func integer(_ name: String) -> Int? { text(name).flatMap { Int($0) } }
    public func duration(_ name: String) -> Duration? { text(name).flatMap { DurationText.parse($0) } }
    public func size(_ name: String) -> Int? { text(name).flatMap { SizeText.parse($0) } }

    /// Where an option's value comes from.
    public func origin(_ name: String) -> SettingsOrigin { option(name).origin }

    private func option(_ name: String) -> Given {
        guard let given = options[name] else { preconditionFailure("no option --\(name) is declared") }
        return given
    }

    // MARK: Arguments

    public func argument(_ name: String) -> String? { arguments(name).first }

    public func arguments(_ name: String) -> [String] {
        guard let texts = arguments[name] else { preconditionFailure("no argument \(name) is declared") }
        return texts
    }
}
