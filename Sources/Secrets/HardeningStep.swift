// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import COpenSSL
internal import Diagnostics
internal import Glibc
internal import Synchronization

/// What each step of `Hardening` does. Every one looks at the result afterwards where the system can show it.
enum HardeningStep {
    static func openStandardDescriptors() throws(SecretsError) {
        for descriptor: Int32 in 0...2 where fcntl(descriptor, F_GETFD) == -1 {
            // The lowest free number is this one, since those below are open.
            let opened = unsafe open("/dev/null", O_RDWR)
            guard opened == descriptor else {
                let error = opened < 0 ? errno : 0
                if opened >= 0 { close(opened) }
                throw failed(
                    .standardDescriptors,
                    "descriptor \(descriptor) is closed and /dev/null did not take its place",
                    error, remedy: "start the program with stdin, stdout and stderr open")
            }
        }
    }

    static func restoreCrashHandlers() throws(SecretsError) {
        for number in [SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGQUIT, SIGSEGV, SIGSYS, SIGTRAP] {
            var action = sigaction()
            unsafe sigemptyset(&action.sa_mask)
            guard unsafe sigaction(number, &action, nil) == 0 else {
                throw failed(
                    .crashHandlers, "the default action for signal \(number) could not be set", errno,
                    remedy: "let the process call rt_sigaction")
            }
        }
    }

    static func forbidCoreFiles() throws(SecretsError) {
        var limit = rlimit(rlim_cur: 0, rlim_max: 0)
        guard unsafe setrlimit(__rlimit_resource_t(shim_RLIMIT_CORE), &limit) == 0 else {
            throw failed(
                .coreLimit, "RLIMIT_CORE could not be set to 0", errno, remedy: "set LimitCORE=0 in the unit")
        }
    }

    static func emptyCoreDumps() throws(SecretsError) {
        let path = "/proc/self/coredump_filter"
        // A process that changed its user has lost its own /proc/self/*; the next step closes it again.
        _ = shim_prctl(PR_SET_DUMPABLE, 1, 0)
        let descriptor = unsafe open(path, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw failed(
                .coredumpFilter, "\(path) could not be opened", errno, remedy: "mount /proc writable")
        }
        defer { close(descriptor) }
        var answer: [UInt8] = Array(repeating: 0, count: 16)
        guard unsafe write(descriptor, "0\n", 2) == 2, lseek(descriptor, 0, SEEK_SET) == 0,
            case let count = unsafe read(descriptor, &answer, answer.count), count > 0,
            answer[..<count].allSatisfy({ $0 == UInt8(ascii: "0") || $0 == UInt8(ascii: "\n") })
        else {
            throw failed(
                .coredumpFilter, "0 could not be written to \(path)", errno, remedy: "mount /proc writable")
        }
    }

    static func forbidDumps() throws(SecretsError) {
        guard shim_prctl(PR_SET_DUMPABLE, 0, 0) == 0, shim_prctl(PR_GET_DUMPABLE, 0, 0) == 0 else {
            throw failed(
                .dumpable, "PR_SET_DUMPABLE could not be set to 0", errno,
                remedy: "let the process call prctl")
        }
    }

    static func checkLockedMemory(need: Int) throws(SecretsError) {
        LockedMemoryLimit.raise()
        guard LockedMemoryLimit.takes(max(need, LockedPages.page)) else {
            throw SecretsError(
                code: .memoryNotLocked,
                message:
                    "the process needs to lock \(need) bytes and cannot; \(LockedMemoryLimit.description). "
                    + "Raise it (LimitMEMLOCK= of the unit, ulimit -l, or CAP_IPC_LOCK), or allow the step "
                    + "\(Hardening.Step.lockedMemory.rawValue) in the settings")
        }
    }

    static func makeSecureHeap(_ size: Int) throws(SecretsError) {
        guard size > 0, size != heapSize.load(ordering: .relaxed) else { return }
        // OpenSSL would stop the program.
        guard size >= 4096, size & (size - 1) == 0 else {
            throw failed(
                .secureHeap, "the secure heap cannot have \(size) bytes", 0, code: .secureHeapMissing,
                remedy: "name a power of two that is at least 4096")
        }
        guard CRYPTO_secure_malloc_initialized() == 0 else {
            throw failed(
                .secureHeap, "a secure heap of another size exists already", 0, code: .secureHeapMissing,
                remedy: "harden the process once, before anything else uses OpenSSL")
        }
        guard SecureHeap.hook() else {
            throw failed(
                .secureHeap, "OpenSSL has allocated memory already", 0, code: .secureHeapMissing,
                remedy: "harden the process before anything else uses OpenSSL")
        }
        // The least piece it gives is 32 bytes, as a key on P-256 takes.
        switch CRYPTO_secure_malloc_init(size, 32) {
        case 1: heapSize.store(size, ordering: .relaxed)
        case 2 where LockedMemoryLimit.mayBeExceeded: heapSize.store(size, ordering: .relaxed)
        case 2:
            CRYPTO_secure_malloc_done()
            throw failed(
                .secureHeap,
                "the \(size) bytes of the secure heap were not locked; \(LockedMemoryLimit.description)",
                0, code: .secureHeapMissing,
                remedy: "raise it (LimitMEMLOCK= of the unit, ulimit -l, or CAP_IPC_LOCK)")
        default:
            throw failed(
                .secureHeap, "OpenSSL refused a secure heap of \(size) bytes", 0, code: .secureHeapMissing,
                remedy: "name a size for which there is memory")
        }
    }

    /// Of the secure heap that was made here.
    private static let heapSize = Atomic(0)

    private static func failed(
        _ step: Hardening.Step, _ what: String, _ error: Int32, code: ErrorCode = .processNotHardened,
        remedy: String
    ) -> SecretsError {
        let cause = error == 0 ? "" : " (\(unsafe String(cString: strerror(error))))"
        return SecretsError(
            code: code,
            message: "\(what)\(cause); \(remedy), or allow the step \(step.rawValue) in the settings")
    }
}
