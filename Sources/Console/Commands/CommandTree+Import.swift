// SPDX-License-Identifier: Apache-2.0

internal import Settings

extension CommandTree {
    static let importKey = CommandTree(
        "import", "bring a key that was made elsewhere",
        details: [
            "The file is what `gpg --export-secret-keys` writes, or PKCS#8 or PKCS#12 as `openssl pkey` and `openssl "
                + "pkcs12` do. Only you may be able to read it. Halves and certificate have to fit; a key that is or was "
                + "here is refused. It signs nothing until it is enabled and a grant names it."
        ],
        options: [
            .value(
                "type", short: "t", "TYPE", "what it is for",
                .choice(["openpgp", "ca", "module", "efi", "cms"]), isRequired: true),
            .value("passphrase-file", "FILE", "the passphrase of the file, on one line", .file),
            .value(
                "certificate", "FILE", "its certificate and authorities in PEM, if not in the file", .file),
            .value("description", "TEXT", "for those who list it"),
            .flag("private", "yours alone, enabled at once, and called USER:NAME"),
        ],
        arguments: [CommandArgument("NAME", "its name"), CommandArgument("FILE", "the private key", .file)],
        examples: [
            CommandExample(
                "From GnuPG",
                "signet key import release secret.asc --type openpgp --passphrase-file passphrase"),
            CommandExample(
                "With its certificate", "signet key import images key.pem --type efi --certificate images.pem"
            ),
        ])

    static let issue = CommandTree(
        "issue", "certify a key whose private half stays elsewhere",
        details: [
            "The request is what `openssl req -new` writes. Name and key are taken from it; what the certificate allows "
                + "follows from the type alone. The key cannot sign here, but be revoked and renewed."
        ],
        options: [
            .value("ca", "KEY", "the authority that certifies it", isRequired: true),
            .value(
                "type", short: "t", "TYPE", "what it is for", .choice(["module", "efi", "cms", "timestamp"]),
                isRequired: true),
            .value("expires", "TIME", "from now on", .duration, fallback: "730d"),
            .value("description", "TEXT", "for those who list it"),
            .value("out", short: "f", "FILE", "write the certificate to a file", .file),
        ],
        arguments: [CommandArgument("NAME", "its name"), CommandArgument("REQUEST", "the request", .file)],
        examples: [
            CommandExample(
                "For a vendor's module key",
                "signet key issue vendor request.pem --ca kernel-ca --type module --out vendor.pem")
        ])

    static let renew = CommandTree(
        "renew", "give keys another end",
        details: [
            "An OpenPGP key says its new end itself; export and publish it again. A key with a certificate gets a new "
                + "one, and the old one stays good until its own end."
        ],
        options: [.value("expires", "TIME", "from now on", .duration, fallback: "730d")],
        arguments: [
            CommandArgument(
                "KEY", "name or id of a key", .proposed(["key", "list", "--names"]), count: 1...100)
        ],
        examples: [CommandExample("For two years more", "signet key renew release")])
}
