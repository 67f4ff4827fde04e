// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import Keyring

/// How many jobs are in flight and how much content they hold: of all clients and of each.
final class JobLedger: Sendable {
    private struct State {
        var jobs = 0
        var bytes = 0
        var ofClient: [ClientIdentity: Share] = [:]
    }

    private struct Share {
        var jobs = 0
        var bytes = 0
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
            let own = state.ofClient[client]?.jobs ?? 0
            guard own < limits.jobsOfClient else { throw tooMany("\(own) jobs of this client") }
            state.jobs += 1
            state.ofClient[client, default: Share()].jobs += 1
        }
    }

    /// A job is over, and `count` bytes of content that were kept for it.
    func release(_ client: ClientIdentity, _ count: Int) {
        state.withLock { state in
            state.jobs -= 1
            state.bytes -= count
            guard var share = state.ofClient[client] else { return }
            share.jobs -= 1
            share.bytes -= count
            state.ofClient[client] = share.jobs > 0 ? share : nil
        }
    }

    /// Books content that is kept until its job is done. What a client holds is at most what he leaves free: one alone
    /// gets half, of two that want all each gets a third, and always the same part is left for the next.
    func hold(_ count: Int, for client: ClientIdentity) throws(DataServiceError) {
        try state.withLock { state throws(DataServiceError) in
            let own = state.ofClient[client]?.bytes ?? 0
            guard own + count <= limits.heldContent - state.bytes - count else {
                throw tooMany("\(own) bytes of content of this client, and \(state.bytes) of all,")
            }
            state.bytes += count
            state.ofClient[client, default: Share()].bytes += count
        }
    }

    private func tooMany(_ what: String) -> DataServiceError {
        DataServiceError(.tooManyJobs, "\(what) are in flight already", retryAfter: limits.retryAfter)
    }
}
