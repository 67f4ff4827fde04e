// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics

/// Locked memory for many small secrets, such as passphrases and tokens, with a budget.
///
/// Secrets of 1 to 4096 bytes share pages, in slots of 32, 64, … 4096 bytes. On either side of a secret stand 16 bytes
/// that are checked when it is released: when something wrote over them, the program stops. A released slot is wiped
/// at once; pages whose last secret was released go back to the system.
public final class SecretArena: Sendable {
    public static let largest = 4096

    /// How many bytes of pages the arena may lock.
    public let budget: Int
    private let state = Lock(State())

    struct State {
        /// For each size of slot, the chunks that have such.
        var chunks: [Int: [SecretChunk]] = [:]
        var locked = 0
    }

    public init(budget: Int) {
        self.budget = budget
    }

    /// How many bytes of pages are locked now.
    public var locked: Int { state.withLock { $0.locked } }

    /// Lets `fill` append at most `capacity` bytes to a new secret. When it throws, what it wrote is wiped.
    public func secret<E: Error>(
        capacity: Int, filledBy fill: (inout OutputSpan<UInt8>) throws(E) -> Void
    ) throws -> ArenaSecret {
        let slot = try reserve(capacity)
        do {
            return ArenaSecret(slot: slot, arena: self, count: try slot.fill(fill))
        } catch {
            release(slot)
            throw error
        }
    }

    private func reserve(_ capacity: Int) throws(SecretsError) -> SecretSlot {
        guard 0...Self.largest ~= capacity else { throw .tooLarge(capacity, limit: Self.largest) }
        var size = 32
        while size < capacity { size *= 2 }
        let slotSize = size
        return try state.withLock { state throws(SecretsError) in
            if let chunk = state.chunks[slotSize]?.last(where: { $0.hasRoom }),
                let slot = chunk.take(capacity)
            {
                return slot
            }
            let need = SecretChunk.lockedBytes(slotSize: slotSize)
            guard need <= budget - state.locked else { throw .budgetSpent(budget) }
            let chunk = try SecretChunk(slotSize: slotSize)
            guard let slot = chunk.take(capacity) else { throw .budgetSpent(budget) }
            state.chunks[slotSize, default: []].append(chunk)
            state.locked += need
            return slot
        }
    }

    fileprivate func release(_ slot: SecretSlot) {
        state.withLock { state in
            let chunk = slot.chunk
            chunk.give(back: slot)
            if chunk.isUnused {
                state.chunks[chunk.slotSize]?.removeAll { $0 === chunk }
                state.locked -= SecretChunk.lockedBytes(slotSize: chunk.slotSize)
            }
        }
    }
}

/// A secret that lives in an arena, with one owner, wiped on release.
public struct ArenaSecret: ~Copyable, Sendable {
    fileprivate let slot: SecretSlot
    fileprivate let arena: SecretArena
    public let count: Int

    deinit { arena.release(slot) }

    public var bytes: Span<UInt8> {
        @_lifetime(borrow self)
        borrowing get {
            let span = unsafe Span(_unsafeStart: slot.start, count: count)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// Compares in a time that depends on the lengths alone.
    public borrowing func isEqualInConstantTime(to other: Span<UInt8>) -> Bool {
        ConstantTime.areEqual(bytes, other)
    }
}
