// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import Diagnostics
internal import Keyring
internal import MariaDB
internal import Secrets
public import Settings
internal import Storage

/// Does what `control-admin` was asked for, and says what it did.
public struct AdminProgram: Sendable {
    let environment: [String: String]
    let clock: Clock
    let log: Log
    private let say: @Sendable (String) -> Void

    /// `say` writes text for the user.
    public init(
        environment: [String: String], clock: @escaping Clock, log: Log,
        say: @escaping @Sendable (String) -> Void
    ) {
        self.environment = environment
        self.clock = clock
        self.log = log
        self.say = say
    }

    static let caller = Caller(program: "control-admin")

    public func run(_ invocation: Invocation) async throws {
        switch invocation.path {
        case ["migrate"]: try await migrate(invocation)
        case ["init"]: try await setUp(invocation)
        case ["user", "add"]: try await addUser(invocation)
        case ["user", "change"]: try await changeUser(invocation)
        case ["cluster-key", "list"]: try await listClusterKeys(invocation)
        case ["cluster-key", "rotate"]: try await rotateClusterKeys(invocation)
        case ["cluster-key", "reseal"]: try await resealRows(invocation)
        case ["audit", "verify"]: try await verifyChains(invocation)
        case ["database", "rights"]: try printRights(invocation)
        case ["key", "generate"]: try await generateKey(invocation)
        case ["key", "development-set"]: try await generateSet(invocation)
        case ["doctor"]: try await examine(invocation)
        case ["backup", "create"]: try await createBackup(invocation)
        case ["backup", "verify"]: try await verifyBackup(invocation)
        case ["backup", "restore"]: try await restoreBackup(invocation)
        case ["pki", "init"]: try makeAuthority(invocation)
        case ["pki", "issue"]: try issue(invocation)
        case ["pki", "revoke"]: try await revoke(invocation)
        case ["pki", "list"]: try listCertificates(invocation)
        case ["pki", "crl"]: try renewList(invocation)
        default: throw ControlError(.badArguments, "control-admin: there is no such command")
        }
    }

    func tell(_ line: String) { say(line + "\n") }

    func settings(_ invocation: Invocation) throws -> ControlSettings {
        let settings = try ControlSettings.load(invocation, environment)
        log.sink.level = settings.log.level
        return settings
    }

    /// The control plane, in a process that is as hard to look into as the server's.
    func plane(_ invocation: Invocation) async throws -> ControlPlane {
        let settings = try settings(invocation)
        _ = try settings.hardening.apply()
        return try await ControlPlane.open(settings, clock: clock, log: log)
    }

    // MARK: Database

    private func migrate(_ invocation: Invocation) async throws {
        let settings = try settings(invocation)
        let migrations = try Migrations(folder: invocation.text("folder") ?? MigrationsFolder.found())
        // A pool of one: its connection has a thread of its own, on which a migration may block.
        var limits = PoolLimits()
        limits.size = 1
        let pool = try DatabasePool(settings.owner, limits: limits)
        let applied = try await pool.run { try MigrationRunner(migrations).apply(on: $0) }
        await pool.close()
        for label in applied { tell("applied \(label)") }
        tell("the schema is at version \(migrations.all.count)")
    }

    private func printRights(_ invocation: Invocation) throws {
        let settings = try settings(invocation)
        guard let role = invocation.argument("ROLE").flatMap({ DatabaseRights(rawValue: $0) }) else {
            throw ControlError(.badArguments, "ROLE: control, data or migration")
        }
        let usual =
            switch role {
            case .control: settings.database.user
            case .data: "signet_data"
            case .migration: settings.owner.user
            }
        let statements = role.statements(
            database: settings.database.database, user: invocation.text("user") ?? usual,
            host: invocation.text("host") ?? "%")
        for statement in statements { tell(statement + ";") }
    }

    // MARK: The first administrator

    private func setUp(_ invocation: Invocation) async throws {
        guard let name = invocation.text("name"), let file = invocation.text("token-file") else {
            throw ControlError(.badArguments, "--name and --token-file are needed")
        }
        // Before the token is made, since nobody could read it afterwards.
        guard !PublicFile.exists(file) else {
            throw ControlError(.fileNotWritten, "\(file): exists already; name a new file for the token")
        }
        let plane = try await plane(invocation)
        try await plane.ring.prepare(by: Self.caller, at: clock())
        let made = try await plane.users.setUp(
            name, replacingToken: invocation.flag("replace-token"), by: Self.caller)
        do {
            try made.text.write(toNewFile: file, addingNewline: true)
        } catch {
            tell("the token could not be written; `control-admin init --replace-token` makes another one")
            throw error
        }
        await plane.pool.close()
        tell("administrator \(name), token in \(file) until \(Timestamp.text(made.token.expires))")
    }
}
