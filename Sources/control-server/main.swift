// SPDX-License-Identifier: Apache-2.0

// Serves the REST API of the control plane: settings, open, wire, serve.

internal import ControlService
internal import Diagnostics
internal import Glibc
internal import HTTP
internal import Keyring
internal import MariaDB
internal import Secrets
internal import Settings
internal import Transport

let program = CommandTree(
    "control-server", "serve the REST API of the control plane", version: "control-server 0.1.0",
    options: [
        .value(
            "config", short: "c", "FILE", "settings", .file, fallback: "/etc/signet/control-server.toml",
            variable: "SIGNET_CONFIG"), .set,
    ],
    examples: [CommandExample("Serve on a laptop", "control-server --config config/control-server.toml")])

func main() async throws {
    let environment = ProgramEnd.environment
    let invocation: Invocation
    switch try program.parse(Array(CommandLine.arguments.dropFirst()), environment: environment) {
    case .print(let text): return ProgramEnd.print(text)
    case .run(let found): invocation = found
    }
    let settings = try ControlSettings.load(invocation, environment)

    // Before the first thread, and before the first key.
    let signals = try ProcessSignal.take()
    let omissions = try settings.hardening.apply()
    let log = Log(
        to: try LogSink(program: "control-server", form: settings.log.form, level: settings.log.level))
    for omission in omissions {
        log.warning("hardening: a step is missing, as the settings allow", ["step": .error(omission.error)])
    }

    let plane = try await ControlPlane.open(settings, clock: Moment.now, log: log)
    try await plane.ring.prepare(by: Caller(program: "control-server"), at: Moment.now())
    let readiness = plane.readiness(clock: Moment.now)
    let metrics = Metrics()
    metrics.declare(plane.pool)
    let board = OutlookBoard(metrics, clock: Moment.now)
    let api = ControlAPI(
        keys: plane.keys, users: plane.users, grants: plane.grants,
        approvals: plane.approvals, records: plane.records, readiness: readiness,
        authority: try settings.service.clientAuthorityFingerprint(),
        limits: RateLimits(settings.service.limits, clock: Moment.now))

    var tls = TLSSettings.server(
        certificates: .file(settings.service.certificates), key: .file(settings.service.key), trust: nil)
    // Callers prove themselves with tokens.
    tls.clients = .anonymous
    tls.applicationProtocols = Server.applicationProtocols
    let context = try TLSContext(tls)
    let loops = try EventLoops()
    let rest = Server(try api.router, observe: RequestLog(metrics, log).observe)
    let status = Server(.status(readiness, metrics))
    let listener = try Listener(at: settings.service.address, loops: loops, security: .tls(context)) {
        rest.serve($0)
    }
    let statusListener = try Listener(at: settings.service.status, loops: loops, security: .plain) {
        status.serve($0)
    }
    ProgramEnd.print("rest \(listener.address)\nstatus \(statusListener.address)\n")
    log.info(
        "serving",
        [
            "rest": .public(listener.address.description, because: "an address of our own"),
            "status": .public(statusListener.address.description, because: "an address of our own"),
        ])

    let caretaker = Task {
        await Caretaker(plane.keys, rotation: plane.rotation, board: (board, settings.watchedFiles))
            .run(every: .seconds(60), log: log)
    }
    let notice = ServiceNotice(environment: environment)
    notice.ready()
    for await signal in signals {
        if signal == .end { break }
        notice.reloading()
        do {
            try context.reload()
            log.info("certificates were read again")
        } catch let error as TransportError {
            log.error("certificates could not be read again, the old ones stay", ["error": .error(error)])
        }
        notice.ready()
    }
    notice.stopping()
    log.info("ending")
    caretaker.cancel()
    await listener.drain(within: settings.service.drain)
    await statusListener.drain(within: .seconds(1))
    await plane.pool.close()
    flush(log)
}

func flush(_ log: Log) { _ = log.sink.flush(within: .seconds(2)) }

do {
    try await main()
} catch {
    exit(ProgramEnd.tell(error, of: "control-server"))
}
