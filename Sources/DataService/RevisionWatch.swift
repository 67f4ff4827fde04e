// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import Keyring
internal import Transport

/// Asks the database several times a second for its revision and clock, and reads anew what may be done when the
/// revision has changed.
///
/// A job is judged by the latest snapshot, and only while the last answer of the database is young and its clock is not
/// far off ours; otherwise it waits here, until its deadline. What changed a moment ago is caught when the signature is
/// recorded: that transaction reads the revision again.
final class RevisionWatch: Sendable {
    private struct State {
        var snapshot: Snapshot?
        /// When the last good answer was asked for; nil before the first.
        var heard: UInt64?
        var skew: Duration = .zero
        var failure: String?
    }

    private let source: any SigningKeySource
    private let clusterKeys: ClusterKeys
    private let limits: ServiceLimits
    private let clock: LoopClock
    private let wallClock: @Sendable () -> Moment
    /// Sees to the unsealed keys before a new snapshot counts.
    private let prepare: @Sendable (Snapshot) async throws -> Void
    private let log: Log
    private let state = Lock(State())
    /// Changes of the state, and words that something has changed.
    let changes = WaitingLine()
    let nudges = WaitingLine()

    init(
        _ source: any SigningKeySource, _ clusterKeys: ClusterKeys, _ limits: ServiceLimits, clock: LoopClock,
        wallClock: @escaping @Sendable () -> Moment, _ log: Log,
        prepare: @escaping @Sendable (Snapshot) async throws -> Void
    ) {
        self.source = source
        self.clusterKeys = clusterKeys
        self.limits = limits
        self.clock = clock
        self.wallClock = wallClock
        self.log = log
        self.prepare = prepare
    }

    /// Asks again and again, until the task is cancelled.
    func run() async {
        while !Task.isCancelled {
            let heard = nudges.changes
            await ask()
            let next = clock.nanoseconds() &+ limits.pulseEvery.wholeNanoseconds
            await nudges.wait(after: heard, until: next)
        }
    }

    /// Asks once.
    func ask() async {
        let asked = clock.nanoseconds()
        do {
            let before = wallClock()
            let pulse = try await source.pulse()
            let after = wallClock()
            let skew = max(before - pulse.time, pulse.time - after, .zero)
            // A database that was set back has a lower one.
            if state.withLock({ $0.snapshot?.revision }) != pulse.revision {
                let snapshot = Snapshot(try await clusterKeys.access())
                try await prepare(snapshot)
                let before = state.withLock { state in
                    defer { state.snapshot = snapshot }
                    return state.snapshot
                }
                log.debug("what may be done has changed", ["revision": .integer(snapshot.revision.number)])
                tellFreezes(snapshot.access.frozen, before: before?.access.frozen)
            }
            let wasAway = state.withLock { state in
                defer { (state.heard, state.skew, state.failure) = (asked, skew, nil) }
                return state.failure != nil
            }
            if wasAway { log.info("the database answers again") }
        } catch {
            let text = (error as? any CodedError)?.message ?? "the database does not answer"
            let isNew = state.withLock { state in
                defer { state.failure = text }
                return state.failure == nil
            }
            if isNew {
                log.warning(
                    "keys and grants cannot be read", ["reason": .public(text, because: "an error's text")])
            }
        }
        changes.wake()
    }

    private func tellFreezes(_ now: FrozenKeys, before: FrozenKeys?) {
        guard now != before ?? FrozenKeys() else { return }
        if now.isEmpty { return log.warning("signing is not frozen any more") }
        log.warning(
            "signing is frozen", ["all": .flag(now.all), "keys": .integer(now.keys.count)])
    }

    /// Has the revision looked at now: somebody has seen a newer one.
    func nudge() { nudges.wake() }

    /// The latest snapshot, of at least that revision and from an answer that was asked for after `moment`; waits for it
    /// until `deadline`.
    func snapshot(
        atLeast revision: Revision? = nil, askedAfter moment: UInt64 = 0, until deadline: UInt64
    ) async throws(DataServiceError) -> Snapshot {
        while true {
            let seen = changes.changes
            let now = clock.nanoseconds()
            let found = state.withLock { state -> Result<Snapshot?, DataServiceError> in
                if let skewed = skewed(state) { return .failure(skewed) }
                guard let snapshot = state.snapshot, isYoung(state, now),
                    moment == 0 || state.heard.map({ $0 >= moment }) ?? false,
                    revision.map({ snapshot.revision >= $0 }) ?? true
                else { return .success(nil) }
                return .success(snapshot)
            }
            if let snapshot = try found.get() { return snapshot }
            guard now < deadline else { throw away() }
            await changes.wait(after: seen, until: deadline)
        }
    }

    /// Judges by what is known. Who is refused by it may have been let in a moment ago, so a refusal is given only on an
    /// answer of the database that was asked for after `moment`. It comes with the next regular one: what is refused
    /// waits, and puts no load on the database.
    func judged<Verdict: ~Copyable>(
        since moment: UInt64, until deadline: UInt64, _ judge: (Snapshot) async throws -> Verdict
    ) async throws -> Verdict {
        let latest = try await snapshot(until: deadline)
        do {
            return try await judge(latest)
        } catch let refusal as SignRefusal {
            let newer = try await snapshot(askedAfter: moment, until: deadline)
            guard newer.revision != latest.revision else { throw refusal }
            return try await judge(newer)
        }
    }

    /// What nothing is signed with, as the database said last.
    var frozen: FrozenKeys { state.withLock { $0.snapshot?.access.frozen ?? FrozenKeys() } }

    /// Why no job can be judged now; nil when all is well.
    var trouble: DataServiceError? {
        let now = clock.nanoseconds()
        return state.withLock { state in
            skewed(state) ?? (state.snapshot != nil && isYoung(state, now) ? nil : away(state))
        }
    }

    private func isYoung(_ state: State, _ now: UInt64) -> Bool {
        guard let heard = state.heard else { return false }
        return now < heard || now - heard <= limits.pulseLasts.wholeNanoseconds
    }

    private func skewed(_ state: State) -> DataServiceError? {
        guard state.skew > limits.clockSkew else { return nil }
        return DataServiceError(
            .clockOff, "the clocks of this server and of the database are \(state.skew) apart",
            retryAfter: .seconds(5))
    }

    private func away() -> DataServiceError { state.withLock { away($0) } }

    private func away(_ state: State) -> DataServiceError {
        DataServiceError(
            .keysAway, "keys and grants cannot be read now" + (state.failure.map { ": \($0)" } ?? ""),
            retryAfter: limits.retryAfter)
    }
}
