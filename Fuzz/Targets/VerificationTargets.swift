// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import Glibc
internal import Settings
internal import Signatures
internal import Verification

let verificationTargets: [FuzzTarget] = [
    // A policy whose files are all missing: each that it names is a problem, so that nothing is trusted.
    FuzzTarget("verification-policy") { input in
        guard let file = try? SettingsFile(path: "/policy.toml", contents: input) else { return }
        do {
            _ = try VerificationPolicy(file) { _ in throw SettingsMissing() }
            throw BrokenPromise("a policy without keys")
        } catch let error as SettingsError {
            guard error.code.category == .configuration else { throw BrokenPromise("\(error.code)") }
        }
    },
    // Any file at all, as each kind: nobody is trusted, so nothing is good, and nothing is an error of the program.
    FuzzTarget("verified-file") { input in
        let path = "/dev/shm/signet-fuzz-verified-\(getpid())"
        let file = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        let count = unsafe input.withUnsafeBytes { unsafe Glibc.write(file, $0.baseAddress, $0.count) }
        close(file)
        defer { unsafe unlink(path) }
        guard count == input.count else { throw BrokenPromise("\(path) could not be written") }
        for kind in [nil] + SigningKind.allCases {
            do {
                let verdict = try FileVerdict(of: path, as: kind, by: TrustedKeys(), at: 1_700_000_000)
                guard verdict.outcome != .good else { throw BrokenPromise("good as \(verdict.kind)") }
                _ = try Inspection(of: path, as: kind)
            } catch let error as any CodedError {
                guard error.code.category != .internal else { throw BrokenPromise("\(error)") }
            }
        }
    },
]

private struct SettingsMissing: Error {}
