// SPDX-License-Identifier: Apache-2.0

internal import Keyring
public import Settings
internal import Signatures

/// The command line of `control-admin`: what is done on the server's own machine.
public enum AdminCommands {
    private static let config = CommandOption.value(
        "config", short: "c", "FILE", "settings", .file, fallback: "/etc/signet/control-server.toml",
        variable: "SIGNET_CONFIG")

    public static let tree = CommandTree(
        "control-admin", "set up and look after the control plane",
        details: [
            "It works on the database and the key service themselves, with the settings of control-server, so "
                + "whoever may read those may use it."
        ],
        version: "control-admin 0.1.0", options: [config, .set],
        commands: [migrate, setUp, users, keys, doctor, clusterKeys, audit, backup, database, pki])

    private static let migrate = CommandTree(
        "migrate", "bring the database's schema to this release",
        options: [
            .value(
                "folder", "DIR", "migrations, if not those of this release", .folder,
                variable: "SIGNET_MIGRATIONS")
        ],
        examples: [CommandExample("Before a new release starts", "control-admin migrate")])

    private static let setUp = CommandTree(
        "init", "make the first administrator and his token",
        options: [
            .value("name", "NAME", "the administrator, such as his e-mail address", isRequired: true),
            .value("token-file", "FILE", "a new file for the token", .file, isRequired: true),
            .flag("replace-token", "make another token for an administrator who is there"),
        ],
        examples: [
            CommandExample(
                "The first step after `migrate`",
                "control-admin init --name admin@example.org --token-file admin.token")
        ])

    private static let userRole = CommandValue.choice(Role.allCases.map(\.rawValue))

    private static let users = CommandTree(
        "user", "make users without anybody's approval",
        details: [
            "Over REST a role takes the approval of other administrators. Until there are enough of them, they are made "
                + "here."
        ],
        commands: [
            CommandTree(
                "add", "make a user and his token",
                options: [
                    .value("name", "NAME", "such as his e-mail address", isRequired: true),
                    .value("role", "ROLE", "what he may do", userRole, isRequired: true),
                    .value("token-file", "FILE", "a new file for the token", .file, isRequired: true),
                ],
                examples: [
                    CommandExample(
                        "Another administrator",
                        "control-admin user add --name eve@example.org --role administrator --token-file eve.token"
                    )
                ]),
            CommandTree(
                "change", "give a user another role",
                options: [
                    .value("name", "NAME", "who", isRequired: true),
                    .value("role", "ROLE", "what he may do", userRole, isRequired: true),
                ],
                examples: [
                    CommandExample(
                        "An auditor", "control-admin user change --name eve@example.org --role auditor")
                ]),
        ])

    private static let clusterKeys = CommandTree(
        "cluster-key", "the keys under which private halves are sealed",
        commands: [
            CommandTree("list", "tell them, the newest first, and how many rows are under each"),
            CommandTree(
                "rotate", "make new ones, and seal everything anew under them",
                details: [
                    "It runs beside the servers and can be stopped: `cluster-key reseal`, or the servers themselves, go on "
                        + "with it. An old one is taken away by the servers, an hour after nothing is under it."
                ],
                options: [
                    .value("plane", "PLANE", "one of them alone", .choice(Plane.allCases.map(\.rawValue)))
                ],
                examples: [
                    CommandExample("After a wrapping key was replaced", "control-admin cluster-key rotate")
                ]),
            CommandTree("reseal", "go on with a rotation that was stopped"),
        ])

    private static let audit = CommandTree(
        "audit", "what was done, and what was signed",
        commands: [
            CommandTree(
                "verify", "check that no entry and no record is missing or was changed",
                details: [
                    "It reads the chain of the audit, and of each data-server's records, from the first entry to the last. "
                        + "A head that was written down elsewhere shows that nothing was cut off at the end."
                ],
                options: [
                    .value("head", "N:HEX", "a head of the audit that was told before, which has to be in it")
                ],
                examples: [CommandExample("Each night", "control-admin audit verify")])
        ])

