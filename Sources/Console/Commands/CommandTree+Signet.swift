// SPDX-License-Identifier: Apache-2.0

public import Settings

extension CommandTree {
    /// The version of the client; servers of the same first number understand it.
    static let signetVersion = "0.1.0"

    /// `signet`, command by command.
    public static let signet = CommandTree(
        "signet", "sign and verify what a build farm makes",
        details: [
            "Files are signed by the data-servers of the settings, by turns. Keys, grants and records are the "
                + "control-server's. Status: 0 all done, 1 some failed, 2 usage or settings, 3 not allowed, "
                + "4 not found, 5 servers unavailable, 6 bad or missing signature."
        ],
        version: "signet \(signetVersion)",
        options: [
            .value("config", "FILE", "settings to use", .file, variable: "SIGNET_CONFIG"),
            .value(
                "output", short: "o", "FORM", "form of the results",
                .choice(OutputForm.allCases.map(\.rawValue)),
                fallback: "text", variable: "SIGNET_OUTPUT"),
            .value("token-file", "FILE", "file with your token for the control-server", .file),
            .set,
        ],
        commands: [
            sign, verify, inspect, keys, freeze, thaw, frozen, approvals, grants, users, tokens, records,
            audit,
            CommandTree(
                "config", "look at the settings",
                commands: [
                    CommandTree(
                        "show", "show the settings in force",
                        options: [.flag("origin", "say where each comes from")],
                        examples: [CommandExample("See which file sets what", "signet config show --origin")])
                ]),
            CommandTree(
                "completion", "print a completion script",
                arguments: [CommandArgument("SHELL", "the shell", .choice(["bash"]))],
                examples: [CommandExample("For this session of bash", "source <(signet completion bash)")]),
        ])

    private static let inForce = "It takes a second: when it returns, all data-servers act on it."
    private static let key = CommandArgument(
        "KEY", "name or id of a key", .proposed(["key", "list", "--names"]))
    private static let someKeys = CommandArgument(
        "KEY", "name or id of a key", .proposed(["key", "list", "--names"]), count: 1...100)
    static let kinds = CommandValue.choice([
        "rpm", "rpm-v3", "generic", "cleartext", "module", "efi", "cms",
    ])

    private static let sign = CommandTree(
        "sign", "sign files, and folders of them",
        details: [
            "RPMs and kernel modules get their signature inside, after a check that the file is whole, and so do .dsc "
                + "and InRelease files and, with --cleartext, any text; for others --detached writes FILE.asc beside "
                + "it. In a folder, files of no known kind are skipped, and "
                + "symbolic links are not followed. Every file is signed or untouched, whatever happens, and "
                + "running again does the rest."
        ],
        options: [
            .value(
                "key", short: "k", "KEY", "name of the key; needed, but for --strip",
                .proposed(["key", "list", "--names"]), variable: "SIGNET_KEY"),
            .value("kind", "KIND", "what the files are, not recognised one by one", kinds),
            .flag("detached", short: "d", "write a detached signature: --kind generic, cms or module"),
            .flag("armor", "write OpenPGP signatures beside files as text, FILE.asc; the default"),
            .flag("no-armor", "write them as packets, FILE.sig"),
            .flag("cleartext", "put signatures around a text; the same as --kind cleartext"),
            .value(
                "crl", "FILE", "revocation list that signatures in CMS bring along", .file, isRepeated: true),
            .value("out-dir", "FOLDER", "where detached signatures go", .folder),
            .flag(
                "resign",
                "sign anew what the key has signed; inside of packages, modules and images others give way"),
            .flag("if-unsigned", "leave alone what anybody has signed"),
            .flag("strip", "take all signatures away, and ask no server"),
            .flag("rpm-v3", "sign header and payload of packages together, as old ones need it"),
            .value(
                "header-only-output", "FOLDER",
                "write the signature headers of packages there, as a build system keeps them", .folder),
            .flag("dry-run", short: "n", "say what would be signed, and sign nothing"),
            .flag("verbose", short: "v", "a line for each file"),
            .value(
                "progress", "WHEN", "show progress", .choice(ProgressMode.allCases.map(\.rawValue)),
                fallback: "auto"),
            .value("jobs", short: "j", "N", "files at once", .integer(1...4096), setting: "sign.jobs"),
            .value("timeout", "TIME", "time for one try of one file", .duration, setting: "sign.timeout"),
            .value(
                "retry-for", "TIME", "how long to try while servers are away", .duration,
                setting: "sign.retry_for"),
        ],
        arguments: [CommandArgument("PATH", "a file or folder", .file, count: 1...100_000)],
        examples: [
            CommandExample("Sign all packages of a folder in place", "signet sign --key release build/"),
            CommandExample("Write SHA256SUMS.asc", "signet sign --key release --detached SHA256SUMS"),
            CommandExample("Write image.iso.sig", "signet sign --key release --no-armor image.iso"),
            CommandExample("Sign what apt reads", "cp Release InRelease && signet sign -k archive InRelease"),
            CommandExample(
                "Write driver.ko.p7s", "signet sign --key modules --detached --kind module driver.ko"),
            CommandExample("For a script", "signet sign --key modules --output jsonl driver.ko"),
            CommandExample("Take the signatures out again", "signet sign --strip build/"),
            CommandExample(
                "For Koji: NAME.rpm.sighdr, and the packages as they are",
                "signet sign --key release --header-only-output sigcache build/"),
        ])

