// SPDX-License-Identifier: Apache-2.0

public import Diagnostics
internal import GRPC
internal import HTTP
public import Keyring
internal import SigningProtocol
public import Transport

/// A running data-server: its loops, listeners and the tasks that keep what it knows young.
///
/// It listens once it has read what may be done, and not before: what cannot sign takes no calls.
public final class DataServer: Sendable {
    /// Where it serves, with the port that the system chose for port 0.
    public let address: Address
    public let statusAddress: Address?
    private let loops: EventLoops
    private let service: SigningService
    private let watch: RevisionWatch
    private let recorder: RecordWriter
    private let cache: KeyCache
    private let backend: any SignBackend
    private let health = HealthService(["", SigningLimits.serviceName])
    private let context: TLSContext
    private let listener: Listener
    private let status: Listener?
    private let local: Listener?
    private let log: Log
    private let tasks: Lock<Tasks>

    private struct Tasks {
        var watching: Task<Void, Never>?
        var writing: Task<Void, Never>?
        var isEnding = false
    }

    /// Builds and starts everything. Throws when what may be done cannot be read, or the clock is wrong.
    public init(
        _ settings: DataServerSettings, keys source: any SigningKeySource, records: any RecordStore,
        wrapping: any KeyWrapping, metrics: Metrics = Metrics(), log: Log,
        wallClock: @escaping @Sendable () -> Moment = Moment.now
    ) async throws {
        self.log = log
        context = try TLSContext(settings.tls)
        let loops = try EventLoops(count: settings.loops)
        self.loops = loops
        let clock = LoopClock.monotonic
        let limits = settings.limits
        let counts = ServiceMetrics(metrics)
        let clusterKeys = ClusterKeys(source, wrapping, counts, log)
        let backend = settings.backend.open(clusterKeys)
        let cache = KeyCache(limits, clock: clock, counts) { row in
            try ReadyKey(try await backend.open(row), row.record, at: wallClock())
        }
        let watch = RevisionWatch(source, clusterKeys, limits, clock: clock, wallClock: wallClock, log) {
            snapshot in
            try await Self.prepare(snapshot, cache, clusterKeys, wallClock())
        }
        let localFreeze = try LocalFreeze(folder: settings.localFolder, log)
        let recorder = RecordWriter(records, atOnce: limits.recordsAtOnce, counts, log)
        (self.backend, self.cache, self.watch, self.recorder) = (backend, cache, watch, recorder)
        service = SigningService(
            ServiceParts(
                limits: limits, watch: watch, recorder: recorder, metrics: counts, log: log,
                queue: loops.queue, clock: clock, wallClock: wallClock, source: source,
                clusterKeys: clusterKeys, cache: cache, localFreeze: localFreeze,
                allowsCommonNames: settings.allowsCommonNames))
        Self.declare(metrics, loops, service, recorder, cache)
        Self.declareFreezes(metrics, watch, localFreeze)
        let first = loops.all[0]
        // Before there is a server there is nothing else that lets waiters go.
        let starting = first.spawn { [watch] in await watch.ask() }
        await starting.value
        do {
            let trouble = watch.trouble
            if let trouble { throw trouble }
            let server = GRPC.Server([.signing(service), health.service], limits: SigningLimits.server)
            listener = try Listener(
                at: settings.address, loops: loops, security: .tls(context), limits: settings.transport
            ) { server.serve($0) }
            address = listener.address
            status = try settings.statusAddress.map { [service] address in
                let pages = HTTP.Server(StatusPages.router(metrics) { service.trouble })
                return try Listener(at: address, loops: loops, security: .plain) { pages.serve($0) }
            }
            statusAddress = status?.address
            local = try settings.localFolder.map { folder in
                let desk = HTTP.Server(LocalDesk.router(localFreeze, log))
                return try Listener(
                    at: .unix(LocalDesk.socket(in: folder)), loops: loops, security: .plain,
                    admits: LocalDesk.admits(log)
                ) { desk.serve($0) }
            }
        } catch {
            Self.stop(loops)
            throw error
        }
        tasks = Lock(
            Tasks(
                watching: first.spawn { [watch] in await watch.run() },
                writing: first.spawn { [recorder] in await recorder.run() }))
        first.execute { [weak self] in Self.tick(self, on: first) }
        showHealth()
        log.info(
            "serving",
            [
                "address": .public("\(address)", because: "the server's own"),
                "loops": .integer(loops.all.count),
            ])
    }
}

