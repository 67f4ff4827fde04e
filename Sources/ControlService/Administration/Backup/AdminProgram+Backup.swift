// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Cryptography
internal import Diagnostics
internal import KMS
internal import Keyring
internal import MariaDB
internal import Secrets
internal import Settings
internal import Storage

/// Backups of everything that the control plane knows (docs/reference/backup.md).
extension AdminProgram {
    // MARK: Making one

    func createBackup(_ invocation: Invocation) async throws {
        let settings = try settings(invocation)
        let plane = try await plane(invocation)
        let now = clock()
        let path = try invocation.text("out") ?? Self.newPath(in: settings.backup.folder, at: now)
        guard !PublicFile.exists(path) else {
            throw ControlError(.fileNotWritten, "\(path): exists already; name a new file")
        }
        guard let newest = try await plane.storage.clusterKeys(of: .control).first else {
            throw ControlError(.unavailable, "there is nothing to keep yet: `control-admin init` comes first")
        }
        let key = try await plane.ring.key(newest.id)
        let head = BackupHead(
            schema: try await SchemaVersion.present(plane.pool), created: now, clusterKey: newest.id)
        let digest = try await plane.pool.run { connection in
            try BackupFile.write(path, code: { try key.code(ofBackup: $0) }) { sink in
                try DatabaseBackup.write(connection, head: head, to: sink)
            }
        }
        await plane.pool.close()
        tell("\(path)  sha256:\(Hex.encode(digest.bytes))  schema \(head.schema)")
        tell("not verified yet: control-admin backup verify \(path)")
    }

    private static func newPath(in folder: String, at now: Moment) throws -> String {
        try PublicFile.makeFolder(folder)
        let time = Timestamp.text(now).filter { $0 != "-" && $0 != ":" }
        return "\(folder)/signet-\(time)\(BackupMark.ending)"
    }

    // MARK: Looking at one

    func verifyBackup(_ invocation: Invocation) async throws {
        let settings = try settings(invocation)
        _ = try settings.hardening.apply()
        let path = invocation.argument("FILE") ?? ""
        let check = try await check(path, settings)
        try BackupMark(digest: Hex.encode(check.contents.digest.bytes), verified: clock()).write(beside: path)
        tell(check.contents)
        tell("good  \(path)")
    }

    private func check(_ path: String, _ settings: ControlSettings) async throws -> BackupCheck {
        let check = try BackupCheck(path)
        try await check.run(ring(over: BackupKeys(check.contents), settings))
        return check
    }

    /// What the key services of the settings open.
    func ring(over keys: any ClusterKeyStore, _ settings: ControlSettings) throws -> ClusterKeyRing {
        ClusterKeyRing(
            store: keys, wrapping: try settings.keyService.open(in: settings.environment, log: log),
            certifying: try settings.certifyingService?.open(in: settings.environment, log: log))
    }

    private func tell(_ contents: BackupContents) {
        let head = contents.audit
        tell(
            "of \(Timestamp.text(contents.head.created)), schema \(contents.head.schema), "
                + "\(contents.rows.values.reduce(0, +)) rows, sha256:\(Hex.encode(contents.digest.bytes))")
        tell(
            "\(contents.keys.count) keys, \(contents.grants.count) grants, \(contents.clusterKeys.count) cluster keys"
        )
        tell("audit  \(head.sequence) entries  \(head.sequence):\(Hex.encode(head.digest.bytes))")
        for (server, head) in contents.records.sorted(by: { $0.key.text < $1.key.text }) {
            tell("records of \(server)  \(head.sequence)  \(head.sequence):\(Hex.encode(head.digest.bytes))")
        }
    }

    // MARK: Living with one

    /// As the user who may change the schema, since nobody else may write what was recorded.
    func restoreBackup(_ invocation: Invocation) async throws {
        let settings = try settings(invocation)
        _ = try settings.hardening.apply()
        let path = invocation.argument("FILE") ?? ""
        let folder = invocation.text("folder") ?? "migrations"
        let contents = try await check(path, settings).contents
        let migrations = try Migrations(folder: folder)
        guard contents.head.schema <= migrations.all.count else {
            throw ControlError(
                .schemaMismatch,
                "\(path) is of the schema \(contents.head.schema), this release knows \(migrations.all.count)"
            )
        }
        var limits = PoolLimits()
        limits.size = 1
        let pool = try DatabasePool(settings.owner, limits: limits)
        let count = try await pool.run { connection in
            let runner = MigrationRunner(migrations)
            // Into the schema that it is of; what came later changes it there as it would have changed the old one.
            guard try runner.status(on: connection).version <= contents.head.schema else {
                try DatabaseBackup.expectEmpty(connection)
                throw ControlError(
                    .schemaMismatch,
                    "the database has a later schema than \(path); restore into one without tables")
            }
            try runner.apply(upTo: contents.head.schema, on: connection)
            let count = try BackupFile.read(path) { source in
                try DatabaseBackup.restore(
                    { try BackupReader(source) }, digest: contents.digest.bytes, connection)
            }
            try runner.apply(on: connection)
            return count
        }
        let event = try Self.caller.event(
            .backupRestore, Hex.encode(contents.digest.bytes), at: clock(), [("rows", String(count))])
        try await ControlStorage(pool).note(event)
        await pool.close()
        tell("\(count) rows are there again; give the programs' users their rights with `database rights`")
    }
}

/// That a backup was found good, in a file beside it: its SHA-256, and when.
///
/// ```
/// mark = 64HEXDIG SP timestamp LF
/// ```
struct BackupMark {
    let digest: String
    let verified: Moment

    static let ending = ".backup"
    private static let markEnding = ".verified"

    func write(beside path: String) throws {
        try PublicFile.write(
            "\(digest) \(Timestamp.text(verified))\n", to: path + Self.markEnding, replacing: true)
    }

    init(digest: String, verified: Moment) { (self.digest, self.verified) = (digest, verified) }

    /// `nil` when there is none that can be read.
    init?(beside path: String) {
        guard let text = try? PublicFile.text(path + Self.markEnding) else { return nil }
        let words = text.split { $0 == " " || $0 == "\n" }
        guard words.count == 2, let moment = Timestamp.parse(String(words[1])) else { return nil }
        self.init(digest: String(words[0]), verified: moment)
    }
}
