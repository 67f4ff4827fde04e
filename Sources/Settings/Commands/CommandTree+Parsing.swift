// SPDX-License-Identifier: Apache-2.0

extension CommandTree {
    /// Understands a command line, the program's name left out.
    public func parse(_ words: [String], environment: [String: String] = [:]) throws(UsageError)
        -> CommandOutcome
    {
        var parser = CommandParser(self, words, environment: environment)
        return try parser.parse()
    }
}

/// One walk over the words of a command line.
private struct CommandParser {
    private let words: [String]
    private let environment: [String: String]
    private var place = 0
    /// The commands that were named, the program first.
    private var way: [CommandTree]
    private var given: [String: Invocation.Given] = [:]
    private var overrides: [SettingsOverride] = []
    private var operands: [String] = []
    /// Help or the version: what follows no longer matters.
    private var printed: String?

    init(_ root: CommandTree, _ words: [String], environment: [String: String]) {
        way = [root]
        self.words = words
        self.environment = environment
    }

    private var command: CommandTree { way[way.count - 1] }
    private var options: [CommandOption] { way.flatMap(\.options) }

    mutating func parse() throws(UsageError) -> CommandOutcome {
        var onlyOperands = false
        while printed == nil, place < words.count {
            let word = words[place]
            place += 1
            if onlyOperands {
                try take(operand: word)
            } else if word == "--" {
                onlyOperands = true
            } else if word.hasPrefix("--") {
                try take(long: word.dropFirst(2))
            } else if word.hasPrefix("-"), word != "-" {
                try take(shorts: word.dropFirst())
            } else {
                try take(operand: word)
            }
        }
        if let printed { return .print(printed) }
        return .run(try finish())
    }

    // MARK: Words

    private mutating func take(operand word: String) throws(UsageError) {
        guard operands.isEmpty, !command.commands.isEmpty else {
            operands.append(word)
            return
        }
        if let next = command.commands.first(where: { $0.name == word }) {
            way.append(next)
        } else if word == "help", way.count == 1 {
            try descendForHelp()
        } else {
            throw fail(
                "unknown command \(shownName(word))"
                    + (NearestName.hint(word, among: command.commands.map(\.name)).map { "; \($0)" } ?? ""))
        }
    }

    private mutating func descendForHelp() throws(UsageError) {
        while place < words.count, printed == nil {
            let word = words[place]
            place += 1
            guard word != "--help", word != "-h" else { break }
            guard !command.commands.isEmpty else {
                throw fail("there is no command below it")
            }
            try take(operand: word)
        }
        printed = CommandTree.help(way)
    }

    private mutating func take(long word: Substring) throws(UsageError) {
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let name = String(parts[0])
        let attached = parts.count > 1 ? String(parts[1]) : nil
        let version = name == "version" ? way[0].version : nil
        if name == "help" || version != nil {
            guard attached == nil else { throw fail("--\(name) takes no value") }
            printed = version.map { $0 + "\n" } ?? CommandTree.help(way)
            return
        }
        guard let option = options.first(where: { $0.name == name }) else {
            throw fail(unknown("--" + name))
        }
        if option.value == nil {
            guard attached == nil else { throw fail("--\(name) takes no value") }
            try record(option, "true")
        } else if let attached {
            try record(option, attached)
        } else {
            try record(option, try nextValue(of: "--" + name))
        }
    }

    private mutating func take(shorts: Substring) throws(UsageError) {
        var rest = shorts
        while let letter = rest.popFirst() {
            guard let option = options.first(where: { $0.short == letter }) else {
                if letter == "h" {
                    printed = CommandTree.help(way)
                    return
                }
                throw fail(unknown("-" + String(letter)))
            }
            if option.value == nil {
                try record(option, "true")
            } else {
                try record(option, rest.isEmpty ? try nextValue(of: "-" + String(letter)) : String(rest))
                return
            }
        }
    }

    private mutating func nextValue(of option: String) throws(UsageError) -> String {
        guard place < words.count else { throw fail("\(option) needs a value") }
        let value = words[place]
        guard !value.hasPrefix("-") || value == "-" else {
            throw fail("\(option) needs a value; attach one that begins with a hyphen")
        }
        place += 1
        return value
    }

