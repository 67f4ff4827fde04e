// SPDX-License-Identifier: Apache-2.0

import Settings
import TestSupport
import Testing

@testable import Console

@Suite struct CommandTableTests {
    /// Every command with its way from the root.
    static func leaves(_ tree: CommandTree, _ way: [String] = []) -> [(way: [String], command: CommandTree)] {
        tree.commands.isEmpty
            ? [(way, tree)] : tree.commands.flatMap { leaves($0, way + [$0.name]) }
    }

    @Test func everyCommandHasHelpAndAnExampleThatParses() throws {
        for (way, command) in Self.leaves(.signet) {
            let help = try #require(CommandTree.signet.help(way))
            #expect(help.contains("Examples:"), "\(way)")
            #expect(help.split(separator: "\n").allSatisfy { $0.count <= 100 }, "\(way)")
            #expect(command.summary.count <= 58, "\(way)")
            for example in command.examples {
                // As far as the shell's own signs.
                let words = example.line.split(separator: " ").map(String.init).prefix { !$0.hasPrefix(">") }
                guard words.first == "signet" else { continue }
                let outcome = try CommandTree.signet.parse(Array(words.dropFirst()), environment: [:])
                guard case .run(let invocation) = outcome else {
                    Issue.record("\(example.line) runs nothing")
                    continue
                }
                #expect(invocation.path == way)
            }
        }
    }

    @Test func everyCommandIsRun() async {
        for (way, _) in Self.leaves(.signet) {
            let bench = Bench()
            let program = SignetProgram(
                environment: [:], screen: bench.paper.screen(), signing: { _ in bench.signer })
            let words = way.contains("completion") ? ["bash"] : ["x"]
            _ = await program.run(way + words)
            #expect(!bench.paper.notes.contains("[unsupported]"), "\(way)")
        }
    }

    @Test func completesInBash() async throws {
        let bench = Bench()
        #expect(await bench.run("completion", "bash") == 0)
        let script = Array(bench.paper.out.utf8)
        try Command.check(["bash", "-n"], input: script)
        let probe = """
            source /dev/stdin
            COMP_LINE='signet key dis' COMP_POINT=14 COMP_WORDS=(signet key dis) COMP_CWORD=2
            _signet signet dis key
            printf '%s\\n' "${COMPREPLY[@]}"
            """
        let output = try Command.check(["bash", "-c", probe], input: script)
        #expect(output.text == "disable\n")
    }

    @Test func tellsItsVersion() async {
        let bench = Bench()
        #expect(await bench.run("--version") == 0)
        #expect(bench.paper.out == "signet \(CommandTree.signetVersion)\n")
        #expect(await bench.run("nonsense", "--output=json") == 2)
        #expect(bench.paper.out.contains(#""code":"bad-arguments""#))
    }
}
