// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL
internal import Glibc

/// Locked pages cut into slots of one size.
///
/// ```
/// chunk = *(guard slot guard)   ; the second guard begins where the secret's capacity ends
/// guard = 16 random bytes, the same for the whole process
/// ```
final class SecretChunk: Sendable {
    let slotSize: Int
    private let pages: LockedPages
    /// Guarded by the lock of the arena.
    nonisolated(unsafe) private var free: [Int]

    init(slotSize: Int) throws(SecretsError) {
        pages = try LockedPages(Self.lockedBytes(slotSize: slotSize))
        self.slotSize = slotSize
        unsafe free = Array((0..<pages.count / Self.stride(slotSize)).reversed())
    }

    /// At least four slots, so that little is wasted on the last one.
    static func lockedBytes(slotSize: Int) -> Int { LockedPages.rounded(4 * stride(slotSize)) }

    var hasRoom: Bool { unsafe !free.isEmpty }
    var isUnused: Bool { unsafe free.count == pages.count / Self.stride(slotSize) }

    func take(_ capacity: Int) -> SecretSlot? {
        guard let index = unsafe free.popLast() else { return nil }
        let start = unsafe pages.base + index * Self.stride(slotSize) + Self.guardSize
        let slot = unsafe SecretSlot(chunk: self, index: index, start: start, capacity: capacity)
        unsafe (start - Self.guardSize).update(from: Self.pattern, count: Self.guardSize)
        unsafe (start + capacity).update(from: Self.pattern, count: Self.guardSize)
        return slot
    }

    func give(back slot: SecretSlot) {
        let intact =
            unsafe memcmp(slot.start - Self.guardSize, Self.pattern, Self.guardSize) == 0
            && memcmp(slot.start + slot.capacity, Self.pattern, Self.guardSize) == 0
        unsafe OPENSSL_cleanse(slot.start - Self.guardSize, Self.stride(slotSize))
        precondition(intact, "memory beside a secret was overwritten")
        unsafe free.append(slot.index)
    }

    private static let guardSize = 16

    private static func stride(_ slotSize: Int) -> Int { slotSize + 2 * guardSize }

    nonisolated(unsafe) private static let pattern: UnsafePointer<UInt8> = {
        var generator = SystemRandomNumberGenerator()
        let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: guardSize)
        for index in 0..<guardSize { unsafe bytes[index] = generator.next() }
        return unsafe UnsafePointer(bytes)
    }()
}

/// Where one secret of an arena lies.
@safe struct SecretSlot: Sendable {
    let chunk: SecretChunk
    let index: Int
    nonisolated(unsafe) let start: UnsafeMutablePointer<UInt8>
    let capacity: Int

    func fill<E: Error>(_ fill: (inout OutputSpan<UInt8>) throws(E) -> Void) throws(E) -> Int {
        let buffer = unsafe UnsafeMutableBufferPointer(start: start, count: capacity)
        var output = unsafe OutputSpan(buffer: buffer, initializedCount: 0)
        try fill(&output)
        return unsafe output.finalize(for: buffer)
    }
}
