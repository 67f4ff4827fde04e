// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import MemoryScan
internal import Secrets

private struct Refusal: Error {}

/// Counts the canary in this process's memory at each point of a secret's life.
func scan(masked: String, file: String) -> Int32 {
    let canary = Canary(hex: masked)
    let memory = ownMemory()
    func tell(_ point: String) { print("\(point) \(memory.count(canary))") }
    do {
        tell("before")
        try pages(canary, tell)
        tell("pages.released")
        try? failing(canary)
        tell("pages.thrown")
        let arena = SecretArena(budget: 1 << 16)
        try small(arena, canary, tell)
        tell("arena.released")
        try? failing(arena, canary)
        tell("arena.thrown")
        let neighbour = try arena.secret(capacity: 8) { $0.append(1) }
        try small(arena, canary, tell)
        tell("arena.shared.released")
        guard neighbour.count == 1 else { return 1 }
        try read(file, tell)
        tell("file.released")
        try Hardening(secureHeap: 1 << 14, secretPages: 1 << 14).apply()
        try pages(canary, tell)
        tell("hardened.released")
        try forked(canary, memory)
        // That the scan sees the ordinary heap too.
        let heap = [canary.masked.map { $0 ^ Canary.mask }]
        tell("heap.alive")
        guard heap[0].count == canary.masked.count else { return 1 }
        return 0
    } catch {
        print("error \(error)")
        return 1
    }
}

@inline(never) private func pages(_ canary: Canary, _ tell: (String) -> Void) throws {
    let secret = try SecretBytes(capacity: 64) { canary.fill(&$0) }
    tell("pages.alive")
    let copy = try SecretBytes(copying: secret.bytes)
    tell("pages.copied")
    guard secret.isEqualInConstantTime(to: copy) else { throw Refusal() }
}

/// A child finds zeros where its parent's secret is.
@inline(never) private func forked(_ canary: Canary, _ memory: borrowing ProcessMemory) throws {
    let secret = try SecretBytes(capacity: 64) { canary.fill(&$0) }
    print("fork.parent \(memory.count(canary))")
    fflush(nil)
    // Swift hides it, since little works in the child of a process with threads; this one has none.
    typealias Fork = @convention(c) () -> Int32
    guard let symbol = unsafe dlsym(nil, "fork") else { throw Refusal() }
    let child = unsafe unsafeBitCast(symbol, to: Fork.self)()
    if child == 0 {
        // The handle of the parent shows the parent's memory.
        _exit(Int32((try? ProcessMemory().count(canary)) ?? 99))
    }
    var status: Int32 = 0
    unsafe waitpid(child, &status, 0)
    print("fork.child \(status >> 8)")
    guard secret.count == canary.masked.count else { throw Refusal() }
}

@inline(never) private func failing(_ canary: Canary) throws {
    _ = try SecretBytes(capacity: 64) { output throws(Refusal) in
        canary.fill(&output)
        throw Refusal()
    }
}

@inline(never) private func small(_ arena: SecretArena, _ canary: Canary, _ tell: (String) -> Void) throws {
    let secret = try arena.secret(capacity: 40) { canary.fill(&$0) }
    tell("arena.alive")
    guard secret.count == canary.masked.count else { throw Refusal() }
}

@inline(never) private func failing(_ arena: SecretArena, _ canary: Canary) throws {
    _ = try arena.secret(capacity: 40) { output throws(Refusal) in
        canary.fill(&output)
        throw Refusal()
    }
}

@inline(never) private func read(_ file: String, _ tell: (String) -> Void) throws {
    let secret = try SecretBytes(contentsOf: file, lastNewline: .dropped)
    tell("file.alive")
    print("file.count \(secret.count)")
}
