// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc
internal import Synchronization

/// What the system lets this process lock, and whether it may go on with less.
enum LockedMemoryLimit {
    private static let exceedable = Atomic<Bool>(false)

    /// Set by `Hardening` alone, when the settings allow the step `locked-memory`; like the limit it is the process's.
    static var mayBeExceeded: Bool {
        get { exceedable.load(ordering: .relaxed) }
        set { exceedable.store(newValue, ordering: .relaxed) }
    }

    /// Whether `size` more bytes can be locked now: tried, since the limit binds some processes and not others.
    static func takes(_ size: Int) -> Bool {
        let address = unsafe mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let address = unsafe address, unsafe address != MAP_FAILED else { return false }
        defer { unsafe munmap(address, size) }
        return unsafe mlock(address, size) == 0
    }

    private static let limitOfLockedMemory = __rlimit_resource_t(shim_RLIMIT_MEMLOCK)

    static var description: String {
        var limit = rlimit()
        guard unsafe getrlimit(limitOfLockedMemory, &limit) == 0 else {
            return "the limit (RLIMIT_MEMLOCK) is not known"
        }
        if limit.rlim_cur == rlim_t.max { return "the limit (RLIMIT_MEMLOCK) is unlimited" }
        return "the limit (RLIMIT_MEMLOCK) is \(limit.rlim_cur) bytes"
    }

    /// The soft limit may be raised to the hard one by anybody.
    static func raise() {
        var limit = rlimit()
        guard unsafe getrlimit(limitOfLockedMemory, &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        unsafe setrlimit(limitOfLockedMemory, &limit)
    }
}
