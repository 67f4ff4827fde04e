// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics

/// What a process that holds keys does before the first of them comes in.
///
/// `apply` takes the steps in their order and stops at the first that fails; the program then ends with the error,
/// which names the step, the cause and the remedy. A step whose name is in `allowed` may fail: the process goes on
/// without it, and `apply` returns what it went without, to be logged. Nothing is locked but secret pages and the
/// secure heap, never the whole process, since limits of 8 MiB or 64 KiB are common.
public struct Hardening: Sendable {
    /// The steps in the order in which they are taken.
    public enum Step: String, CaseIterable, Sendable {
        /// Descriptors 0 to 2 are open, so that no file or connection that is opened later takes the place of stderr
        /// and gets what is printed there. First, because every later step may open something.
        case standardDescriptors = "standard-descriptors"
        /// The system's own reaction to a crash is back in place of Swift's backtracer, which prints registers and the
        /// memory that they point to, in release builds too. Before anything else can crash.
        case crashHandlers = "crash-handlers"
        /// No core file (`RLIMIT_CORE` 0).
        case coreLimit = "core-limit"
        /// A core that is written all the same, as when the pattern is a pipe, for which no limit counts, holds no
        /// memory. It has to precede `dumpable`: afterwards the files under /proc/self belong to root.
        case coredumpFilter = "coredump-filter"
        /// No core dump at all, no debugger of the same user, no reading of /proc/PID/mem (`PR_SET_DUMPABLE` 0).
        case dumpable = "dumpable"
        /// The memory that the process is going to lock can be locked. Before the secure heap, because OpenSSL takes
        /// and uses a heap that it could not lock, and says so in a number only.
        case lockedMemory = "locked-memory"
        /// Private keys live in OpenSSL's secure heap. Last, since it takes its share of the locked memory, and before
        /// any key, since keys made earlier stay where they are.
        case secureHeap = "secure-heap"
    }

    /// A step that failed and that the settings allow to be missing.
    public struct Omission: Sendable {
        public let step: Step
        public let error: SecretsError
    }

    /// Steps without which the process may go on. `lockedMemory` allows all secret memory to be unlocked, the secure
    /// heap included.
    public var allowed: Set<Step>
    /// Bytes of OpenSSL's secure heap, a power of two; 0 for a process that holds no private keys.
    public var secureHeap: Int
    /// Bytes of pages that secrets outside the secure heap may take.
    public var secretPages: Int

    public init(secureHeap: Int, secretPages: Int, allowed: Set<Step> = []) {
        self.secureHeap = secureHeap
        self.secretPages = secretPages
        self.allowed = allowed
    }

    @discardableResult
    public func apply() throws(SecretsError) -> [Omission] {
        var omissions: [Omission] = []
        for step in Step.allCases {
            do {
                try take(step)
            } catch {
                guard allowed.contains(step) else { throw error }
                if step == .lockedMemory { LockedMemoryLimit.mayBeExceeded = true }
                omissions.append(Omission(step: step, error: error))
            }
        }
        return omissions
    }

    private func take(_ step: Step) throws(SecretsError) {
        switch step {
        case .standardDescriptors: try HardeningStep.openStandardDescriptors()
        case .crashHandlers: try HardeningStep.restoreCrashHandlers()
        case .coreLimit: try HardeningStep.forbidCoreFiles()
        case .coredumpFilter: try HardeningStep.emptyCoreDumps()
        case .dumpable: try HardeningStep.forbidDumps()
        case .lockedMemory: try HardeningStep.checkLockedMemory(need: secureHeap + secretPages)
        case .secureHeap: try HardeningStep.makeSecureHeap(secureHeap)
        }
    }
}