    private static let keys = CommandTree(
        "key", "look after keys",
        commands: [
            CommandTree(
                "list", "list the keys that you may see",
                options: [
                    .flag("names", "names alone, one a line"),
                    .value("expiring", "TIME", "those whose time is over within that", .duration),
                ],
                examples: [
                    CommandExample("As JSON", "signet key list --output json"),
                    CommandExample("What to renew", "signet key list --expiring 30d"),
                ]),
            CommandTree(
                "show", "show a key", arguments: [key],
                examples: [CommandExample("All that is public of it", "signet key show release")]),
            CommandTree(
                "generate", "make a key",
                details: ["A new key signs nothing until it is enabled and a grant names it."],
                options: [
                    .value(
                        "type", short: "t", "TYPE", "what it is for",
                        .choice(["openpgp", "ca", "module", "efi", "cms", "timestamp"]),
                        isRequired: true),
                    .value(
                        "algorithm", short: "a", "NAME", "its algorithm",
                        .choice(["rsa-2048", "rsa-3072", "rsa-4096", "ed25519", "p256", "p384"]),
                        fallback: "rsa-4096"),
                    .value("expires", "TIME", "from now on", .duration, fallback: "730d"),
                    .value("email", "ADDRESS", "of its user id; for openpgp"),
                    .flag(
                        "signing-subkey",
                        "a subkey signs, and the primary NAME-primary certifies alone; for openpgp"),
                    .value("common-name", "NAME", "of its certificate; its own name if not given"),
                    .value(
                        "parent", "KEY", "the authority that certifies it; for all but openpgp and a root"),
                    .value("description", "TEXT", "for those who list it"),
                    .flag("guarded", "enabling it, and grants on it, take approvals"),
                    .flag("private", "yours alone, enabled at once, and called USER:NAME"),
                ],
                arguments: [CommandArgument("NAME", "its name")],
                examples: [
                    CommandExample(
                        "For packages", "signet key generate release --type openpgp --email rel@example.org"),
                    CommandExample(
                        "For kernel modules", "signet key generate modules --type module --parent kernel-ca"),
                    CommandExample(
                        "For EFI images",
                        "signet key generate images --type efi --algorithm rsa-2048 --parent boot-ca"),
                ]),
            importKey, issue, renew,
            CommandTree(
                "enable", "let keys sign", arguments: [someKeys],
                examples: [CommandExample("One", "signet key enable release")]),
            CommandTree(
                "disable", "stop keys from signing", details: [inForce], arguments: [someKeys],
                examples: [CommandExample("Now", "signet key disable release")]),
            CommandTree(
                "guard", "let enabling keys, and grants on them, take approvals", arguments: [someKeys],
                examples: [CommandExample("One", "signet key guard release")]),
            CommandTree(
                "unguard", "ask for the end of a guard, or approve it", arguments: [someKeys],
                examples: [CommandExample("One", "signet key unguard release")]),
            CommandTree(
                "delete", "ask for the deletion of keys, or approve it", details: [approved],
                arguments: [someKeys], examples: [CommandExample("One", "signet key delete old-release")]),
            CommandTree(
                "revoke", "ask for the revocation of keys, or approve it", details: [approved],
                options: [
                    .value("reason", "REASON", "why", .choice(revocationReasons), fallback: "unspecified")
                ],
                arguments: [someKeys],
                examples: [
                    CommandExample("One that leaked", "signet key revoke modules --reason key_compromise")
                ]),
            CommandTree(
                "keep", "withdraw your request or approval to end keys", arguments: [someKeys],
                examples: [CommandExample("After all", "signet key keep old-release")]),
            CommandTree(
                "export", "print the public part of a key",
                details: ["An OpenPGP key is armored, another is a certificate in PEM."],
                options: [.value("out", short: "f", "FILE", "write it to a file", .file)],
                arguments: [key],
                examples: [CommandExample("For rpm", "signet key export release --out RPM-GPG-KEY-release")]),
        ])

