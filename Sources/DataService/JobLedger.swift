// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import Keyring

/// How many jobs are in flight and how much content they hold: of all clients and of each.
final class JobLedger: Sendable {
    private struct State {
        var jobs = 0
        var bytes = 0
        var ofClient: [ClientIdentity: Int] = [:]
    }

    private let limits: ServiceLimits
    private let state = Lock(State())

    init(_ limits: ServiceLimits) { self.limits = limits }

    var jobs: Int { state.withLock { $0.jobs } }
    var bytes: Int { state.withLock { $0.bytes } }

    /// Books a job of the client.
    func admit(_ client: ClientIdentity) throws(DataServiceError) {
        try state.withLock { state throws(DataServiceError) in
            guard state.jobs < limits.jobs else { throw tooMany("\(state.jobs) jobs of all clients") }
            let own = state.ofClient[client] ?? 0
            guard own < limits.jobsOfClient else { throw tooMany("\(own) jobs of this client") }
            state.jobs += 1
            state.ofClient[client] = own + 1
        }
    }

    func release(_ client: ClientIdentity) {
        state.withLock { state in
            state.jobs -= 1
            let left = (state.ofClient[client] ?? 1) - 1
            state.ofClient[client] = left > 0 ? left : nil
        }
    }

    /// Books content that is kept until its job is judged.
    func hold(_ count: Int) throws(DataServiceError) {
        try state.withLock { state throws(DataServiceError) in
            guard count <= limits.heldContent - state.bytes else {
                throw tooMany("\(state.bytes) bytes of content")
            }
            state.bytes += count
        }
    }

    func letGo(of count: Int) { state.withLock { $0.bytes -= count } }

    private func tooMany(_ what: String) -> DataServiceError {
        DataServiceError(.tooManyJobs, "\(what) are in flight already", retryAfter: limits.retryAfter)
    }
}
