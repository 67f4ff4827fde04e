// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics

/// Tasks that wait for a change of something, each until its own deadline.
///
/// A waiter takes the number of changes first, looks, and then waits for a later one, so that no change is missed.
final class WaitingLine: Sendable {
    private struct State {
        var changes: UInt64 = 0
        var waiters: [(deadline: UInt64, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let state = Lock(State())

    /// How many changes there were.
    var changes: UInt64 { state.withLock { $0.changes } }

    /// Waits for a change after those, or until `deadline` has been seen to pass.
    func wait(after changes: UInt64, until deadline: UInt64) async {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                guard state.changes == changes else { return true }
                state.waiters.append((deadline, continuation))
                return false
            }
            if isOver { continuation.resume() }
        }
    }

    /// Tells of a change.
    func wake() {
        let woken = state.withLock { state in
            state.changes &+= 1
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in woken { waiter.continuation.resume() }
    }

    /// Lets those go whose deadline has passed.
    func expire(at now: UInt64) {
        let expired = state.withLock { state in
            guard state.waiters.contains(where: { $0.deadline <= now }) else {
                return [] as [CheckedContinuation<Void, Never>]
            }
            defer { state.waiters.removeAll { $0.deadline <= now } }
            return state.waiters.filter { $0.deadline <= now }.map(\.continuation)
        }
        for continuation in expired { continuation.resume() }
    }
}
