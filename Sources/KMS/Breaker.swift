// SPDX-License-Identifier: Apache-2.0

/// Keeps callers from a service that does not answer, so that they hear so at once and it is not asked by all of them when
/// it comes back. Pure: what happened and the time come in.
///
/// After `limit` failures in a row it is open for `pause`, then one call goes through; as that one ends, it is closed or
/// open again.
struct Breaker {
    private let limit: Int
    private let pause: Duration
    private var failures = 0
    /// Since some beginning, as all times here.
    private var openUntil: Duration?
    private var isTrying = false

    init(limit: Int, pause: Duration) {
        self.limit = limit
        self.pause = pause
    }

    /// Whether a call may go through; each that may has to be noted when it ends.
    mutating func admits(at now: Duration) -> Bool {
        guard let end = openUntil else { return true }
        guard end <= now, !isTrying else { return false }
        isTrying = true
        return true
    }

    mutating func note(isThere: Bool, at now: Duration) {
        isTrying = false
        guard !isThere else {
            (failures, openUntil) = (0, nil)
            return
        }
        failures += 1
        if failures >= limit { openUntil = now + pause }
    }
}
