// SPDX-License-Identifier: Apache-2.0

extension CommandTree {
    /// What is wrong with the table itself; each program's tests demand that there is nothing.
    public func faults() -> [String] {
        walk().flatMap { way -> [String] in
            guard let command = way.last else { return [] }
            let name = way.map(\.name).joined(separator: " ")
            let found =
                command.faultsOfNames(below: way.dropLast().flatMap(\.options)) + command.faultsOfArguments()
                + command.faultsOfExamples(way) + faultsOfHelp(way)
            return found.map { "\(name): \($0)" }
        }
    }

    private func faultsOfNames(below inherited: [CommandOption]) -> [String] {
        var faults: [String] = []
        if !SettingsSources.isPlain(name) || name.contains("_") { faults.append("the name is not plain") }
        if summary.isEmpty || summary.count > 58 || summary.hasSuffix(".") {
            faults.append("the summary is no phrase of at most 58 characters")
        }
        if Set(commands.map(\.name)).count != commands.count { faults.append("two commands have one name") }
        var names: Set<String> = Set(["help", "version"] + inherited.map(\.name))
        var shorts: Set<Character> = Set(["h"] + inherited.compactMap(\.short))
        for option in options {
            let label = "--\(option.name)"
            if !SettingsSources.isPlain(option.name) || option.name.contains("_") {
                faults.append("\(label) is not plain")
            }
            if !names.insert(option.name).inserted { faults.append("\(label) is taken") }
            if let short = option.short, !shorts.insert(short).inserted {
                faults.append("-\(short) is taken")
            }
            if option.summary.isEmpty || option.summary.hasSuffix(".") {
                faults.append("\(label): the summary is no phrase")
            }
            if let fallback = option.fallback, let refusal = option.value?.kind.refusal(of: fallback) {
                faults.append("\(label): its default: \(refusal)")
            }
            if option.fallback != nil, option.isRequired {
                faults.append("\(label) is needed and has a default")
            }
            if option.isRepeated, option.setting != nil {
                faults.append("\(label) overrides a setting repeatedly")
            }
        }
        return faults
    }

    private func faultsOfArguments() -> [String] {
        var faults: [String] = []
        if !commands.isEmpty, !arguments.isEmpty {
            faults.append("commands and arguments exclude one another")
        }
        if Set(arguments.map(\.name)).count != arguments.count {
            faults.append("two arguments have one name")
        }
        for (argument, next) in zip(arguments, arguments.dropFirst())
        where argument.count.lowerBound != argument.count.upperBound && next.count != 1...1 {
            faults.append("\(argument.name) and \(next.name) cannot be told apart")
        }
        return faults
    }

    /// Each command without commands below has an example, and each example runs it.
    private func faultsOfExamples(_ way: [CommandTree]) -> [String] {
        var faults: [String] = []
        if commands.isEmpty, examples.isEmpty { faults.append("there is no example") }
        for example in examples {
            let words = Self.words(of: example.line)
            guard let root = way.first, words.first == root.name else {
                faults.append("an example of another program: \(example.line)")
                continue
            }
            do throws(UsageError) {
                let outcome = try root.parse(Array(words.dropFirst()))
                guard case .run(let invocation) = outcome else { continue }
                if !invocation.path.starts(with: way.dropFirst().map(\.name)) {
                    faults.append("an example of another command: \(example.line)")
                }
            } catch {
                faults.append("an example that fails: \(error.message)")
            }
        }
        return faults
    }

    private func faultsOfHelp(_ way: [CommandTree]) -> [String] {
        Self.help(way).split(separator: "\n").filter { $0.count > Self.helpWidth }
            .map { "a line of help is too long: \($0)" }
    }

    /// The words of a simple command line of a shell: blanks separate, quotes hold together, `|`, `<`, `>` and `&`
    /// end it.
    private static func words(of line: String) -> [String] {
        var words: [String] = []
        var word: String?
        var quote: Character?
        for letter in line {
            if let open = quote {
                if letter == open { quote = nil } else { word?.append(letter) }
            } else if letter == "'" || letter == "\"" {
                quote = letter
                word = word ?? ""
            } else if "|<>&;".contains(letter) {
                break
            } else if letter == " " {
                if let done = word { words.append(done) }
                word = nil
            } else {
                word = (word ?? "") + String(letter)
            }
        }
        return words + (word.map { [$0] } ?? [])
    }
}
