// SPDX-License-Identifier: Apache-2.0

import Settings

extension CommandTree {
    /// A program with some of everything.
    static let sample = CommandTree(
        "sig-net", "sign and verify what a build farm makes",
        details: [
            "Talks to the data-servers of the settings and takes turns between them, so that one that is slow or away is left out."
        ],
        version: "sig-net 1.2.3",
        options: [
            .value(
                "output", short: "o", "FORMAT", "format of the results", .choice(["text", "json"]),
                fallback: "text",
                variable: "SIGNET_OUTPUT"),
            .flag("verbose", short: "v", "say more", isRepeated: true), .set,
        ],
        commands: [
            CommandTree(
                "sign", "sign files and directories",
                details: ["Directories are walked."],
                options: [
                    .value(
                        "key", short: "k", "NAME", "key to sign with", .proposed(["key", "names"]),
                        isRequired: true,
                        variable: "SIGNET_KEY"),
                    .value(
                        "concurrency", "N", "jobs in flight", .integer(1...512), setting: "client.concurrency"
                    ),
                    .value(
                        "timeout", "TIME", "time for each file, after which the next server is asked",
                        .duration,
                        fallback: "30s"),
                    .value("chunk", "SIZE", "bytes read at once", .size),
                    .value("token-file", "FILE", "file that holds the access token", .file),
                    .value("exclude-files-of-list", "FILE", "what to leave out", .file, isRepeated: true),
                    .flag("detached", short: "d", "write the signature beside the file"),
                    .flag(
                        "dry-run", short: "n", "change nothing", variable: "SIGNET_DRY_RUN",
                        setting: "client.dry_run"),
                ],
                arguments: [
                    CommandArgument("PATH", "what to sign; - is standard input", .file, count: 1 ... .max)
                ],
                examples: [
                    CommandExample("Sign a package in place", "sig-net sign --key release bash.rpm"),
                    CommandExample(
                        "Sign what a pipe brings", "sig-net sign -k release -d - < file > file.asc"),
                ]),
            CommandTree(
                "key", "look after keys",
                commands: [
                    CommandTree(
                        "list", "list the keys that you may use",
                        arguments: [CommandArgument("PATTERN", "names to list", count: 0...1)],
                        examples: [CommandExample("List all as JSON", "sig-net key list -o json")]),
                    CommandTree(
                        "rename", "give a key another name",
                        arguments: [
                            CommandArgument("OLD", "its name", .proposed(["key", "names"])),
                            CommandArgument("NEW", "its new name"),
                        ],
                        examples: [CommandExample("Rename a key", "sig-net key rename 'old name' new")]),
                    CommandTree(
                        "names", "print the names alone",
                        examples: [CommandExample("All", "sig-net key names")]),
                ]),
            CommandTree(
                "copy", "copy files",
                arguments: [
                    CommandArgument("SOURCE", "what to copy", .file, count: 1 ... .max),
                    CommandArgument("FOLDER", "where to", .folder),
                ], examples: [CommandExample("Copy two", "sig-net copy a b there")]),
        ])
}
