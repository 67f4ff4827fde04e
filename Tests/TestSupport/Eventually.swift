// SPDX-License-Identifier: Apache-2.0

public import Testing

/// Waits until something holds. The limit is for what never comes: on a busy machine other tests may keep the threads
/// that all share for minutes.
public func eventually(
    _ what: Comment? = nil, within limit: Duration = .seconds(600), _ condition: () async throws -> Bool
) async rethrows {
    let end = ContinuousClock.now + limit
    while try await !condition() {
        guard ContinuousClock.now < end else {
            Issue.record(what ?? "it did not happen in time")
            return
        }
        try? await Task.sleep(for: .milliseconds(2))
    }
}
