// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics

/// Request ids and traces: unlike each other, and no secrets, so that a system call for each would be a waste. SplitMix64,
/// begun from the system's generator.
final class IdentifierSource: RandomNumberGenerator, Sendable {
    static let shared = IdentifierSource()

    private let state = Lock<UInt64>(UInt64.random(in: .min ... .max))

    func next() -> UInt64 {
        var mixed = state.withLock { state in
            state &+= 0x9e37_79b9_7f4a_7c15
            return state
        }
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
