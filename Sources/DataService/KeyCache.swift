// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import Keyring
internal import Transport

/// Unsealed keys, ready to sign, in locked memory.
///
/// A key is unsealed when it is first used. It goes when its row is not what it was unsealed from, or says that it may
/// not sign any more; when it was not used for long; and, the least recently used first, when the cache is full. A key
/// that goes is wiped as soon as the last signature under way with it is done.
final class KeyCache: Sendable {
    private struct Held {
        let row: StoredKey
        let key: ReadyKey
        let bytes: Int
        var used: UInt64
    }

    private struct State {
        var held: [KeyID: Held] = [:]
        var bytes = 0
        var opening: [KeyID: (row: StoredKey, task: Task<ReadyKey, any Error>)] = [:]
        var isClosed = false
    }

    private let open: @Sendable (StoredKey) async throws -> ReadyKey
    private let limits: ServiceLimits
    private let clock: LoopClock
    private let metrics: ServiceMetrics
    private let state = Lock(State())

    init(
        _ limits: ServiceLimits, clock: LoopClock, _ metrics: ServiceMetrics,
        open: @escaping @Sendable (StoredKey) async throws -> ReadyKey
    ) {
        self.limits = limits
        self.clock = clock
        self.metrics = metrics
        self.open = open
    }

    /// The keys that are held.
    var ids: [KeyID] { state.withLock { Array($0.held.keys) } }
    var bytes: Int { state.withLock { $0.bytes } }

    /// The key of a row that was found to be genuine, unsealed if it is not held.
    func key(for row: StoredKey) async throws -> ReadyKey {
        let now = clock.nanoseconds()
        let found: (key: ReadyKey?, task: Task<ReadyKey, any Error>?) = try state.withLock { state in
            let id = row.record.id
            if let held = state.held[id], Self.isSame(held.row, row) {
                state.held[id]?.used = now
                return (held.key, nil)
            }
            guard !state.isClosed else {
                throw DataServiceError(.serverDraining, "the server is about to end", retryAfter: .zero)
            }
            if let opening = state.opening[id], Self.isSame(opening.row, row) { return (nil, opening.task) }
            let task = Task { try await self.unseal(row) }
            state.opening[id] = (row, task)
            return (nil, task)
        }
        if let key = found.key { return key }
        guard let task = found.task else {
            throw DataServiceError(.internalError, "no key and no task for one")
        }
        return try await task.value
    }

    private func unseal(_ row: StoredKey) async throws -> ReadyKey {
        let result: Result<ReadyKey, any Error>
        do { result = .success(try await open(row)) } catch { result = .failure(error) }
        let dropped = state.withLock { state in
            let id = row.record.id
            guard let opening = state.opening[id], Self.isSame(opening.row, row) else { return [] as [Held] }
            state.opening[id] = nil
            guard case .success(let key) = result, !state.isClosed else { return [] }
            var dropped = [remove(id, &state)].compactMap { $0 }
            let bytes = Self.bytes(of: row)
            while state.bytes + bytes > limits.keyBytes,
                let oldest = state.held.min(by: { $0.value.used < $1.value.used })?.key
            {
                dropped += [remove(oldest, &state)].compactMap { $0 }
            }
            state.held[id] = Held(row: row, key: key, bytes: bytes, used: clock.nanoseconds())
            state.bytes += bytes
            return dropped
        }
        if case .success = result { metrics.keysUnsealed.add() }
        metrics.keysDropped.add(UInt64(dropped.count))
        return try result.get()
    }

    /// Keeps those held keys whose rows are among these as they were, and may sign.
    func keep(_ rows: [StoredKey], at now: Moment) {
        let rows = Dictionary(rows.map { ($0.record.id, $0) }) { first, _ in first }
        drop { held in
            guard let row = rows[held.row.record.id], Self.isSame(row, held.row) else { return true }
            return row.record.state.after(.sign) == nil || row.record.isExpired(at: now)
        }
    }

    /// Lets go of keys that were not used for long.
    func sweep() {
        let now = clock.nanoseconds()
        let idle = limits.keyIdle.wholeNanoseconds
        drop { now > $0.used && now - $0.used >= idle }
    }

    /// Lets go of all, and takes no more.
    func close() {
        state.withLock { $0.isClosed = true }
        drop { _ in true }
    }

    private func drop(_ isOver: (Held) -> Bool) {
        // The keys are wiped outside of the lock.
        let dropped = state.withLock { state in
            let ids = state.held.filter { isOver($0.value) }.keys
            return ids.compactMap { remove($0, &state) }
        }
        metrics.keysDropped.add(UInt64(dropped.count))
    }

    private func remove(_ id: KeyID, _ state: inout State) -> Held? {
        guard let held = state.held.removeValue(forKey: id) else { return nil }
        state.bytes -= held.bytes
        return held
    }

    /// Whether both have the same private half and certificate.
    private static func isSame(_ one: StoredKey, _ other: StoredKey) -> Bool {
        one.sealed == other.sealed && one.record.id == other.record.id
            && one.record.version == other.record.version
            && one.record.certificate == other.record.certificate
    }

    /// About what the private half takes in locked memory.
    private static func bytes(of row: StoredKey) -> Int { 256 + (row.sealed?.encoded.count ?? 0) }
}
