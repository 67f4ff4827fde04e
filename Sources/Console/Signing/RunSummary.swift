// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics

/// The counts of a run over files.
struct RunSummary: Equatable {
    private(set) var done = 0
    private(set) var skipped = 0
    /// Files that took more than one try.
    private(set) var retried = 0
    private(set) var failures: [ErrorCode] = []
    /// How many each data-server signed, or of how many each signer was found to be the one.
    private(set) var signers: [String: Int] = [:]

    var failed: Int { failures.count }
    var files: Int { done + skipped + failed }
    /// A run that found everything in order has done all of it.
    var status: Int32 { ExitStatus.of(done: done, failures: failures) }

    mutating func add(_ report: FileReport) {
        if report.tries > 1 { retried += 1 }
        switch report.outcome {
        case .signed(let signer):
            done += 1
            if let signer { signers[signer, default: 0] += 1 }
        case .skipped: skipped += 1
        case .failed(let failure): failures.append(failure.code)
        }
    }
}
