// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Diagnostics
internal import Glibc
internal import Secrets

/// Puts obstacles in the way as the arguments say, hardens the process and tells what came of it.
///
/// `close=N`, `files=N` and `memlock=N` (limits), `uid=N`, `deny=CALL[:ARGUMENT]` (the kernel refuses that call),
/// `heap=BYTES`, `pages=BYTES`, `allow=STEP`, `twice`.
func harden(_ arguments: [String]) -> Int32 {
    var hardening = Hardening(secureHeap: 1 << 14, secretPages: 1 << 14)
    var times = 1
    for argument in arguments {
        let words = argument.split(separator: "=", maxSplits: 1).map(String.init)
        let value = words.count > 1 ? words[1] : ""
        switch words[0] {
        case "close": close(Int32(value) ?? -1)
        case "files": limit(7, value)
        case "memlock": limit(8, value)
        case "uid": becomeOrdinary(UInt32(value) ?? 65534)
        case "deny": deny(value)
        case "heap": hardening.secureHeap = Int(value) ?? 0
        case "pages": hardening.secretPages = Int(value) ?? 0
        case "allow": if let step = Hardening.Step(rawValue: value) { hardening.allowed.insert(step) }
        case "twice": times = 2
        default: return 64
        }
    }
    do {
        for _ in 0..<times {
            for omission in try hardening.apply() {
                print("without \(omission.step.rawValue): \(omission.error.code.id)")
            }
        }
        let secret = try SecretBytes(capacity: 16) { $0.append(7) }
        print("secret \(secret.bytes[0])")
        report()
        return 0
    } catch {
        print("error \(error)")
        return 1
    }
}

/// As if this user had started the process: a change of user alone takes its own files under /proc away.
private func becomeOrdinary(_ user: uid_t) {
    guard geteuid() == 0 else { return }
    setuid(user)
    _ = shim_prctl(PR_SET_DUMPABLE, 1, 0)
}

private func limit(_ resource: __rlimit_resource_t, _ value: String) {
    let number = rlim_t(value) ?? 0
    var limit = rlimit(rlim_cur: number, rlim_max: number)
    unsafe setrlimit(resource, &limit)
}

/// What the kernel says of the process now.
private func report() {
    var core = rlimit()
    unsafe getrlimit(__rlimit_resource_t(shim_RLIMIT_CORE), &core)
    print("core \(core.rlim_cur) \(core.rlim_max)")
    print("dumpable \(shim_prctl(PR_GET_DUMPABLE, 0, 0))")
    print("descriptors \((0...2).map { fcntl($0, F_GETFD) >= 0 })")
    let handled = [SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGQUIT, SIGSEGV, SIGSYS, SIGTRAP].filter { number in
        var action = sigaction()
        unsafe sigaction(number, nil, &action)
        return unsafe action.__sigaction_handler.sa_handler != nil
    }
    print("handled \(handled.count)")
    // Opened by a child of another name this would be refused; the process's own status stays readable.
    let own = unsafe open("/proc/self/mem", O_RDONLY)
    print("mem \(own >= 0)")
}

/// A filter of the kernel (seccomp) that answers EPERM to one system call, if its first argument is the given one.
private func deny(_ call: String) {
    let parts = call.split(separator: ":").compactMap { UInt64($0) }
    /// One instruction: operation, how many to skip if equal and if not, and the value.
    func step(_ operation: UInt64, _ equal: UInt64, _ other: UInt64, _ value: UInt64) -> UInt64 {
        operation | equal << 16 | other << 24 | value << 32
    }
    let (load, compare, answer): (UInt64, UInt64, UInt64) = (0x20, 0x15, 0x06)
    let (refuse, pass): (UInt64, UInt64) = (0x0005_0001, 0x7fff_0000)
    // The call's number stands at 0 and its first argument at 16 of what the filter sees.
    var program = [step(load, 0, 0, 0), step(compare, 0, parts.count > 1 ? 3 : 1, parts[0])]
    if parts.count > 1 { program += [step(load, 0, 0, 16), step(compare, 0, 1, parts[1])] }
    program += [step(answer, 0, 0, refuse), step(answer, 0, 0, pass)]
    unsafe program.withUnsafeBufferPointer { steps in
        let header = [UInt(steps.count), UInt(bitPattern: steps.baseAddress)]
        unsafe header.withUnsafeBufferPointer { header in
            _ = shim_prctl(PR_SET_NO_NEW_PRIVS, 1, 0)
            _ = shim_prctl(PR_SET_SECCOMP, 2, UInt(bitPattern: header.baseAddress))
        }
    }
}
