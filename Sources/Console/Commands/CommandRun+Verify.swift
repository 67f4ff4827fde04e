// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import Settings
internal import Signatures
internal import Verification

extension CommandRun {
    /// Judges files offline, with the keys or the policy of files that are named.
    func verify() async throws -> Int32 {
        let policy = try policy()
        let detached = try detachedSignature()
        let paths = invocation.arguments("FILE")
        var style = RunReporter.Style()
        style.doneWord = "good"
        style.command = "verify"
        style.form = form
        style.isVerbose = invocation.flag("verbose") || paths.count == 1
        let reporter = RunReporter(style, on: screen, now: program.now)
        reporter.found(files: paths.count)
        let judging = FileJudging(
            paths, as: try kind(), by: policy, at: program.wallClock(), detached: detached)
        await judging.run(telling: reporter)
        if Task.isCancelled {
            _ = reporter.end()
            throw CancellationError()
        }
        return reporter.end()
    }

    /// What the file of a detached signature holds, where one is named.
    func detachedSignature() throws -> [UInt8]? {
        guard let path = invocation.text("signature") else { return nil }
        guard invocation.arguments("FILE").count == 1 else {
            throw ConsoleError(
                .badArguments,
                "signet \(invocation.path.joined(separator: " ")): --signature is for one file",
                remedy: "Name one file, or leave the option out: FILE.asc is found beside FILE.")
        }
        return try InputFile.read(path, limit: 1 << 20)
    }

    /// What the files are; nil for each as it is recognised.
    func kind() throws -> SigningKind? {
        let named = invocation.text("kind").flatMap { SigningKind(rawValue: $0) }
        guard invocation.flag("detached") else { return named }
        guard named == nil || named == .generic else {
            throw ConsoleError(
                .badArguments, "--detached and --kind \(named?.rawValue ?? "") do not go together",
                remedy: "Leave one of them out: a detached signature is of the kind generic.")
        }
        return .generic
    }

    private func policy() throws -> VerificationPolicy {
        let named = ["key", "ca", "crl"].filter { !invocation.texts($0).isEmpty }
        if let path = invocation.text("policy") {
            guard named.isEmpty else {
                throw ConsoleError(
                    .badArguments, "signet verify: --policy and --\(named[0]) do not go together",
                    remedy: "Name the keys in the policy, or leave the policy out.")
            }
            guard let file = try SettingsFile.load(path) else {
                throw ConsoleError(
                    .settingsUnreadable, "\(path): there is no such file",
                    remedy: "Name a policy; docs/reference/verification-policy.md tells how to write one.")
            }
            return try VerificationPolicy(file) { try Self.keys($0) }
        }
        var keys = TrustedKeys()
        for path in invocation.texts("key") {
            let bytes = try Self.keys(path)
            try keys.add(contentsOf: bytes.span, name: path)
        }
        for path in invocation.texts("ca") {
            let bytes = try Self.keys(path)
            try keys.add(authorities: bytes.span, name: path)
        }
        for path in invocation.texts("crl") {
            let bytes = try Self.keys(path)
            try keys.add(revocationLists: bytes.span, name: path)
        }
        guard !keys.isEmpty else {
            throw ConsoleError(
                .badArguments, "signet verify: nobody is trusted",
                remedy: "Name the signers' keys with --key or --ca, or a --policy.")
        }
        return VerificationPolicy(trusting: keys)
    }

    /// A file of keys that is missing is an error of the command line, not of the files that are judged.
    private static func keys(_ path: String) throws -> [UInt8] {
        do throws(ConsoleError) {
            return try InputFile.read(path, limit: 16 << 20)
        } catch {
            throw ConsoleError(.settingsUnreadable, error.message)
        }
    }
}
