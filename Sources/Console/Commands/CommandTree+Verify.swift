// SPDX-License-Identifier: Apache-2.0

internal import Settings

extension CommandTree {
    static let verify = CommandTree(
        "verify", "say who signed files, and whether that holds",
        details: [
            "It asks no server. The keys that are trusted are those of the files that you name, such as "
                + "`signet key export` writes, or those of a policy, which says which of them are trusted with which "
                + "files. Status: 0 all are good, 6 one has a bad signature or none, 2 usage, policy or keys."
        ],
        options: [
            .value(
                "key", short: "k", "FILE", "trusted keys: OpenPGP, or X.509 of a signer himself", .file,
                isRepeated: true),
            .value("ca", "FILE", "trusted authorities: X.509", .file, isRepeated: true),
            .value("crl", "FILE", "revocation lists of those authorities", .file, isRepeated: true),
            .value("policy", short: "p", "FILE", "whom to trust with which files (TOML)", .file),
            .value("kind", "KIND", "what the files are, not recognised one by one", kinds),
            .flag("detached", short: "d", "look for a signature beside the file; the same as --kind generic"),
            .value("signature", short: "s", "FILE", "the detached signature of the one file", .file),
            .flag("verbose", short: "v", "each file and each signature"),
        ],
        arguments: [CommandArgument("FILE", "a file", .file, count: 1...100_000)],
        examples: [
            CommandExample("Packages", "signet verify --key release.asc build/a.rpm build/b.rpm"),
            CommandExample(
                "A file with SHA256SUMS.asc", "signet verify -k release.asc --detached SHA256SUMS"),
            CommandExample("One with image.iso.sig", "signet verify -k release.asc image.iso"),
            CommandExample("By a policy, for a script", "signet verify --policy farm.toml -o json *.rpm"),
        ])

    static let inspect = CommandTree(
        "inspect", "show what is in files",
        details: [
            "Their kind, name and version, digests, signatures whoever made them, what a signature would be over, and "
                + "which distributions take them. It trusts nobody, asks no server, and says nothing about whether "
                + "the signatures hold; `signet verify` does."
        ],
        options: [
            .value("kind", "KIND", "what the files are, not recognised one by one", kinds),
            .flag("detached", short: "d", "look for a signature beside the file; the same as --kind generic"),
            .value("signature", short: "s", "FILE", "the detached signature of the one file", .file),
        ],
        arguments: [CommandArgument("FILE", "a file", .file, count: 1...100_000)],
        examples: [
            CommandExample("A package", "signet inspect hello-1.0-1.x86_64.rpm"),
            CommandExample("A signature elsewhere", "signet inspect --signature image.iso.sig image.iso"),
            CommandExample("For a script", "signet inspect --output jsonl *.rpm"),
        ])
}