    private static let approved =
        "A key has to be disabled first. It happens when enough administrators have said so beside the first one."

    private static let revocationReasons = [
        "unspecified", "key_compromise", "ca_compromise", "affiliation_changed", "superseded",
        "cessation_of_operation", "certificate_hold", "privilege_withdrawn", "aa_compromise",
    ]

    private static let requests = CommandArgument("ID", "of a request", count: 1...100)

    private static let approvals = CommandTree(
        "approval", "look after what administrators have to approve",
        commands: [
            CommandTree(
                "list", "list the requests that wait", options: [.flag("all", "those that are over too")],
                examples: [CommandExample("What waits", "signet approval list")]),
            CommandTree(
                "approve", "approve requests of others", arguments: [requests],
                examples: [
                    CommandExample("One", "signet approval approve 8f14e45f-ceea-167a-5a36-dedd4bea2543")
                ]),
            CommandTree(
                "reject", "end requests that you are against", arguments: [requests],
                examples: [
                    CommandExample("One", "signet approval reject 8f14e45f-ceea-167a-5a36-dedd4bea2543")
                ]),
        ])

    private static let grants = CommandTree(
        "grant", "say which clients may sign what with which keys",
        commands: [
            CommandTree(
                "list", "list the grants", examples: [CommandExample("All", "signet grant list")]),
            CommandTree(
                "add", "grant a client the use of a key",
                options: [
                    .value(
                        "client", short: "c", "IDENTITY", "whom; * stands for one level of the name",
                        isRequired: true),
                    .value("key", short: "k", "KEY", "the keys; * stands for a part", isRepeated: true),
                    .value("kind", "KIND", "kinds of files", kinds, isRepeated: true),
                    .value(
                        "network", "CIDR", "from where it may call; everywhere without it", isRepeated: true),
                    .value("expires", "TIME", "from now on", .duration),
                    .value("description", "TEXT", "for those who list it"),
                ],
                examples: [
                    CommandExample(
                        "Let the farm sign packages",
                        "signet grant add --client uri:signet://client/builder1 --key release --kind rpm")
                ]),
            CommandTree(
                "remove", "take grants back", details: [inForce],
                arguments: [CommandArgument("ID", "of a grant", count: 1...100)],
                examples: [
                    CommandExample("One", "signet grant remove 8f14e45f-ceea-167a-5a36-dedd4bea2543")
                ]),
        ])

