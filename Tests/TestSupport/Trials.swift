// SPDX-License-Identifier: Apache-2.0

internal import Foundation

/// How much a randomised test does, and from which seed.
public enum Trials {
    /// `few` in `make test`, `full` in `make proof`.
    public static func count(_ few: Int, full: Int) -> Int { areFull ? full : few }

    /// Whether this is `make proof`.
    public static let areFull = !(ProcessInfo.processInfo.environment["SIGNET_PROOF"] ?? "").isEmpty

    /// Printed once. `make test` tries the same each time, so that a change is judged by itself; `make proof` looks for what is
    /// new, and `SIGNET_SEED` repeats a run.
    public static let seed: UInt64 = {
        let seed =
            ProcessInfo.processInfo.environment["SIGNET_SEED"].flatMap { UInt64($0) }
            ?? (areFull ? UInt64.random(in: .min ... .max) : 20)
        print("seed: SIGNET_SEED=\(seed)")
        return seed
    }()

    /// A generator of its own for the test called `name`.
    public static func generator(_ name: String) -> SeededGenerator {
        SeededGenerator(seed: name.utf8.reduce(seed) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 })
    }
}

/// SplitMix64.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    public init(seed: UInt64) { state = seed }

    public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
