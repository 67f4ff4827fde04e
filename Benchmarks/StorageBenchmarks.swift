// SPDX-License-Identifier: Apache-2.0

internal import Cryptography
internal import Glibc
internal import Keyring
internal import MariaDB
internal import Signatures
internal import Storage
internal import TestSupport

let storageBenchmarks = [
    Benchmark(name: "storage.records.batch256") { try await appendRecords(256, batches: 20) },
    Benchmark(name: "storage.records.batch16") { try await appendRecords(16, batches: 100) },
]

/// Records of signatures in batches, as a data-server writes them, beside the bare insert of rows that are ready into a
/// table without further indexes: what encoding, chaining, the look at the revision and the indexes cost. `.cpu` is what
/// this process spends on a record, without the database server.
private func appendRecords(_ size: Int, batches: Int) async throws -> [Figure] {
    let server = try DatabaseServer(options: ["--innodb-flush-log-at-trx-commit=1"])
    let settings = DatabaseSettings(
        servers: [.socket(path: server.socket)], user: "signet", passwordFile: server.passwordFile,
        database: "signet")
    let pool = try DatabasePool(settings)
    let migrations = try Migrations(folder: Repository.path("migrations"))
    try await pool.run { connection in
        try MigrationRunner(migrations).apply(on: connection)
        try connection.executeDirectly(
            """
            CREATE TABLE bare (id BINARY(16) NOT NULL, sequence BIGINT UNSIGNED NOT NULL PRIMARY KEY,
                body MEDIUMBLOB NOT NULL) ENGINE=InnoDB
            """)
    }
    let storage = DataStorage(pool, server: try ServerName("data-1"))
    let maker = try DraftMaker(revision: try await storage.pulse().revision)
    let bare = BatchInsert(into: "bare", columns: ["id", "sequence", "body"])
    let body = [UInt8](repeating: 0x5a, count: 900)
    var (ours, theirs): ([Double], [Double]) = ([], [])
    var (ourTime, theirTime): ([Double], [Double]) = ([], [])
    var sequence: UInt64 = 0
    for round in 0..<6 {
        let drafts = try (0..<batches).map { _ in try (0..<size).map { _ in try maker.draft() } }
        let clock = ContinuousClock()
        let start = clock.now
        let startTime = processorTime()
        for batch in drafts {
            for outcome in try await storage.append(batch) {
                guard case .stored = outcome else { fatalError("\(outcome)") }
            }
        }
        let own = start.duration(to: clock.now)
        let ownTime = processorTime() - startTime
        let rows: [[[DatabaseValue]]] = try (0..<batches).map { _ in
            try (0..<size).map { _ in
                sequence += 1
                return [.bytes(try UniqueID.random().bytes), .uint(sequence), .bytes(body)]
            }
        }
        let again = clock.now
        let againTime = processorTime()
        for batch in rows { try await pool.transaction { try $0.insert(batch, with: bare) } }
        let other = again.duration(to: clock.now)
        let otherTime = processorTime() - againTime
        // The first round warms the server's files.
        if round > 0 {
            ours.append(Double(size * batches) / (own / .seconds(1)))
            theirs.append(Double(size * batches) / (other / .seconds(1)))
            ourTime.append(ownTime / Double(size * batches) * 1e6)
            theirTime.append(otherTime / Double(size * batches) * 1e6)
        }
    }
    await pool.close()
    return [
        Figure(
            "storage.records.batch\(size)", value: median(ours), unit: "rows/s", reference: median(theirs)),
        Figure(
            "storage.records.batch\(size).cpu", value: median(ourTime), unit: "us",
            reference: median(theirTime)),
    ]
}

/// Of this process, in seconds.
private func processorTime() -> Double {
    var time = timespec()
    unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// Drafts as a data-server makes them, with a signature of the size of RSA-4096 in OpenPGP.
private struct DraftMaker {
    private let ruling: Ruling
    private let key: KeyRecord
    private let now = Moment(seconds: 1_800_000_000)

    init(revision: Revision) throws {
        let spki = try PrivateKey.generate(.p256).publicKey.spki()
        key = try KeyRecord(
            id: .random(), scheme: .module, purpose: .signing, algorithm: .p256, publicKey: spki,
            fingerprint: Digest(hashing: spki.span, with: .sha256).bytes, created: now,
            name: KeyName("kernel-modules"), state: .enabled, expires: nil)
        let authority = [UInt8](repeating: 7, count: 32)
        let client = Client(
            identity: try ClientIdentity(authority: authority, sort: .uri, value: "spiffe://farm/builder/7"),
            certificate: authority)
        let grant = try Grant(
            id: .random(),
            clients: IdentityPattern(authority: authority, sort: .uri, value: "spiffe://farm/builder/*"),
            keys: [key.id], kinds: [.module], created: now)
        let gate = Gate(AccessList(revision: revision, grants: [grant]), at: now)
        ruling = try gate.permit(client, key: key, kind: .module).ruling
    }

    func draft() throws -> RecordDraft {
        let job = try JobID.random()
        let bytes = job.bytes
        let digest = Digest(hashing: bytes.span, with: .sha256)
        return try RecordDraft(
            job: job, ruling: ruling, scheme: .module, fingerprint: key.fingerprint, time: now, claim: digest,
            content: digest, isBlind: false,
            facts: [
                Fact("rpm-name", "bash"), Fact("rpm-version", "5.2.15"), Fact("rpm-release", "1.fc40"),
                Fact("rpm-arch", "x86_64"),
            ], signature: [UInt8](repeating: 0x5a, count: 560))
    }
}