    private static let roles = CommandValue.choice(["viewer", "operator", "administrator", "auditor"])

    private static let users = CommandTree(
        "user", "look after the users of the control-server",
        commands: [
            CommandTree("list", "list them", examples: [CommandExample("All", "signet user list")]),
            CommandTree(
                "add", "add a user; his first token is printed this once",
                details: [
                    "Other administrators have to approve a role above a viewer's; he makes his tokens himself then."
                ],
                options: [.value("role", "ROLE", "what he may do", roles, isRequired: true)],
                arguments: [CommandArgument("NAME", "such as his mail address")],
                examples: [
                    CommandExample(
                        "One who looks", "signet user add eve@example.org --role viewer > eve.token")
                ]),
            CommandTree(
                "change", "change what a user may do",
                options: [
                    .value("role", "ROLE", "what he may do", roles), .flag("disable", "shut him out"),
                    .flag("enable", "let him in again"),
                ],
                arguments: [CommandArgument("USER", "name or id")],
                examples: [CommandExample("Who leaves", "signet user change eve@example.org --disable")]),
        ])

    private static let tokens = CommandTree(
        "token", "look after your own tokens",
        commands: [
            CommandTree("list", "list them", examples: [CommandExample("All", "signet token list")]),
            CommandTree(
                "create", "make one; it is printed this once",
                options: [
                    .value(
                        "scope", "SCOPE", "what it is for; without it whatever your own is for",
                        .choice(["read", "keys", "grants", "users", "records"]), isRepeated: true),
                    .value("expires", "TIME", "from now on", .duration),
                ],
                arguments: [CommandArgument("DESCRIPTION", "what it is for")],
                examples: [
                    CommandExample("For a script", "signet token create nightly > token"),
                    CommandExample(
                        "For a page that shows keys", "signet token create page --scope read --expires 90d"),
                ]),
            CommandTree(
                "revoke", "make tokens worthless",
                arguments: [CommandArgument("ID", "of a token", count: 1...100)],
                examples: [CommandExample("One", "signet token revoke 8f14e45f-ceea-167a-5a36-dedd4bea2543")]),
        ])

    private static let records = CommandTree(
        "record", "look at what was signed",
        commands: [
            CommandTree(
                "list", "list records of signatures, the newest first",
                options: [
                    .value("key", short: "k", "KEY", "made with this key"),
                    .value("client", short: "c", "IDENTITY", "made for this client"),
                    .value("kind", "KIND", "of this kind of file", kinds),
                    .value("server", "NAME", "made by this data-server"),
                    .value("content", "DIGEST", "of this content, such as sha256:00ff…"),
                    .value("since", "TIME", "made at most so long ago", .duration),
                    .value("until", "TIME", "made at least so long ago", .duration),
                    .value(
                        "limit", short: "n", "N", "at most so many", .integer(1...100_000), fallback: "50"),
                ],
                examples: [
                    CommandExample("The last ones of a key", "signet record list --key release"),
                    CommandExample(
                        "What a key signed in a week",
                        "signet record list --key release --since 7d -n 100000 -o json"),
                ])
        ])

    private static let audit = CommandTree(
        "audit", "look at what was done",
        commands: [
            CommandTree(
                "list", "list what was done, the oldest first",
                options: [
                    .value("after", "N", "behind this number", .integer(0...Int.max), fallback: "0"),
                    .value("action", "WORD", "of this sort alone, such as key-disable"),
                    .value("by", "NAME", "done by this user or program alone"),
                    .value(
                        "limit", short: "n", "N", "at most so many", .integer(1...1_000_000), fallback: "1000"
                    ),
                ],
                examples: [
                    CommandExample("Who switched keys off", "signet audit list --action key-disable"),
                    CommandExample("What is new", "signet audit list --after 1204 --output json"),
                ])
        ])
}
