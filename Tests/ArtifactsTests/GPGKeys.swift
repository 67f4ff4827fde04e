// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport

/// Keys in a GnuPG home of their own and an rpm database that trusts them: a foreign signer and a foreign judge.
final class GPGKeys: Sendable {
    enum Key: String, CaseIterable, Sendable {
        case rsa
        case otherRSA = "other"
        case ed25519
    }

    let folder: TemporaryFolder
    private var home: String { folder.path + "/gpg" }
    var database: String { folder.path + "/db" }

    private static let made = Result { try GPGKeys() }

    static func shared() throws -> GPGKeys { try made.get() }

    private init() throws {
        folder = try TemporaryFolder()
        try FileManager.default.createDirectory(
            atPath: folder.path + "/gpg", withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
        for key in Key.allCases {
            try gpg([
                "--passphrase", "", "--quick-gen-key", key.rawValue, key == .ed25519 ? "ed25519" : "rsa2048",
                "sign",
            ])
            let path = try folder.write(
                key.rawValue + ".asc", try gpg(["--armor", "--export", key.rawValue]).stdout)
            try Command.check(["rpmkeys", "--dbpath", database, "--import", path])
        }
        // All of them, as gpgv and sqv read them.
        try gpg(["--export", "-o", folder.path + "/ring.gpg"])
    }

    deinit { _ = try? Command.run(["gpgconf", "--homedir", home, "--kill", "all"]) }

    @discardableResult
    func gpg(_ arguments: [String]) throws -> Command.Output {
        try Command.check(["gpg", "--homedir", home, "--batch", "--no-tty", "--quiet"] + arguments)
    }

    /// A detached signature as one packet.
    func sign(_ content: [UInt8], _ key: Key) throws -> [UInt8] {
        let scratch = try TemporaryFolder()
        let path = try scratch.write("content", content)
        return try gpg(["--digest-algo", "SHA256", "-u", key.rawValue, "-o", "-", "--detach-sign", path])
            .stdout
    }

    /// Signs a package as its builder would, with rpm's own program.
    func rpmsign(_ path: String, _ key: Key, _ options: [String] = []) throws {
        try Command.check(
            [
                "rpmsign", "--define", "_gpg_name \(key.rawValue)", "--define", "_gpg_path \(home)",
                "--define",
                "__gpg /usr/bin/gpg",
            ] + options + ["--addsign", path])
    }

    /// Whether rpm finds a good signature and good digests.
    func accepts(_ path: String) throws -> Bool {
        let output = try Command.run([
            "rpmkeys", "--dbpath", database, "--define", "_pkgverify_level all", "-Kv", path,
        ])
        return output.status == 0 && output.text.contains("Signature, key ID") && !output.text.contains("BAD")
    }

    /// The lines of `rpmkeys -Kv` that name a signature.
    func signatures(of path: String) throws -> [String] {
        try Command.run(["rpmkeys", "--dbpath", database, "-Kv", path]).text.split(separator: "\n")
            .map(String.init).filter { $0.contains("Signature") }
    }
}