    private mutating func record(_ option: CommandOption, _ text: String) throws(UsageError) {
        let label = "--" + option.name
        if let refusal = option.value?.kind.refusal(of: text) { throw fail("\(label): \(refusal)") }
        var known = given[option.name] ?? Invocation.Given(texts: [], origin: .argument(label))
        guard known.texts.isEmpty || option.isRepeated else { throw fail("\(label) is given twice") }
        known.texts.append(text)
        given[option.name] = known
        if case .assignment? = option.value?.kind {
            if let override = try? SettingsOverride(assignment: text, option: label) {
                overrides.append(override)
            }
        } else if let setting = option.setting {
            let path = setting.split(separator: ".").map(String.init)
            overrides.append(SettingsOverride(path: path, text: text, option: label))
        }
    }

    // MARK: The end

    private mutating func finish() throws(UsageError) -> Invocation {
        if operands.isEmpty, !command.commands.isEmpty, command.arguments.isEmpty, !command.runsAlone {
            throw fail("a command is missing: " + command.commands.map(\.name).joined(separator: ", "))
        }
        for option in options where given[option.name] == nil {
            given[option.name] = try fallback(of: option)
        }
        return Invocation(
            path: way.dropFirst().map(\.name), overrides: overrides, options: given,
            arguments: try assignOperands())
    }

    private func fallback(of option: CommandOption) throws(UsageError) -> Invocation.Given {
        if let variable = option.variable, let text = environment[variable] {
            guard let kind = option.value?.kind else {
                switch text {
                case "1", "true": return Invocation.Given(texts: ["true"], origin: .variable(variable))
                case "", "0", "false": return Invocation.Given(texts: [], origin: .variable(variable))
                default: throw fail("\(variable): expected true or false")
                }
            }
            if let refusal = kind.refusal(of: text) { throw fail("\(variable): \(refusal)") }
            return Invocation.Given(texts: [text], origin: .variable(variable))
        }
        guard !option.isRequired else {
            throw fail(
                "--\(option.name) is needed" + (option.variable.map { " (or the variable \($0))" } ?? ""))
        }
        return Invocation.Given(texts: option.fallback.map { [$0] } ?? [], origin: .builtIn)
    }

    /// Each argument takes as many words as it may, but leaves the later ones those that they need.
    private func assignOperands() throws(UsageError) -> [String: [String]] {
        var needed = 0
        for argument in command.arguments {
            needed += argument.count.lowerBound
            guard needed <= operands.count else { throw fail("\(argument.name) is missing") }
        }
        var rest = operands[...]
        var assigned: [String: [String]] = [:]
        for argument in command.arguments {
            needed -= argument.count.lowerBound
            let count = min(argument.count.upperBound, rest.count - needed)
            let texts = rest.prefix(count)
            for text in texts {
                if let refusal = argument.kind.refusal(of: text) {
                    throw fail("\(argument.name): \(refusal)")
                }
            }
            assigned[argument.name] = Array(texts)
            rest = rest.dropFirst(count)
        }
        guard rest.isEmpty else {
            throw fail(
                command.arguments.isEmpty
                    ? "it takes no arguments" : "there are more arguments than it takes")
        }
        return assigned
    }

    // MARK: Errors

    private func fail(_ problem: String) -> UsageError {
        UsageError(way.map(\.name).joined(separator: " "), problem)
    }

    /// The option is known elsewhere, is a secret, or is misspelt.
    private func unknown(_ option: String) -> String {
        let name = String(option.drop { $0 == "-" })
        let text = "unknown option \(shownName(option))"
        if options.contains(where: { $0.name == name + "-file" }) {
            return text + "; a secret is never an argument, write it to a file and use --\(name)-file"
        }
        let names = options.map { "--" + $0.name } + ["--help"] + (way[0].version == nil ? [] : ["--version"])
        if option.hasPrefix("--"), let hint = NearestName.hint(option, among: names) {
            return text + "; " + hint
        }
        let owner = command.walk(Array(way.dropLast())).first { way in
            way.last?.options.contains { "--" + $0.name == option || $0.short.map { "-\($0)" } == option }
                == true
        }
        guard let owner else { return text }
        return text + "; it belongs behind `\(owner.map(\.name).joined(separator: " "))`"
    }
}
