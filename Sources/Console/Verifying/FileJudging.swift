// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import FoundationEssentials
internal import Signatures
internal import Verification

/// Judges many files on all cores, one file a core at a time, and tells of them in the order in which they were named.
final class FileJudging: Sendable {
    private struct State {
        var begun = 0
        var told = 0
        /// Those that were finished before one that was named before them.
        var waiting: [Int: FileReport] = [:]
    }

    private let paths: [String]
    private let kind: SigningKind?
    private let policy: VerificationPolicy
    private let time: Int64
    private let detached: [UInt8]?
    private let state = Lock(State())

    init(
        _ paths: [String], as kind: SigningKind?, by policy: VerificationPolicy, at time: Int64,
        detached: [UInt8]?
    ) {
        self.paths = paths
        self.kind = kind
        self.policy = policy
        self.time = time
        self.detached = detached
    }

    /// Returns when all are told of, or soon after the task was cancelled.
    func run(telling reporter: RunReporter) async {
        let workers = max(1, min(paths.count, ProcessInfo.processInfo.activeProcessorCount))
        await withTaskGroup { group in
            for _ in 0..<workers {
                group.addTask { [self] in
                    while !Task.isCancelled, judgeNext(reporter) {
                        // Signals and others have their turn between two files.
                        await Task.yield()
                    }
                }
            }
        }
    }

    /// False when there is none left.
    private func judgeNext(_ reporter: RunReporter) -> Bool {
        let next = state.withLock { state -> Int? in
            guard state.begun < paths.count else { return nil }
            state.begun += 1
            return state.begun - 1
        }
        guard let next else { return false }
        let report = judge(paths[next])
        state.withLock { state in
            state.waiting[next] = report
            while let first = state.waiting.removeValue(forKey: state.told) {
                reporter.finished(first)
                state.told += 1
            }
        }
        reporter.tick()
        return true
    }

    private func judge(_ path: String) -> FileReport {
        do {
            let verdict = try FileVerdict(of: path, as: kind, by: policy, at: time, detached: detached)
            let outcome: FileReport.Outcome =
                if let error = VerificationError(verdict) { .failed(FileFailure(error)) } else {
                    .signed(by: verdict.signatures.first(where: \.isValid)?.signer)
                }
            var report = FileReport(path, kind: verdict.kind.rawValue, outcome)
            report.verdict = verdict
            return report
        } catch {
            var failure = FileFailure(error)
            // A file that is not what was signed, or a signature that is none: as bad as a wrong one.
            if Self.damages.contains(failure.code) { failure.code = .signatureRefused }
            return FileReport(path, kind: kind?.rawValue, .failed(failure))
        }
    }

    private static let damages: [ErrorCode] = [
        .artifactCorrupt, .artifactMalformed, .signatureMalformed,
    ]
}
