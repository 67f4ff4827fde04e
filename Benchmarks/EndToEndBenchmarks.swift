// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import TestSupport

/// Packages a second from the client's command line to signed files, records and two data-servers included, beside
/// `rpmsign` with gpg, which gets one process for each core.
let endToEndBenchmarks = Benchmark(name: "sign.e2e") {
    let house = try SigningHouse()
    defer { house.stop() }
    var figures: [Figure] = []
    for algorithm in SigningHouse.Algorithm.all {
        try house.prepare(algorithm)
        var (ours, theirs): ([Double], [Double]) = ([], [])
        // The first round warms caches up.
        for round in 0...3 {
            let mine = try house.rate { try house.sign($0, algorithm) }
            let reference = try house.rate { try house.rpmsign($0, algorithm) }
            if round > 0 {
                ours.append(mine)
                theirs.append(reference)
            }
        }
        figures.append(
            Figure(
                "sign.e2e.\(algorithm.name)", value: median(ours), unit: "packages/s",
                reference: median(theirs)))
    }
    return figures
}

/// Servers of this machine, keys of both sides, and unsigned packages.
private final class SigningHouse {
    struct Algorithm {
        let name: String
        /// In the words of gpg.
        let gpg: String

        static let all = [
            Algorithm(name: "rsa-2048", gpg: "rsa2048"), Algorithm(name: "rsa-4096", gpg: "rsa4096"),
            Algorithm(name: "ed25519", gpg: "ed25519"),
        ]
    }

    static let count = 200
    private let folder: TemporaryFolder
    private let packages: TemporaryFolder
    private var environment = Command.environment

    init() throws {
        folder = try TemporaryFolder()
        packages = try TemporaryFolder()
        environment["PATH"] =
            Repository.path(".build/release") + ":" + (environment["PATH"] ?? "") + ":/usr/sbin"
        environment["SIGNET_CONFIG"] = folder.path + "/client.toml"
        environment["GNUPGHOME"] = folder.path
        try script("programs")
        try script("servers", "start", folder.path)
        try script("demo-files", "rpms", packages.path, "bench", "\(Self.count)", "61440")
    }

    func stop() {
        _ = try? Command.run(["gpgconf", "--kill", "all"], environment: environment)
        try? script("servers", "stop", folder.path)
    }

    private func script(_ name: String, _ arguments: String...) throws {
        try Command.check(
            ["bash", "Scripts/" + name] + arguments, environment: environment, folder: Repository.root)
    }

    private func run(_ arguments: [String]) throws { try Command.check(arguments, environment: environment) }

    func prepare(_ algorithm: Algorithm) throws {
        let (name, user) = (algorithm.name, "bench-\(algorithm.name)@example.org")
        try run([
            "signet", "key", "generate", name, "--type", "openpgp", "--algorithm", name, "--email", user,
        ])
        try run(["signet", "key", "enable", name])
        try run([
            "signet", "grant", "add", "--client", "uri:signet://client/builder", "--key", name, "--kind",
            "rpm",
        ])
        try run([
            "gpg", "--batch", "--passphrase", "", "--quick-generate-key", user, algorithm.gpg, "sign",
            "never",
        ])
    }

    /// Packages a second, of a fresh copy.
    func rate(_ sign: (String) throws -> Void) throws -> Double {
        let copy = try TemporaryFolder()
        try run(["cp", "-r", packages.path + "/.", copy.path])
        let start = ContinuousClock.now
        try sign(copy.path)
        return Double(Self.count) / ((ContinuousClock.now - start) / .seconds(1))
    }

    func sign(_ folder: String, _ algorithm: Algorithm) throws {
        try run(["signet", "sign", "--key", algorithm.name, folder])
    }

    func rpmsign(_ folder: String, _ algorithm: Algorithm) throws {
        let line =
            "ls \"$0\"/*.rpm | xargs -P \"$(nproc)\" -n \(Self.count / 2) rpmsign --define '__gpg /usr/bin/gpg' "
            + "--define '_gpg_name bench-\(algorithm.name)@example.org' --addsign"
        try run(["sh", "-c", line, folder])
    }
}
