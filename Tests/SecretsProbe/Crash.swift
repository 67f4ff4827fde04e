// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import MemoryScan
internal import Secrets

/// Crashes with the canary in a register and in memory that a register points to.
func crash(masked: String, kind: String, hardened: Bool) -> Int32 {
    let canary = Canary(hex: masked)
    do {
        if hardened { try Hardening(secureHeap: 1 << 14, secretPages: 1 << 14).apply() }
        let secret = try SecretBytes(capacity: 64) { canary.fill(&$0) }
        fail(kind, canary.word, secret.bytes)
    } catch {
        print("error \(error)")
    }
    return 1
}

@inline(never) private func fail(_ kind: String, _ word: UInt, _ secret: Span<UInt8>) {
    switch kind {
    case "trap":
        // Overflows, whatever the canary is, since its first bit is set.
        print(word + word)
    case "segv":
        // No such address: it is in a register when the processor refuses it.
        print(unsafe UnsafePointer<UInt8>(bitPattern: word)?.pointee ?? 0)
    case "pointer":
        unsafe secret.withUnsafeBytes { bytes in
            guard let nowhere = unsafe UnsafeMutableRawPointer(bitPattern: 16), let start = bytes.baseAddress
            else { return }
            unsafe memmove(nowhere, start, bytes.count)
        }
    case "abort": abort()
    default: exit(64)
    }
}
