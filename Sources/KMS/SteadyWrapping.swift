// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
public import Keyring
public import Secrets

/// Any provider with a deadline for each call, further tries while the service is away, and a breaker.
///
/// What a service refuses is refused at once: it has answered. One that asks for a pause gets it within the deadline, or is
/// not asked again. A call whose deadline is over is let go of, whatever it
/// still does.
public final class SteadyWrapping: KeyWrapping {
    public struct Limits: Hashable, Sendable {
        /// From the call to its answer, further tries included.
        public var deadline: Duration = .seconds(5)
        public var tries = 3
        /// Before the second try; it doubles from try to try.
        public var pause: Duration = .milliseconds(100)
        /// Failures in a row after which the service is left alone, and for how long.
        public var failures = 5
        public var rest: Duration = .seconds(2)

        public init() {}
    }

    private let wrapped: any KeyWrapping
    private let limits: Limits
    private let now: @Sendable () -> Duration
    private let sleep: @Sendable (Duration) async throws -> Void
    private let breaker: Lock<Breaker>

    /// `now` counts from whenever.
    public init(
        _ wrapped: any KeyWrapping, _ limits: Limits = Limits(),
        now: @escaping @Sendable () -> Duration = SteadyWrapping.monotonic(),
        sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    ) {
        self.wrapped = wrapped
        self.limits = limits
        self.now = now
        self.sleep = sleep
        breaker = Lock(Breaker(limit: max(1, limits.failures), pause: limits.rest))
    }

    public static func monotonic() -> @Sendable () -> Duration {
        let start = ContinuousClock.now
        return { ContinuousClock.now - start }
    }

    public var provider: String { wrapped.provider }

    public func wrap(_ key: borrowing SecretBytes, associatedData: [UInt8]) async throws -> WrappedSecret {
        let held = Held(try SecretBytes(copying: key.bytes))
        let provider = wrapped
        return try await steadily { try await provider.wrap(held.secret, associatedData: associatedData) }
    }

    public func unwrap(_ secret: WrappedSecret, associatedData: [UInt8]) async throws -> SecretBytes {
        let provider = wrapped
        let held = try await steadily {
            Held(try await provider.unwrap(secret, associatedData: associatedData))
        }
        return try held.copy()
    }

    public func checkHealth() async throws {
        let provider = wrapped
        try await steadily { try await provider.checkHealth() }
    }

    /// A secret that several tries share.
    private final class Held: Sendable {
        let secret: SecretBytes
        init(_ secret: consuming SecretBytes) { self.secret = secret }

        func copy() throws -> SecretBytes { try Self.copy(secret) }

        private static func copy(_ source: borrowing SecretBytes) throws -> SecretBytes {
            try SecretBytes(copying: source.bytes)
        }
    }

    // MARK: Tries

    private func steadily<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws
        -> Value
    {
        let end = now() + limits.deadline
        var pause = limits.pause
        var number = 1
        while true {
            guard breaker.withLock({ $0.admits(at: now()) }) else {
                throw KMSError(
                    .kmsUnavailable,
                    "the key service \(provider) did not answer of late, and is left alone for a while")
            }
            do {
                let value = try await within(end - now(), body)
                breaker.withLock { $0.note(isThere: true, at: now()) }
                return value
            } catch {
                let isThere = !Self.isAway(error)
                let asked = (error as? KMSError)?.retryAfter
                breaker.withLock { $0.note(isThere: isThere || asked != nil, at: now()) }
                let wait = max(pause, asked ?? .zero)
                guard !isThere, number < limits.tries, now() + wait < end else { throw error }
                try await sleep(wait)
                pause *= 2
                number += 1
            }
        }
    }

    /// A cancelled caller says nothing about the service, and is not tried again either.
    private static func isAway(_ error: any Error) -> Bool {
        guard let code = (error as? any CodedError)?.code else { return false }
        return code.category == .unavailable || code.category == .deadline
    }

    private func within<Value: Sendable>(
        _ time: Duration, _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let race = Race<Value>()
        let sleep = sleep
        let provider = provider
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                race.begin(continuation)
                race.add(
                    Task.detached {
                        do { race.end(.success(try await body())) } catch { race.end(.failure(error)) }
                    })
                race.add(
                    Task.detached {
                        do { try await sleep(time) } catch { return }
                        race.end(
                            .failure(
                                KMSError(
                                    .kmsUnavailable,
                                    "the key service \(provider) did not answer within the deadline")))
                    })
            }
        } onCancel: {
            race.end(.failure(CancellationError()))
        }
    }
}

/// Who ends first gives the answer; the others are told to stop.
private final class Race<Value: Sendable>: Sendable {
    private struct State {
        var continuation: CheckedContinuation<Value, any Error>?
        /// What came before anybody waited.
        var early: Result<Value, any Error>?
        var tasks: [Task<Void, Never>] = []
        var isOver = false
    }
    private let state = Lock(State())

    func begin(_ continuation: CheckedContinuation<Value, any Error>) {
        let early = state.withLock { state -> Result<Value, any Error>? in
            if state.early == nil { state.continuation = continuation }
            return state.early
        }
        if let early { continuation.resume(with: early) }
    }

    func add(_ task: Task<Void, Never>) {
        let isOver = state.withLock { state in
            if !state.isOver { state.tasks.append(task) }
            return state.isOver
        }
        if isOver { task.cancel() }
    }

    func end(_ result: Result<Value, any Error>) {
        let (continuation, tasks) = state.withLock {
            state -> (CheckedContinuation<Value, any Error>?, [Task<Void, Never>]) in
            guard !state.isOver else { return (nil, []) }
            state.isOver = true
            let found = (state.continuation, state.tasks)
            if state.continuation == nil { state.early = result }
            (state.continuation, state.tasks) = (nil, [])
            return found
        }
        continuation?.resume(with: result)
        for task in tasks { task.cancel() }
    }
}
