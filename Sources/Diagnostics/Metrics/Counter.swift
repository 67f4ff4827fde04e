// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// A number that only grows.
public final class Counter: Sendable {
    private let total = Atomic<UInt64>(0)

    init() {}

    public func add(_ count: UInt64 = 1) { total.wrappingAdd(count, ordering: .relaxed) }

    public var value: UInt64 { total.load(ordering: .relaxed) }
}
