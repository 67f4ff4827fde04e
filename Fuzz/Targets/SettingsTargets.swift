// SPDX-License-Identifier: Apache-2.0

internal import Settings

let settingsTargets: [FuzzTarget] = [
    FuzzTarget("toml") { input in
        guard let document = try? TOMLDocument(input) else { return }
        for entry in document.root.entries {
            guard document.root[entry.key]?.keyOffset == entry.keyOffset, entry.keyOffset < input.count else {
                throw BrokenPromise("a key is not found where it was read")
            }
        }
    },
    FuzzTarget("quantity") { input in
        let text = String(decoding: input, as: UTF8.self)
        if let duration = DurationText.parse(text),
            DurationText.parse(DurationText.show(duration)) != duration
        {
            throw BrokenPromise("a duration is shown as another one")
        }
        if let size = SizeText.parse(text), SizeText.parse(SizeText.show(size)) != size {
            throw BrokenPromise("a size is shown as another one")
        }
    },
    FuzzTarget("assignment") { input in
        let text = String(decoding: input, as: UTF8.self)
        guard let override = try? SettingsOverride(assignment: text) else { return }
        let sources = SettingsSources(overrides: [override])
        guard
            (try? sources.read { $0.value("a", .list(of: .string), default: []) }) == nil
                || override.path == ["a"]
        else { throw BrokenPromise("an unknown setting was taken") }
    },
    FuzzTarget("command-line") { input in
        let words = input.split(separator: 10, omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
        guard let outcome = try? commands.parse(words, environment: ["VARIABLE": words[0]]) else { return }
        guard case .run(let invocation) = outcome, invocation.path == ["do"] else { return }
        guard invocation.arguments("FIRST").count == 1, invocation.arguments("REST").count <= 3,
            invocation.text("kind") == "a" || invocation.text("kind") == "b", invocation.count("flag") <= 1
        else { throw BrokenPromise("an invocation that the table does not allow") }
    },
]

private let commands = CommandTree(
    "p", "a program", version: "p 1",
    options: [.flag("verbose", short: "v", "more", isRepeated: true), .set],
    commands: [
        CommandTree(
            "do", "something",
            options: [
                .value(
                    "kind", short: "k", "KIND", "a or b", .choice(["a", "b"]), isRequired: true,
                    variable: "VARIABLE"),
                .value("time", "TIME", "how long", .duration, setting: "a.time"),
                .flag("flag", short: "f", "a flag"),
            ], arguments: [CommandArgument("REST", "many", count: 0...3), CommandArgument("FIRST", "one")]),
        CommandTree("group", "others", commands: [CommandTree("leaf", "nothing")]),
    ])
