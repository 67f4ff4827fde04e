// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics

/// What one pass over the settings learns: the names that were asked for, the values found, and the problems.
final class SettingsReading {
    let sources: SettingsSources
    private(set) var entries: [SettingsReport.Entry] = []
    private var problems: [SettingsProblem] = []
    /// How many problems are kept; nobody reads more, and a hostile file has a hundred thousand.
    private static let limit = 100
    private var omitted = 0
    private let known = KnownNames()
    /// Whose variable is whose.
    private var claims: [String: [String]] = [:]
    private var askedFor: Set<[String]> = []
    var ignored: [[String]] = []

    init(_ sources: SettingsSources) {
        self.sources = sources
    }

    func root() -> SettingsReader {
        let scopes = sources.files.reversed().map {
            SettingsReader.Scope(file: $0, table: $0.document.root, offset: 0)
        }
        return SettingsReader(path: [], reading: self, known: known, scopes: scopes, isNamed: true)
    }

    func note(_ path: [String], _ shown: String?, _ origin: SettingsOrigin) {
        entries.append(SettingsReport.Entry(path: path, shown: shown, origin: origin))
    }

    func problem(_ code: ErrorCode, _ origin: SettingsOrigin?, _ text: String) {
        guard problems.count < Self.limit else {
            omitted += 1
            return
        }
        problems.append(SettingsProblem(code: code, origin: origin, text: text))
    }

    /// The last one given for a setting.
    func override(of path: [String]) -> SettingsOverride? {
        askedFor.insert(path)
        return sources.overrides.last { $0.path == path }
    }

    func claim(_ variable: String, for path: [String]) {
        if let other = claims.updateValue(path, forKey: variable), other != path,
            sources.environment[variable] != nil
        {
            problem(
                .settingInvalid, .variable(variable),
                "stands for both `\(shownPath(other))` and `\(shownPath(path))`; use --set instead")
        }
    }

    // MARK: The end

    /// What was given and never asked for.
    func findUnknown() {
        for file in sources.files { findUnknown(in: file.document.root, known, path: [], file: file) }
        let places = askedFor.map(shownPath)
        for override in sources.overrides where !askedFor.contains(override.path) && !isIgnored(override.path)
        {
            let place = shownPath(override.path)
            unknown(.argument(override.option), place, near: places)
        }
        let variables = claims.keys.filter { $0.contains("__") }
        for variable in sources.environment.keys.sorted()
        where variable.hasPrefix(sources.variablePrefix + "_") && variable.contains("__")
            && claims[variable] == nil && !isIgnored(variable)
        {
            unknown(.variable(variable), variable, near: variables)
        }
    }

    private func findUnknown(in table: TOMLTable, _ names: KnownNames, path: [String], file: SettingsFile) {
        for entry in table.entries {
            let place = path + [entry.key]
            switch (names[entry.key], entry.value.content) {
            case (nil, _):
                unknown(file.origin(at: entry.keyOffset), entry.key, in: path, near: names.all)
            case (.section(let inner), .table(let table)):
                findUnknown(in: table, inner, path: place, file: file)
            case (.list(let inner), .array(let values)):
                for case .table(let table) in values.map(\.content) {
                    findUnknown(in: table, inner, path: place, file: file)
                }
            default: break
            }
        }
    }

    private func unknown(
        _ origin: SettingsOrigin, _ name: String, in path: [String] = [], near known: [String]
    ) {
        guard problems.count < Self.limit else {
            omitted += 1
            return
        }
        for secretFile in [name + "_file", name + "-file", name + "_FILE"] where known.contains(secretFile) {
            return problem(
                .settingSecret, origin,
                "\(shownName(name)) would be a secret, and a secret is never a value; "
                    + "write it to a file of mode 0600 and name the file in `\(secretFile)`")
        }
        let place = path.isEmpty ? "" : " in [\(shownPath(path))]"
        let hint = NearestName.hint(name, among: known.sorted()) ?? "remove it, or check its spelling"
        problem(.settingUnknown, origin, "unknown setting \(shownName(name))\(place); \(hint)")
    }

    private func isIgnored(_ path: [String]) -> Bool {
        ignored.contains { path.starts(with: $0) }
    }

    private func isIgnored(_ variable: String) -> Bool {
        ignored.contains { sources.variable(of: $0).map { variable.hasPrefix($0 + "__") } ?? false }
    }

    /// All problems: those of files in the order of the files' lines, then the others.
    func error() -> SettingsError? {
        guard !problems.isEmpty else { return nil }
        let paths = sources.files.map(\.path)
        func rank(_ problem: SettingsProblem) -> (Int, Int, Int) {
            guard case .file(let path, let position) = problem.origin else { return (paths.count, 0, 0) }
            return (paths.firstIndex(of: path) ?? 0, position.line, position.column)
        }
        let ranked = problems.enumerated().sorted { one, other in
            let ranks = (rank(one.element), rank(other.element))
            return ranks.0 == ranks.1 ? one.offset < other.offset : ranks.0 < ranks.1
        }
        let more = SettingsProblem(
            code: .badConfiguration, origin: nil, text: "there are \(omitted) more problems; mend these first"
        )
        return SettingsError(ranked.map(\.element) + (omitted > 0 ? [more] : []))
    }
}

/// The names of a section that were asked for.
final class KnownNames {
    enum Name {
        case value
        case section(KnownNames)
        case list(KnownNames)
        case ignored
    }

    private var names: [String: Name] = [:]

    subscript(name: String) -> Name? { names[name] }
    var all: [String] { Array(names.keys) }

    func value(_ name: String) { names[name] = .value }
    func ignore(_ name: String) { names[name] = .ignored }

    func section(_ name: String) -> KnownNames {
        if case .section(let inner) = names[name] { return inner }
        let inner = KnownNames()
        names[name] = .section(inner)
        return inner
    }

    /// One set for all elements.
    func list(_ name: String) -> KnownNames {
        if case .list(let inner) = names[name] { return inner }
        let inner = KnownNames()
        names[name] = .list(inner)
        return inner
    }
}
