// SPDX-License-Identifier: Apache-2.0

extension CommandTree {
    static let helpWidth = 80

    /// The help of the command reached by these names, in 80 columns.
    public func help(_ path: [String] = []) -> String? {
        var way = [self]
        for name in path {
            guard let next = way[way.count - 1].commands.first(where: { $0.name == name }) else { return nil }
            way.append(next)
        }
        return Self.help(way)
    }

    /// The help of the last command of a way from the root.
    static func help(_ way: [CommandTree]) -> String {
        guard let command = way.last, let root = way.first else { return "" }
        let name = way.map(\.name).joined(separator: " ")
        var lines = wrap("\(name) - \(command.summary)", indent: 0)
        lines += [""] + wrap("Usage: " + usage(command, name), indent: 0, hanging: 7)
        for paragraph in command.details { lines += [""] + wrap(paragraph, indent: 0) }
        lines += section("Commands", command.commands.map { ($0.name, $0.summary) })
        lines += section("Arguments", command.arguments.map { (shown($0), summary(of: $0)) })
        var own = command.options.map { (shown($0), summary(of: $0)) }
        own.append(("-h, --help", "show this help"))
        if way.count == 1, root.version != nil { own.append(("    --version", "show the version")) }
        lines += section("Options", own)
        lines += section(
            "Options of every command",
            way.dropLast().flatMap(\.options).map { (shown($0), summary(of: $0)) })
        let examples = command.shownExamples
        if !examples.isEmpty {
            lines += ["", "Examples:"]
            for example in examples {
                lines += wrap(example.purpose + ":", indent: 2) + ["    " + example.line]
            }
        }
        if !command.commands.isEmpty {
            lines += [""] + wrap("`\(name) COMMAND --help` tells more about a command.", indent: 0)
        }
        return lines.map { $0 + "\n" }.joined()
    }

    /// Its own; a group of commands borrows the first of each of its first commands.
    private var shownExamples: [CommandExample] {
        if !examples.isEmpty { return examples }
        return Array(commands.compactMap(\.shownExamples.first).prefix(3))
    }

    private static func usage(_ command: CommandTree, _ name: String) -> String {
        var parts = [name]
        parts += command.options.filter(\.isRequired).map { "--\($0.name) \($0.value?.name ?? "")" }
        parts.append("[OPTION...]")
        if !command.commands.isEmpty { parts.append(command.runsAlone ? "[COMMAND]" : "COMMAND") }
        parts += command.arguments.map { $0.count.lowerBound == 0 ? "[\(shown($0))]" : shown($0) }
        return parts.joined(separator: " ")
    }

    private static func shown(_ argument: CommandArgument) -> String {
        argument.name + (argument.count.upperBound > 1 ? "..." : "")
    }

    private static func shown(_ option: CommandOption) -> String {
        let short = option.short.map { "-\($0), " } ?? "    "
        return short + "--\(option.name)" + (option.value.map { " \($0.name)" } ?? "")
    }

    private static func summary(of argument: CommandArgument) -> String {
        argument.summary + remarks(words(argument.kind))
    }

    private static func summary(of option: CommandOption) -> String {
        var notes = option.value.map { words($0.kind) } ?? []
        if let fallback = option.fallback { notes.append("default \(fallback)") }
        if option.isRequired { notes.append("needed") }
        if option.isRepeated { notes.append("may be repeated") }
        if let variable = option.variable { notes.append("variable \(variable)") }
        if let setting = option.setting { notes.append("setting \(setting)") }
        return option.summary + remarks(notes)
    }

    private static func words(_ kind: CommandValue) -> [String] {
        switch kind {
        case .choice(let words): [words.joined(separator: ", ")]
        case .integer(let range) where range.upperBound < .max: ["\(range.lowerBound) to \(range.upperBound)"]
        case .duration: ["like 1h30m"]
        case .size: ["like 4MiB"]
        default: []
        }
    }

    private static func remarks(_ notes: [String]) -> String {
        notes.isEmpty ? "" : " (" + notes.joined(separator: "; ") + ")"
    }

    // MARK: Layout

    /// A heading and rows of two columns; a long left side gets a line of its own.
    private static func section(_ heading: String, _ rows: [(String, String)]) -> [String] {
        guard !rows.isEmpty else { return [] }
        let column = 2 + (rows.map(\.0.count).filter { $0 <= 24 }.max() ?? 22) + 2
        var lines = ["", heading + ":"]
        for (left, right) in rows {
            let text = wrap(right, indent: column)
            if left.count <= 24 {
                let padding = String(repeating: " ", count: column - 2 - left.count)
                lines.append("  " + left + padding + (text.first ?? "").dropFirst(column))
                lines += text.dropFirst()
            } else {
                lines += ["  " + left] + text
            }
        }
        return lines
    }

    /// Lines of at most 80 characters, broken at blanks; `hanging` is the indent from the second line on.
    private static func wrap(_ text: String, indent: Int, hanging: Int? = nil) -> [String] {
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ") {
            if !line.isEmpty, line.count + 1 + word.count > helpWidth {
                lines.append(line)
                line = ""
            }
            let margin = String(repeating: " ", count: lines.isEmpty ? indent : hanging ?? indent)
            line += line.isEmpty ? margin + word : " " + word
        }
        return lines + [line]
    }
}
