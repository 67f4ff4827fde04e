// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// How much memory the messages that are not whole or not taken yet may hold: of one connection, and of all connections
/// of a server together. Flow control bounds each stream; this bounds what many streams add up to.
final class MemoryBudget {
    /// The part that all connections share.
    final class Shared: Sendable {
        fileprivate let used = Atomic<Int>(0)
        fileprivate let most: Int
        var held: Int { used.load(ordering: .relaxed) }

        init(_ most: Int) { self.most = most }
    }

    private(set) var used = 0
    private let most: Int
    private let shared: Shared

    init(_ most: Int, of shared: Shared) {
        self.most = most
        self.shared = shared
    }

    /// False when there is no room; nothing has changed then.
    func change(by bytes: Int) -> Bool {
        guard bytes != 0 else { return true }
        if bytes > 0 {
            guard used + bytes <= most else { return false }
            guard shared.used.wrappingAdd(bytes, ordering: .relaxed).newValue <= shared.most else {
                shared.used.wrappingSubtract(bytes, ordering: .relaxed)
                return false
            }
        } else {
            shared.used.wrappingAdd(bytes, ordering: .relaxed)
        }
        used += bytes
        return true
    }
}