    static let sorts = ["openpgp", "ca", "module", "efi", "cms", "timestamp"]

    static let algorithms: [(name: String, attributes: [String: String])] = [
        ("rsa-2048", ["key_type": "rsa", "key_length": "2048"]),
        ("rsa-3072", ["key_type": "rsa", "key_length": "3072"]),
        ("rsa-4096", ["key_type": "rsa", "key_length": "4096"]),
        ("ed25519", ["key_type": "eddsa"]),
        ("p256", ["key_type": "ecdsa", "key_length": "256"]),
        ("p384", ["key_type": "ecdsa", "key_length": "384"]),
    ]

    private static func algorithm(_ fallback: String) -> CommandOption {
        .value(
            "algorithm", short: "a", "NAME", "its algorithm", .choice(algorithms.map(\.name)),
            fallback: fallback)
    }

    private static let keys = CommandTree(
        "key", "make signing keys without a token",
        details: ["As by the REST API; the audit says that control-admin made them."],
        commands: [
            CommandTree(
                "generate", "make a key",
                options: [
                    .value("type", short: "t", "TYPE", "what it is for", .choice(sorts), isRequired: true),
                    algorithm("rsa-4096"),
                    .value("expires", "TIME", "from now on", .duration, fallback: "730d"),
                    .value("email", "ADDRESS", "of its user id; for openpgp"),
                    .value("common-name", "NAME", "of its certificate; its own name if not given"),
                    .value(
                        "parent", "KEY", "the authority that certifies it; for all but openpgp and a root"),
                    .value("description", "TEXT", "for those who list it"),
                    .flag("enable", "let it sign at once"),
                ],
                arguments: [CommandArgument("NAME", "its name")],
                examples: [
                    CommandExample(
                        "A root", "control-admin key generate farm-ca --type ca --expires 3650d --enable"),
                    CommandExample(
                        "For kernel modules",
                        "control-admin key generate modules --type module --parent farm-ca"),
                ]),
            CommandTree(
                "development-set", "make a root, an intermediate and a key of every sort, all enabled",
                details: ["For a developer's machine. Keys of these names that are there already stay."],
                options: [
                    .value("prefix", "TEXT", "what their names begin with", fallback: "dev"),
                    algorithm("rsa-2048"),
                ],
                examples: [CommandExample("On a laptop", "control-admin key development-set")]),
        ])

    private static let doctor = CommandTree(
        "doctor", "look for what needs looking after",
        details: [
            "Database, schema, clock and key service; keys, certificates of the transport and revocation lists that end soon; "
                + "and whether there is a backup that was verified. It ends with 0 when all is well, else with 1."
        ],
        options: [
            .value("days", "N", "what ends within so many days", .integer(1...3650), fallback: "30"),
            .value(
                "output", short: "o", "FORM", "how it tells", .choice(["text", "json"]), fallback: "text"),
        ],
        examples: [
            CommandExample("Each morning", "control-admin doctor"),
            CommandExample("For a monitor", "control-admin doctor --output json"),
        ])

    private static let file = CommandArgument("FILE", "the backup", .file)

    private static let backup = CommandTree(
        "backup", "keep all that the control plane knows, and live with it again",
        commands: [
            CommandTree(
                "create", "write all tables to a file, as they are at one moment",
                details: [
                    "Private halves stay sealed: without the key service nobody opens them, and neither does whoever has the "
                        + "file. The servers go on meanwhile."
                ],
                options: [
                    .value("out", "FILE", "a new file; else one in the setting backup.folder", .file)
                ],
                examples: [CommandExample("Each night", "control-admin backup create")]),
            CommandTree(
                "verify", "check that a backup could be restored",
                details: [
                    "The key service opens the cluster keys, every row is under its code, every private half opens, and no "
                        + "chain has a gap. What was found is kept beside the file for `doctor`."
                ],
                arguments: [file],
                examples: [CommandExample("After making it", "control-admin backup verify night.backup")]),
            CommandTree(
                "restore", "write a backup into an empty database",
                details: [
                    "As the user `owner_user`, who may change the schema. The backup is verified first, and a database in "
                        + "which anything was ever done is refused."
                ],
                options: [
                    .value(
                        "folder", "DIR", "migrations", .folder, fallback: "migrations",
                        variable: "SIGNET_MIGRATIONS")
                ],
                arguments: [file],
                examples: [
                    CommandExample("On a new machine", "control-admin backup restore night.backup")
                ]),
        ])

