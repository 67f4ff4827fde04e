// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics

/// One section of the settings, read name by name; made by `SettingsSources.read`.
///
/// Asking for a name makes it known, so a decoder asks for all its names whatever it finds. A name is asked for as
/// it stands in the file: small letters, digits, and single `-` and `_` inside.
public struct SettingsReader {
    /// This section's table in one file.
    struct Scope {
        let file: SettingsFile
        let table: TOMLTable
        let offset: Int
    }

    /// From the outermost section to this one.
    public let path: [String]
    let reading: SettingsReading
    let known: KnownNames
    /// The strongest first.
    let scopes: [Scope]
    /// Whether variables and arguments reach in here; not into the elements of a list of tables.
    let isNamed: Bool

    // MARK: Values

    /// A setting without which the program cannot run.
    public func required<Value>(_ name: String, _ kind: SettingKind<Value>) -> Value {
        if let value = given(name, kind) { return value.decoded ?? kind.placeholder }
        reading.note(path + [name], nil, .builtIn)
        reading.problem(
            .settingMissing, scopes.first.map { $0.file.origin(at: $0.offset) }, missing(name, kind))
        return kind.placeholder
    }

    /// A setting with a default.
    public func value<Value>(_ name: String, _ kind: SettingKind<Value>, default: Value) -> Value {
        if let value = given(name, kind) { return value.decoded ?? kind.placeholder }
        reading.note(path + [name], kind.show(`default`), .builtIn)
        return `default`
    }

    /// A setting that may be absent.
    public func optional<Value>(_ name: String, _ kind: SettingKind<Value>) -> Value? {
        if let value = given(name, kind) { return value.decoded ?? kind.placeholder }
        reading.note(path + [name], nil, .builtIn)
        return nil
    }

    /// Refuses a value that is of its kind and still wrong; `reason` ends with the remedy.
    public func refuse(_ name: String, because reason: String) {
        let origin = find(name)?.origin ?? scopes.first.map { $0.file.origin(at: $0.offset) }
        reading.problem(.settingInvalid, origin, "`\(shownPath(path + [name]))` \(reason)")
    }

    /// Where a setting of this section comes from.
    public func origin(_ name: String) -> SettingsOrigin { find(name)?.origin ?? .builtIn }

    // MARK: Sections

    /// A section inside this one, whether it is there or not.
    public func section(_ name: String) -> SettingsReader {
        checkName(name)
        return inner(name)
    }

    /// A section inside this one if any source gives something of it.
    public func optionalSection(_ name: String) -> SettingsReader? {
        let section = section(name)
        return section.isGiven ? section : nil
    }

    /// Sections whose names the user chooses, as in `[kms.main]` and `[kms.spare]`: those of the files, the weakest
    /// first, then those that only arguments name.
    public func sections(_ name: String) -> [(name: String, section: SettingsReader)] {
        let table = section(name)
        var names: [String] = []
        for scope in table.scopes.reversed() { names += scope.table.entries.map(\.key) }
        for override in reading.sources.overrides
        where override.path.count > table.path.count + 1 && override.path.starts(with: table.path) {
            names.append(override.path[table.path.count])
        }
        var seen: Set<[UInt8]> = []
        return names.filter { seen.insert(Array($0.utf8)).inserted }.map { ($0, table.inner($0)) }
    }

    /// A list of tables, as in `[[listener]]`, of the strongest file that has it.
    public func list(_ name: String) -> [SettingsReader] {
        checkName(name)
        let names = known.list(name)
        for scope in scopes {
            guard let entry = scope.table[name] else { continue }
            guard case .array(let values) = entry.value.content else {
                wrongShape(scope, entry, "is a list of tables; write [[\(shownPath(path + [name]))]]")
                return []
            }
            return values.enumerated().compactMap { place, value in
                guard case .table(let table) = value.content else {
                    wrongShape(scope, entry, "is a list of tables; write [[\(shownPath(path + [name]))]]")
                    return nil
                }
                return SettingsReader(
                    path: path + [name, String(place + 1)], reading: reading, known: names,
                    scopes: [Scope(file: scope.file, table: table, offset: value.offset)], isNamed: false)
            }
        }
        return []
    }

    /// Marks a section of another program that reads the same file: nobody looks into it.
    public func ignore(_ name: String) {
        checkName(name)
        known.ignore(name)
        reading.ignored.append(path + [name])
    }
}

extension SettingsReader {
    /// `decoded` is nil when the value was refused.
    private func given<Value>(_ name: String, _ kind: SettingKind<Value>) -> (decoded: Value?, Void)? {
        checkName(name)
        precondition(
            !(kind.isFreeText && LiteralSecret.isAnnounced(by: name)),
            "\(name): a secret is never a value; ask for the path \(name)_file")
        known.value(name)
        guard let (content, file, origin) = find(name) else { return nil }
        do {
            let value = try kind.decode(
                SettingInput(content: content, file: file, expectation: kind.expectation))
            reading.note(path + [name], kind.show(value), origin)
            return (value, ())
        } catch {
            reading.problem(error.code, origin, "`\(shownPath(path + [name]))`: \(error.reason)")
            return (nil, ())
        }
    }

    private func find(_ name: String) -> (SettingInput.Content, file: SettingsFile?, origin: SettingsOrigin)?
    {
        let place = path + [name]
        if isNamed {
            let variable = reading.sources.variable(of: place)
            if let variable { reading.claim(variable, for: place) }
            if let override = reading.override(of: place) {
                return (.text(override.text), nil, .argument(override.option))
            }
            if let variable, let text = reading.sources.environment[variable] {
                return (.text(text), nil, .variable(variable))
            }
        }
        for scope in scopes {
            guard let entry = scope.table[name] else { continue }
            return (.toml(entry.value.content), scope.file, scope.file.origin(at: entry.value.offset))
        }
        return nil
    }

    private func inner(_ name: String) -> SettingsReader {
        var inside: [Scope] = []
        for scope in scopes {
            guard let entry = scope.table[name] else { continue }
            guard case .table(let table) = entry.value.content else {
                wrongShape(scope, entry, "is a section; write [\(shownPath(path + [name]))]")
                continue
            }
            inside.append(Scope(file: scope.file, table: table, offset: entry.value.offset))
        }
        return SettingsReader(
            path: path + [name], reading: reading, known: known.section(name), scopes: inside,
            isNamed: isNamed)
    }

    private var isGiven: Bool {
        if !scopes.isEmpty { return true }
        guard isNamed else { return false }
        if reading.sources.overrides.contains(where: {
            $0.path.count > path.count && $0.path.starts(with: path)
        }) {
            return true
        }
        guard let variable = reading.sources.variable(of: path) else { return false }
        return reading.sources.environment.keys.contains { $0.hasPrefix(variable + "__") }
    }

    private func wrongShape(_ scope: Scope, _ entry: TOMLTable.Entry, _ text: String) {
        reading.problem(
            .settingInvalid, scope.file.origin(at: entry.value.offset),
            "`\(shownPath(path + [entry.key]))` \(text)")
    }

    private func missing<Value>(_ name: String, _ kind: SettingKind<Value>) -> String {
        var ways: [String] = ["add it" + (path.isEmpty ? "" : " under [\(shownPath(path))]")]
        if isNamed, let variable = reading.sources.variable(of: path + [name]) {
            ways.append("set \(variable)")
        }
        return "`\(shownPath(path + [name]))` is not set (\(kind.expectation)); "
            + ways.joined(separator: ", or ")
    }

    private func checkName(_ name: String) {
        precondition(SettingsSources.isPlain(name), "\(name) is no name of a setting")
    }
}
