// SPDX-License-Identifier: Apache-2.0

internal import Cryptography
internal import Diagnostics
internal import GRPC
internal import Keyring
internal import Signatures
internal import SigningProtocol
internal import Transport

/// The handler of `signet.v1.Signing`: who calls, which keys he may see, and his streams of jobs.
final class SigningService: SigningHandler {
    let limits: ServiceLimits
    let watch: RevisionWatch
    let recorder: RecordWriter
    let ledger: JobLedger
    let localFreeze: LocalFreeze
    let metrics: ServiceMetrics
    let log: Log
    let queue: WorkQueue
    let clock: LoopClock
    let wallClock: @Sendable () -> Moment
    private let source: any SigningKeySource
    private let clusterKeys: ClusterKeys
    private let cache: KeyCache
    private let allowsCommonNames: Bool
    private let streams = Lock(Streams())

    private struct Streams {
        var open: [UInt64: LoopBound<JobStream>] = [:]
        var lastID: UInt64 = 0
        var isDraining = false
    }

    static let draining = DataServiceError(
        .serverDraining, "the server takes no more jobs", retryAfter: .zero)

    init(_ parts: ServiceParts) {
        limits = parts.limits
        watch = parts.watch
        recorder = parts.recorder
        ledger = JobLedger(parts.limits)
        localFreeze = parts.localFreeze
        metrics = parts.metrics
        log = parts.log
        queue = parts.queue
        clock = parts.clock
        wallClock = parts.wallClock
        source = parts.source
        clusterKeys = parts.clusterKeys
        cache = parts.cache
        allowsCommonNames = parts.allowsCommonNames
    }

    // MARK: The methods

    func sign(_ call: SignCall) async throws {
        let client = try client(of: call.call)
        let stream = JobStream(call, client, self)
        let bound = LoopBound(stream, on: call.call.loop)
        let id: UInt64? = streams.withLock { streams in
            guard !streams.isDraining else { return nil }
            streams.lastID += 1
            streams.open[streams.lastID] = bound
            return streams.lastID
        }
        guard let id else { throw Failure(service: Self.draining) }
        defer { streams.withLock { $0.open[id] = nil } }
        do { try await stream.run() } catch let error as DataServiceError { throw Failure(service: error) }
    }

    func describeKey(_ request: DescribeKeyRequest, _ call: ServerCall) async throws -> KeyDescription {
        try await answering {
            let client = try client(of: call)
            let deadline = deadline(of: call)
            return try await watch.judged(since: clock.nanoseconds(), until: deadline) { snapshot in
                let row = try await row(named: request.key, in: snapshot, client, until: deadline)
                let usable = Gate(snapshot.access, at: wallClock(), from: call.remote.source).usable(
                    by: client, of: [row.record])
                guard let (record, kinds) = usable.first else {
                    throw SignRefusal.notGranted(client.identity, key: request.key)
                }
                return describe(record, kinds, withCertificate: true)
            }
        }
    }

    func listKeys(_ request: ListKeysRequest, _ call: ServerCall) async throws -> ListKeysReply {
        try await answering {
            let client = try client(of: call)
            let deadline = deadline(of: call)
            let snapshot = try await watch.snapshot(until: deadline)
            let granted = Set(
                snapshot.access.grants.filter { $0.clients.matches(client.identity) }.flatMap(\.keys))
            let rows = try await rows(Array(granted), in: snapshot, until: deadline)
            let usable = Gate(snapshot.access, at: wallClock(), from: call.remote.source)
                .usable(by: client, of: rows.map(\.record))
                .filter { !$0.key.state.freesName && $0.key.name.text > request.pageToken }
                .sorted { $0.key.name < $1.key.name }
            let page = usable.prefix(request.limit)
            return ListKeysReply(
                keys: page.map { describe($0.key, $0.kinds, withCertificate: false) },
                nextPageToken: page.count < usable.count ? page.last?.key.name.text ?? "" : "")
        }
    }

    /// Why no job is taken now, if so.
    var trouble: DataServiceError? {
        streams.withLock { $0.isDraining } ? Self.draining : watch.trouble
    }

    /// Takes no more jobs; what is under way is answered, and then the streams end.
    func drain() {
        let open = streams.withLock { streams in
            streams.isDraining = true
            return Array(streams.open.values)
        }
        for stream in open { stream.loop.execute { stream.value.drain() } }
    }

    // MARK: Clients

    private func client(of call: ServerCall) throws -> Client {
        guard let peer = call.peer else {
            throw DataServiceError(.unauthenticated, "a client has to present a certificate")
        }
        try checkCertificate(of: call)
        let identity = try ClientIdentity(
            authority: peer.authority.fingerprint, uris: peer.uris, dnsNames: peer.dnsNames,
            commonNames: peer.commonNames, allowingCommonNames: allowsCommonNames)
        return Client(identity: identity, certificate: peer.fingerprint)
    }

