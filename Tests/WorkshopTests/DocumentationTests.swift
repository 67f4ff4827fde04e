// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// What README.md and docs/ tell a reader to type can be typed, and what they link to is there.
///
/// Each line of a block marked `sh` is a command. One of `make` must be a target, with variables that the Makefile
/// tells about; running it here would start the suite inside the suite. `bash FILE` must name a script that parses.
/// Anything else is run in the checkout and must succeed. Blocks marked `bash` need each other and servers; ReadmeTests
/// runs them.
@Suite struct DocumentationTests {
    struct Line: CustomTestStringConvertible, Sendable {
        var page: String
        var text: String
        var testDescription: String { "\(page): \(text)" }
    }

    static let pages: [String] = {
        let docs = FileManager.default.enumerator(atPath: Repository.path("docs"))?.allObjects ?? []
        return ["README.md", "CHANGELOG.md"]
            + docs.compactMap { $0 as? String }.filter { $0.hasSuffix(".md") }.sorted().map { "docs/" + $0 }
    }()

    static func text(_ page: String) -> String {
        (try? String(contentsOfFile: Repository.path(page), encoding: .utf8)) ?? ""
    }

    static let commands: [Line] = pages.flatMap { page in
        var inside = false
        return text(page).split(separator: "\n").compactMap { line -> Line? in
            if line.hasPrefix("```") {
                inside = line == "```sh"
                return nil
            }
            let command = line.split(separator: " #")[0].trimmingCharacters(in: .whitespaces)
            return inside && !command.isEmpty ? Line(page: page, text: command) : nil
        }
    }

    static let makefile = text("Makefile")

    /// The targets by name, each with what `make help` says of it.
    static let targets: [Substring: Substring] = Dictionary(
        uniqueKeysWithValues: makefile.matches(of: /(?m)^([a-z-]+):.*## (.*)$/).map { ($0.1, $0.2) })

    @Test(arguments: commands)
    func canBeTyped(_ command: Line) throws {
        let words = command.text.split(separator: " ").filter { !$0.hasPrefix("<") }
        switch words[0] {
        case "make":
            for word in words.dropFirst() {
                let parts = word.split(separator: "=", maxSplits: 1)
                if parts.count == 1 {
                    #expect(Self.targets[word] != nil, "no such target")
                } else {
                    let help = Self.targets[words[1]] ?? ""
                    #expect(help.contains("[\(parts[0])="), "make \(words[1]) does not know \(parts[0])")
                }
            }
        case "bash":
            try Command.check(["bash", "-n", String(words[1])], folder: Repository.root)
        default:
            let shell = ["bash", "-euc", command.text]
            let output = try Command.run(shell, folder: Repository.root)
            #expect(output.status == 0, "\(output.errorText)")
        }
    }

    @Test func theReadmeHasCommands() {
        #expect(Self.commands.contains { $0.page == "README.md" && $0.text == "make test" })
    }

    @Test(arguments: pages)
    func linksLeadSomewhere(_ page: String) {
        let folder = URL(fileURLWithPath: Repository.path(page)).deletingLastPathComponent().path
        for link in Self.text(page).matches(of: /\]\(([^)#]+)[^)]*\)/) where !link.1.contains("://") {
            #expect(FileManager.default.fileExists(atPath: folder + "/" + link.1), "\(link.1)")
        }
    }

    @Test func helpNamesEveryTarget() throws {
        let phony = try #require(Self.makefile.firstMatch(of: /(?m)^\.PHONY: (.*)$/)).1.split(separator: " ")
        #expect(Set(phony) == Set(Self.targets.keys))
        let help = try Command.check(["make", "help"], folder: Repository.root).text
        for target in phony { #expect(help.contains("  \(target) ")) }
    }
}
