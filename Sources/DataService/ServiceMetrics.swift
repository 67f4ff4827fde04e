// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import Signatures

/// What a data-server counts and measures. No name of a key or client is in it.
final class ServiceMetrics: Sendable {
    let metrics: Metrics
    private let jobs: [SigningKind: (signed: Counter, stored: Counter, refused: Counter)]
    private let strangers: Counter
    private let seconds: Histogram
    let recordBatches: Histogram
    let recordFailures: Counter
    let keysUnsealed: Counter
    let keysDropped: Counter
    private let rows: (grants: Counter, keys: Counter)

    enum Table: Sendable { case grant, key }

    init(_ metrics: Metrics) {
        self.metrics = metrics
        let family = metrics.counters(
            "signet_sign_jobs_total", help: "Jobs that were answered.",
            labels: [
                .values(
                    "kind", ["rpm", "rpm-v3", "generic", "cleartext", "module", "efi", "cms", "unknown"]),
                .values("outcome", ["signed", "stored", "refused"]),
            ])
        var jobs: [SigningKind: (signed: Counter, stored: Counter, refused: Counter)] = [:]
        for kind in SigningKind.allCases {
            let name = kind.rawValue
            jobs[kind] = (family.at(name, "signed"), family.at(name, "stored"), family.at(name, "refused"))
        }
        self.jobs = jobs
        strangers = family.at("unknown", "refused")
        seconds = metrics.histogram("signet_sign_job_seconds", help: "From a whole job to its answer.")
        recordBatches = metrics.histogram(
            "signet_record_rows", help: "Rows of one transaction.",
            bounds: [1, 2, 4, 8, 16, 32, 64, 128, 256])
        recordFailures = metrics.counter(
            "signet_record_failures_total", help: "Transactions of records that failed and were tried again.")
        keysUnsealed = metrics.counter(
            "signet_keys_unsealed_total", help: "Private halves that were unsealed.")
        keysDropped = metrics.counter(
            "signet_keys_dropped_total", help: "Private halves that were let go of.")
        let rows = metrics.counters(
            "signet_rows_left_out_total",
            help: "Rows that somebody edited or damaged, each time they were read.",
            labels: [.values("table", ["grant", "key"])])
        self.rows = (rows.at("grant"), rows.at("key"))
    }

    func signed(_ kind: SigningKind, isStored: Bool, in time: Duration) {
        if let counters = jobs[kind] { (isStored ? counters.stored : counters.signed).add() }
        seconds.record(time)
    }

    func disbelieved(_ table: Table) {
        switch table {
        case .grant: rows.grants.add()
        case .key: rows.keys.add()
        }
    }

    func refused(_ kind: SigningKind?) {
        (kind.flatMap { jobs[$0]?.refused } ?? strangers).add()
    }
}