    private static let database = CommandTree(
        "database", "the users of the database",
        commands: [
            CommandTree(
                "rights", "print the statements that give a user his rights",
                details: [
                    "An administrator of the database makes the user and runs them: those of `migration` first, then "
                        + "`control-admin migrate`, then those of the others, whose tables have to be there."
                ],
                options: [
                    .value("host", "HOST", "from where the user comes", fallback: "%"),
                    .value("user", "NAME", "what the user is called"),
                ],
                arguments: [
                    CommandArgument("ROLE", "whose rights", .choice(["control", "data", "migration"]))
                ],
                examples: [
                    CommandExample(
                        "Let a data-server in",
                        "control-admin database rights data --user signet_data | mariadb --user root")
                ])
        ])

    // MARK: PKI

    private static let folder = CommandOption.value(
        "folder", "DIR", "the authority's folder, in place of the setting pki.folder", .folder)

    private static let role = CommandOption.value(
        "role", "ROLE", "who it is for", .choice(TransportRole.allCases.map(\.rawValue)), isRequired: true)

    private static func days(_ fallback: String) -> CommandOption {
        .value("days", "N", "for how long it is good", .integer(1...36_500), fallback: fallback)
    }

    private static let pki = CommandTree(
        "pki", "certificates for TLS between the programs",
        details: [
            "A certificate authority of its own, which has nothing to do with signing keys. A farm that has an "
                + "authority, or SPIFFE, does without it and names that one in the settings."
        ],
        commands: [
            CommandTree(
                "init", "make the authority",
                options: [
                    folder, days("3650"),
                    .value("name", "NAME", "its common name", fallback: "Signet transport"),
                ]),
            CommandTree(
                "issue", "issue a certificate with a new key",
                options: [
                    folder, role, days("30"),
                    .value("name", "NAME", "who it is for", isRequired: true),
                    .value("host", "HOST", "DNS name or address of a server", isRepeated: true),
                    .value(
                        "out", "PATH", "write PATH.crt and PATH.key; else NAME beside the authority", .file),
                    .flag("replace", "take the place of files that are there"),
                ],
                examples: [
                    CommandExample(
                        "For a builder", "control-admin pki issue --role client --name builder1 --days 30"),
                    CommandExample(
                        "For a data-server",
                        "control-admin pki issue --role data --name data1 --host data1.example.org"),
                ]),
            CommandTree(
                "revoke", "shut a certificate out, also on open connections",
                details: [
                    "It goes on the deny list in the database, which data-servers act on within a second, and on the "
                        + "revocation list in the authority's folder."
                ],
                options: [
                    folder,
                    .value("serial", "HEX", "the certificate with this number"),
                    .value("role", "ROLE", "with --name", .choice(TransportRole.allCases.map(\.rawValue))),
                    .value("name", "NAME", "all that are still good of this role and name"),
                    .value(
                        "reason", "REASON", "why", .choice(RevocationReasons.names), fallback: "unspecified"),
                    .flag("without-database", "only write the list; servers that run hear of it at SIGHUP"),
                ]),
            CommandTree("list", "tell what was issued", options: [folder]),
            CommandTree("crl", "write the revocation list anew, good for a year", options: [folder]),
        ])
}
