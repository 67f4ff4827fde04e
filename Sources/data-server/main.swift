// SPDX-License-Identifier: Apache-2.0

internal import DataService
internal import Diagnostics
internal import Glibc
internal import KMS
internal import Keyring
internal import MariaDB
internal import Secrets
internal import Settings
internal import Storage
internal import Transport

let frozenKey = CommandOption.value("key", "KEY", "this key alone, by its name or id")

let program = CommandTree(
    "data-server", "sign in memory what clients may have signed",
    details: [
        "A data-server reads keys and grants from the database, takes jobs over gRPC with mutual TLS, and records "
            + "every signature before it gives it away. Any number of them run side by side, each under its own name.",
        "SIGTERM and SIGINT end it in good order: jobs under way are answered, and no new ones are taken. SIGHUP "
            + "makes it read certificates, revocation lists and log level again; other settings need a restart.",
    ], version: "data-server 0.1.0",
    options: [
        .value(
            "config", short: "c", "FILE", "settings file", .file, fallback: "/etc/signet/data-server.toml"),
        .flag("check", "check the settings, print them and end"), .set,
    ],
    examples: [
        CommandExample("Serve", "data-server --config /etc/signet/data-server.toml"),
        CommandExample("Look at the settings", "data-server --check --set data-server.server_port=8443"),
    ],
    commands: [
        CommandTree(
            "freeze", "stop signing on the server of this machine, at once",
            details: [
                "For root, over a unix socket in the folder that the setting data-server.local_folder names. It needs "
                    + "no database, and holds until `thaw`, also after a restart. It says nothing to other servers: "
                    + "`signet freeze` does."
            ],
            options: [frozenKey],
            examples: [CommandExample("While the database is away", "data-server freeze")]),
        CommandTree(
            "thaw", "let signing go on that was frozen here", options: [frozenKey],
            examples: [CommandExample("After all", "data-server thaw --key release")]),
        CommandTree(
            "frozen", "tell what is frozen here",
            examples: [CommandExample("Before one thaws", "data-server frozen")]),
    ], runsAlone: true)

/// What the settings say now.
func settings(_ invocation: Invocation) throws -> (value: DataServerSettings, report: SettingsReport) {
    let path = invocation.text("config") ?? ""
    return try DataServerSettings.read(
        at: path, environment: environment(), overrides: invocation.overrides)
}

/// Opens everything, serves until it shall end, and closes everything.
func serve(_ invocation: Invocation, _ signals: AsyncStream<ProcessSignal>) async throws {
    let settings = try settings(invocation).value
    let omissions = try settings.hardening.apply()
    let sink = try LogSink(program: "data-server", form: settings.logForm, level: settings.logLevel)
    defer { flush(sink) }
    let log = Log(to: sink)
    for omission in omissions {
        log.warning("running less safely than it could", ["reason": .error(omission.error)])
    }
    let kms = try settings.keyService.open(in: settings.environment, log: log)
    try await kms.checkHealth()
    let pool = try DatabasePool(settings.database, limits: settings.databasePool)
    try await SchemaVersion.check(pool, taken: SchemaVersion.takenByData)
    let storage = DataStorage(pool, server: settings.name)
    let server = try await DataServer(settings, keys: storage, records: storage, wrapping: kms, log: log)
    print("serving at \(server.address)")
    if let status = server.statusAddress { print("status at \(status)") }
    fflush(nil)
    let notice = ServiceNotice(environment: environment())
    notice.ready()
    for await signal in signals {
        guard signal == .reload else { break }
        notice.reloading()
        await reload(server, sink, log, invocation)
        notice.ready()
    }
    notice.stopping()
    await server.drain(within: settings.drainTime)
    await pool.close()
}

/// Tells the server of this machine what to stop, and says what is stopped then.
func order(_ invocation: Invocation) async throws {
    let desk = try LocalDesk(settings(invocation).value)
    let frozen: LocalDesk.Frozen
    if let order = invocation.path.last.flatMap({ LocalDesk.Order(rawValue: $0) }) {
        frozen = try await desk.tell(order, key: invocation.text("key"))
    } else {
        frozen = try await desk.frozen()
    }
    if frozen.all { print("all signing is frozen here") }
    for key in frozen.keys { print("signing with \(key) is frozen here") }
    if !frozen.all, frozen.keys.isEmpty { print("nothing is frozen here") }
}

/// Takes the settings that may change; what cannot be used leaves all as it was.
func reload(_ server: DataServer, _ sink: LogSink, _ log: Log, _ invocation: Invocation) async {
    do {
        let now = try settings(invocation).value
        try server.reload(now)
        sink.level = now.logLevel
    } catch let error as any CodedError {
        log.error("the settings were not taken", ["reason": .error(error)])
    } catch {
        log.error("the settings were not taken")
    }
}

func flush(_ sink: LogSink) { sink.flush(within: .seconds(2)) }

func environment() -> [String: String] {
    var found: [String: String] = [:]
    var place = unsafe environ
    while let entry = unsafe place.pointee {
        let parts = unsafe String(cString: entry).split(separator: "=", maxSplits: 1)
        if parts.count == 2 { found[String(parts[0])] = String(parts[1]) }
        unsafe place += 1
    }
    return found
}

/// Says why it ends, and with which status.
func fail(_ error: any Error) -> Never {
    let coded = error as? any CodedError
    let text = coded.map { "\($0.code.id): \($0.message)\n  \($0.code.remedy)" } ?? "\(error)"
    let line = Array("data-server: \(text)\n".utf8)
    _ = unsafe write(2, line, line.count)
    exit(coded?.code.category.exit ?? 1)
}

do {
    // Before anything starts a thread.
    let signals = try ProcessSignal.take()
    switch try program.parse(Array(CommandLine.arguments.dropFirst()), environment: environment()) {
    case .print(let text): print(text, terminator: "")
    case .run(let invocation) where invocation.flag("check"):
        print(try settings(invocation).report.text(origins: true), terminator: "")
    case .run(let invocation) where !invocation.path.isEmpty: try await order(invocation)
    case .run(let invocation): try await serve(invocation, signals)
    }
} catch {
    fail(error)
}
