// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics

/// A caller who waits for one result. A second one is not heard.
final class Answer<Success: Sendable>: Sendable {
    private let waiting = Lock<CheckedContinuation<Success, any Error>?>(nil)

    func expect(_ continuation: CheckedContinuation<Success, any Error>) {
        waiting.withLock { $0 = continuation }
    }

    func give(_ result: Result<Success, any Error>) {
        let continuation = waiting.withLock { waiting in
            defer { waiting = nil }
            return waiting
        }
        continuation?.resume(with: result)
    }
}
