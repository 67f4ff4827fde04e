// SPDX-License-Identifier: Apache-2.0

import Settings
import Testing

@Suite struct CommandHelpTests {
    private func printed(_ words: [String]) throws -> String? {
        guard case .print(let text) = try CommandTree.sample.parse(words) else { return nil }
        return text
    }

    @Test func ofTheProgram() throws {
        #expect(
            try printed(["--help"]) == """
                sig-net - sign and verify what a build farm makes

                Usage: sig-net [OPTION...] COMMAND

                Talks to the data-servers of the settings and takes turns between them, so that
                one that is slow or away is left out.

                Commands:
                  sign  sign files and directories
                  key   look after keys
                  copy  copy files

                Options:
                  -o, --output FORMAT  format of the results (text, json; default text; variable
                                       SIGNET_OUTPUT)
                  -v, --verbose        say more (may be repeated)
                      --set SECTION.KEY=VALUE
                                       override a setting (may be repeated)
                  -h, --help           show this help
                      --version        show the version

                Examples:
                  Sign a package in place:
                    sig-net sign --key release bash.rpm
                  List all as JSON:
                    sig-net key list -o json
                  Copy two:
                    sig-net copy a b there

                `sig-net COMMAND --help` tells more about a command.

                """)
    }

    @Test func ofACommand() throws {
        #expect(
            try printed(["sign", "--help"]) == """
                sig-net sign - sign files and directories

                Usage: sig-net sign --key NAME [OPTION...] PATH...

                Directories are walked.

                Arguments:
                  PATH...  what to sign; - is standard input

                Options:
                  -k, --key NAME         key to sign with (needed; variable SIGNET_KEY)
                      --concurrency N    jobs in flight (1 to 512; setting client.concurrency)
                      --timeout TIME     time for each file, after which the next server is
                                         asked (like 1h30m; default 30s)
                      --chunk SIZE       bytes read at once (like 4MiB)
                      --token-file FILE  file that holds the access token
                      --exclude-files-of-list FILE
                                         what to leave out (may be repeated)
                  -d, --detached         write the signature beside the file
                  -n, --dry-run          change nothing (variable SIGNET_DRY_RUN; setting
                                         client.dry_run)
                  -h, --help             show this help

                Options of every command:
                  -o, --output FORMAT  format of the results (text, json; default text; variable
                                       SIGNET_OUTPUT)
                  -v, --verbose        say more (may be repeated)
                      --set SECTION.KEY=VALUE
                                       override a setting (may be repeated)

                Examples:
                  Sign a package in place:
                    sig-net sign --key release bash.rpm
                  Sign what a pipe brings:
                    sig-net sign -k release -d - < file > file.asc

                """)
    }

    @Test func ofAGroup() throws {
        #expect(
            try printed(["key", "-h"]) == """
                sig-net key - look after keys

                Usage: sig-net key [OPTION...] COMMAND

                Commands:
                  list    list the keys that you may use
                  rename  give a key another name
                  names   print the names alone

                Options:
                  -h, --help  show this help

                Options of every command:
                  -o, --output FORMAT  format of the results (text, json; default text; variable
                                       SIGNET_OUTPUT)
                  -v, --verbose        say more (may be repeated)
                      --set SECTION.KEY=VALUE
                                       override a setting (may be repeated)

                Examples:
                  List all as JSON:
                    sig-net key list -o json
                  Rename a key:
                    sig-net key rename 'old name' new
                  All:
                    sig-net key names

                `sig-net key COMMAND --help` tells more about a command.

                """)
    }

    @Test(arguments: [
        (["help"], []), (["-h"], []), (["help", "sign"], ["sign"]),
        (["help", "key", "list"], ["key", "list"]),
        (["key", "list", "-vh"], ["key", "list"]), (["sign", "--key", "a", "--help", "--bogus"], ["sign"]),
        (["help", "key", "--help"], ["key"]),
    ])
    func manyWays(_ words: [String], _ path: [String]) throws {
        #expect(try printed(words) == CommandTree.sample.help(path))
    }

    @Test func helpBehindDashesIsAnArgument() throws {
        #expect(try printed(["key", "list", "--", "--help"]) == nil)
    }

    @Test func version() throws {
        #expect(try printed(["--version"]) == "sig-net 1.2.3\n")
        var tree = CommandTree.sample
        tree.version = nil
        #expect(throws: UsageError.self) { try tree.parse(["--version"]) }
    }

    @Test func noHelpOfUnknownCommands() { #expect(CommandTree.sample.help(["none"]) == nil) }

    // MARK: The table

    @Test func theSampleIsSound() { #expect(CommandTree.sample.faults() == []) }

    @Test func faultsAreFound() {
        let tree = CommandTree(
            "p", "a program.",
            options: [
                .flag("help", "taken"), .value("a", short: "h", "X", "text", .integer(1...2), fallback: "9"),
                .flag("A_b", ""),
            ],
            commands: [
                CommandTree("c", "no example", options: [.flag("a", "again")]),
                CommandTree(
                    "c", "twice", examples: [CommandExample("x", "q c"), CommandExample("y", "p c --none")]),
                CommandTree(
                    "d", "places",
                    arguments: [
                        CommandArgument("X", "x", count: 0...2), CommandArgument("Y", "y", count: 0...1),
                    ],
                    examples: [
                        CommandExample("other", "p c"),
                        CommandExample("long", "p d " + String(repeating: "x", count: 80)),
                    ]),
            ])
        #expect(
            tree.faults() == [
                "p: the summary is no phrase of at most 58 characters", "p: two commands have one name",
                "p: --help is taken", "p: -h is taken",
                "p: --a: its default: expected an integer from 1 to 2",
                "p: --A_b is not plain", "p: --A_b: the summary is no phrase", "p c: --a is taken",
                "p c: there is no example", "p c: an example of another program: q c",
                "p c: an example that fails: p c: unknown option `--none`; see `p c --help`",
                "p d: X and Y cannot be told apart", "p d: an example of another command: p c",
                "p d: a line of help is too long:     p d " + String(repeating: "x", count: 80),
            ])
    }
}
