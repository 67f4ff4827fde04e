// SPDX-License-Identifier: Apache-2.0

/// When a call is tried again, and after which pause. It is pure: what happened, the number of the try and randomness
/// come in, a pause comes out.
public struct RetryPolicy: Sendable {
    /// How a try ended that brought no answer to give to the caller.
    public enum Failure: Sendable, Equatable {
        /// No connection was made, so nothing was asked.
        case notConnected
        /// The connection ended, and the service may have acted.
        case lost
        /// The service is overloaded or away: 429, 502, 503 or 504, with the seconds of Retry-After if it gave them.
        case refused(retryAfter: Int?)
    }

    /// Tries of one call, the first included.
    public var tries = 3
    /// The longest pause before the second try; it doubles from try to try up to `most`.
    public var first: Duration = .milliseconds(100)
    public var most: Duration = .seconds(5)

    public init() {}

    public static let none: RetryPolicy = {
        var policy = RetryPolicy()
        policy.tries = 1
        return policy
    }()

    /// The pause before the next try; nil when there is none. Every pause is random below its bound, so that clients
    /// which failed together do not come back together.
    public func pause(
        after failure: Failure, try number: Int, isIdempotent: Bool,
        using generator: inout some RandomNumberGenerator
    ) -> Duration? {
        guard number < tries, isIdempotent || failure == .notConnected else { return nil }
        let bound = min(most, first * (1 << min(number - 1, 20)))
        let random = bound * Double.random(in: 0...1, using: &generator)
        if case .refused(let seconds?) = failure {
            // Somebody who asks for more than we would ever wait is not asked again.
            let asked = Duration.seconds(seconds)
            return asked > most ? nil : asked + random
        }
        return random
    }
}