// MARK: - Its life

extension DataServer {
    /// Reads certificates, keys and revocation lists for TLS anew. Connections whose client would not be accepted any
    /// more are closed; material that cannot be used is refused as a whole.
    public func reload(_ settings: DataServerSettings) throws {
        try context.reload(settings.tls)
        log.info("certificates were read anew")
    }

    /// Why no job is taken now, if so.
    public var trouble: (any CodedError)? { service.trouble }

    /// Ends in good order: takes no more jobs, answers those under way, writes their records, and wipes every key. What is
    /// left after `time` is cut off.
    public func drain(within time: Duration) async {
        let tasks = tasks.withLock { tasks in
            defer { tasks.isEnding = true }
            return tasks.isEnding ? nil : tasks
        }
        guard let tasks else { return }
        log.info("draining", ["jobs": .integer(service.ledger.jobs)])
        service.drain()
        showHealth()
        await listener.drain(within: time)
        recorder.close()
        await tasks.writing?.value
        tasks.watching?.cancel()
        watch.nudge()
        await tasks.watching?.value
        cache.close()
        backend.close()
        await status?.drain(within: .seconds(1))
        await local?.drain(within: .seconds(1))
        Self.stop(loops)
        log.info("drained")
    }

    // MARK: Parts

    private func showHealth() {
        let state: HealthService.State = trouble == nil ? .serving : .notServing
        for name in ["", SigningLimits.serviceName] { health.set(state, for: name) }
    }

    /// Several times a second: what waits beyond its deadline goes, health is shown as it is, idle keys are wiped.
    func tick() {
        let now = LoopClock.monotonic.nanoseconds()
        watch.changes.expire(at: now)
        watch.nudges.expire(at: now)
        recorder.expire(at: now)
        cache.sweep()
        showHealth()
    }

    /// Drops what changed of the unsealed keys, before a new snapshot counts.
    static func prepare(
        _ snapshot: Snapshot, _ cache: KeyCache, _ clusterKeys: ClusterKeys, _ now: Moment
    ) async throws {
        let ids = cache.ids
        guard !ids.isEmpty else { return }
        // A row that somebody edited keeps no key alive.
        let rows = try await clusterKeys.keys(ids)
        for row in rows { snapshot.add(row) }
        cache.keep(rows, at: now)
    }

    private static func tick(_ server: DataServer?, on loop: EventLoop) {
        guard let server else { return }
        server.tick()
        _ = loop.schedule(after: .milliseconds(25)) { [weak server] in tick(server, on: loop) }
    }

    private static func stop(_ loops: EventLoops) { loops.stop() }

    private static func declare(
        _ metrics: Metrics, _ loops: EventLoops, _ service: SigningService, _ recorder: RecordWriter,
        _ cache: KeyCache
    ) {
        let ledger = service.ledger
        metrics.gauge("signet_jobs_in_flight", help: "Jobs that were taken and not answered.") {
            Double(ledger.jobs)
        }
        metrics.gauge("signet_held_content_bytes", help: "Content that waits for its job.") {
            Double(ledger.bytes)
        }
        metrics.gauge("signet_sign_queue", help: "Signatures that wait for a core.") {
            Double(loops.queue.count)
        }
        metrics.gauge("signet_records_waiting", help: "Signatures that wait for their record.") {
            Double(recorder.count)
        }
        metrics.gauge("signet_keys_held", help: "Private halves in memory.") { Double(cache.ids.count) }
        metrics.gauge("signet_key_bytes", help: "What they take.") { Double(cache.bytes) }
    }
}

extension DataServer {
    private static func declareFreezes(_ metrics: Metrics, _ watch: RevisionWatch, _ local: LocalFreeze) {
        metrics.gauge("signet_frozen", help: "1 while all signing is frozen, everywhere or here.") {
            watch.frozen.all || local.orders.all ? 1 : 0
        }
        metrics.gauge("signet_frozen_here", help: "Orders to freeze that were given on this machine.") {
            let orders = local.orders
            return Double(orders.keys.count + (orders.all ? 1 : 0))
        }
        metrics.gauge("signet_frozen_keys", help: "Keys with which signing is frozen.") {
            Double(watch.frozen.keys.count)
        }
    }
}

extension Moment {
    /// By this machine's clock.
    public static func now() -> Moment {
        let time = WallTime.now()
        return Moment(microseconds: time.seconds &* 1_000_000 &+ Int64(time.nanoseconds / 1000))
    }
}