    /// A certificate can expire while its connection is open.
    func checkCertificate(of call: ServerCall) throws(DataServiceError) {
        guard let peer = call.peer, peer.notAfter >= wallClock().seconds else {
            throw DataServiceError(.unauthenticated, "the client's certificate has expired")
        }
    }

    func lane(of client: Client) -> WorkQueue.Lane { queue.lane(named: client.identity.description) }

    private func deadline(of call: ServerCall) -> UInt64 {
        let own = clock.nanoseconds() &+ limits.jobTime.wholeNanoseconds
        return call.deadline.map { min($0, own) } ?? own
    }

    private func answering<Value>(_ body: () async throws -> Value) async throws -> Value {
        do { return try await body() } catch { throw Failure(service: error) }
    }

    // MARK: Keys

    /// The genuine row of a key. For a key that is not there the answer is that of a key without a grant.
    func row(
        named name: String, in snapshot: Snapshot, _ client: Client, until deadline: UInt64
    ) async throws -> StoredKey {
        if let row = snapshot.known(as: name) { return row }
        let refusal = SignRefusal.notGranted(client.identity, key: name)
        guard let selector = Snapshot.Selector(name) else { throw refusal }
        if let known = snapshot.known(selector) {
            guard let row = known else { throw refusal }
            snapshot.remember(name, for: row.record.id)
            return row
        }
        let source = source
        let found = try await retrying(until: deadline) {
            switch selector {
            case .id(let id): try await source.signingKey(id)
            case .name(let name): try await source.signingKey(named: name)
            }
        }
        // A row under another's name is none of this name.
        guard let row = found, selector.fits(row.record) else {
            snapshot.addUnknown(selector)
            throw refusal
        }
        try await retrying(until: deadline) { try await self.clusterKeys.check(row) }
        snapshot.add(row)
        return row
    }

    private func rows(
        _ ids: [KeyID], in snapshot: Snapshot, until deadline: UInt64
    ) async throws -> [StoredKey] {
        var rows: [StoredKey] = []
        var missing: [KeyID] = []
        for id in ids {
            if let known = snapshot.known(.id(id)) {
                rows += [known].compactMap { $0 }
            } else {
                missing.append(id)
            }
        }
        guard !missing.isEmpty else { return rows }
        let wanted = missing
        for row in try await retrying(until: deadline, { try await self.clusterKeys.keys(wanted) }) {
            snapshot.add(row)
            rows.append(row)
        }
        return rows
    }

    /// The unsealed key of a row.
    func key(for row: StoredKey, until deadline: UInt64) async throws -> ReadyKey {
        try await retrying(until: deadline) { try await self.cache.key(for: row) }
    }

    /// Tries again, within the deadline, what failed because something is away.
    private func retrying<Value>(
        until deadline: UInt64, _ body: () async throws -> Value
    ) async throws -> Value {
        var pause = Duration.milliseconds(20)
        while true {
            do {
                return try await body()
            } catch let error as any CodedError where Self.passes(error) {
                guard clock.nanoseconds() &+ pause.wholeNanoseconds < deadline else {
                    throw DataServiceError(.keysAway, error.message, retryAfter: limits.retryAfter)
                }
                try await Task.sleep(for: pause)
                pause = min(pause * 2, .milliseconds(500))
            }
        }
    }

    private static func passes(_ error: any CodedError) -> Bool {
        if error is DataServiceError { return false }
        return error.code.category == .unavailable || error.code.category == .deadline
    }

    private func describe(
        _ record: KeyRecord, _ kinds: Set<SigningKind>, withCertificate: Bool
    ) -> KeyDescription {
        KeyDescription(
            id: record.id.value, name: record.name.text, version: record.version,
            scheme: record.scheme.rawValue, algorithm: record.algorithm.rawValue,
            state: record.state.rawValue, fingerprint: record.fingerprint, created: record.created.seconds,
            expires: record.expires?.seconds, kinds: kinds.map(\.rawValue).sorted(),
            certificate: withCertificate ? record.certificate : [])
    }
}

/// What a service is made of.
struct ServiceParts: Sendable {
    let limits: ServiceLimits
    let watch: RevisionWatch
    let recorder: RecordWriter
    let metrics: ServiceMetrics
    let log: Log
    let queue: WorkQueue
    let clock: LoopClock
    let wallClock: @Sendable () -> Moment
    let source: any SigningKeySource
    let clusterKeys: ClusterKeys
    let cache: KeyCache
    let localFreeze: LocalFreeze
    let allowsCommonNames: Bool
}

extension Address {
    /// `nil` for a unix socket.
    var source: SourceAddress? {
        switch self {
        case .ip4(let bits, _): SourceAddress(ip4: bits)
        case .ip6(let high, let low, _, _): SourceAddress(ip6High: high, low: low)
        case .unix: nil
        }
    }
}
