// SPDX-License-Identifier: Apache-2.0

import Bytes
import Cryptography
import Diagnostics
import Foundation
import Keyring
import MariaDB
import Secrets
import Signatures
import Storage
import TestSupport
import Testing

/// The two versions of every port.
enum Backend: String, CaseIterable, Sendable {
    case memory
    case mariaDB
}

/// All ports of one fresh database, or of one memory, and what puts rows into them.
final class Stores: Sendable {
    let keys: any KeyStore
    let clusterKeys: any ClusterKeyStore
    let grants: any GrantStore
    let users: any UserStore
    let audit: any AuditStore
    let proposals: any ProposalStore
    let freezes: any FreezeStore
    let lists: any RevocationListStore
    let seals: any SealStore
    let archive: any RecordArchive
    let source: any SigningKeySource
    /// One data-server's, by its name.
    let records: @Sendable (String) throws -> any RecordStore
    let database: TestDatabase?
    let data: ClusterKey
    let control: ClusterKey

    static let now = Moment(seconds: 1_800_000_000)

    init(_ backend: Backend) async throws {
        let kms = try TestKMS()
        let made = (
            try await ClusterKey.make(.data, wrappedBy: kms, at: Self.now),
            try await ClusterKey.make(.control, wrappedBy: kms, at: Self.now)
        )
        (data, control) = (made.0.key, made.1.key)
        switch backend {
        case .memory:
            let memory = MemoryStorage { Stores.now }
            (keys, clusterKeys, grants, users, audit) = (memory, memory, memory, memory, memory)
            (archive, source, proposals, lists, seals, freezes) = (
                memory, memory, memory, memory, memory, memory
            )
            records = { memory.records(of: try ServerName($0)) }
            database = nil
        case .mariaDB:
            let database = try await TestDatabase.empty()
            // Without a change that the tests would see.
            for (table, wrapped) in [
                ("signing_cluster_key", made.0.wrapped), ("certifying_cluster_key", made.1.wrapped),
            ] {
                try database.sql(
                    """
                    INSERT INTO \(table) VALUES (x'\(Hex.encode(wrapped.id.bytes))', 'test', 'k', '1',
                        x'\(Hex.encode(wrapped.secret.ciphertext))', '2027-01-15 08:00:00')
                    """)
            }
            let control = ControlStorage(try database.pool(.control))
            let pool = try database.pool(.data)
            (keys, clusterKeys, grants, users, audit) = (control, control, control, control, control)
            (archive, proposals, lists, seals, freezes) = (control, control, control, control, control)
            source = DataStorage(pool, server: try ServerName("reader"))
            records = { DataStorage(pool, server: try ServerName($0)) }
            self.database = database
        }
    }

    // MARK: Rows

    static let pairs = Result { try (0..<4).map { _ in try PrivateKey.generate(.p256) } }

    func record(
        _ name: String, _ pair: PrivateKey? = nil, scheme: SigningScheme = .module,
        purpose: KeyPurpose = .signing, state: KeyState = .enabled, parent: KeyID? = nil
    ) throws -> KeyRecord {
        let spki = try (pair ?? .generate(.p256)).publicKey.spki()
        let digest = Digest(hashing: spki.span, with: .sha256).bytes
        return try KeyRecord(
            id: .random(), scheme: scheme, purpose: purpose, algorithm: .p256, publicKey: spki,
            fingerprint: scheme == .openpgp ? Array(digest.prefix(20)) : digest,
            created: Self.now + .microseconds(1), parent: parent, name: KeyName(name), summary: "a key",
            state: state,
            expires: Self.now + .seconds(1000), certificate: [1, 2, 3])
    }

    func stored(
        _ name: String, scheme: SigningScheme = .module, purpose: KeyPurpose = .signing,
        state: KeyState = .enabled, parent: KeyID? = nil
    ) throws -> StoredKey {
        let pair = try PrivateKey.generate(.p256)
        let record = try record(name, pair, scheme: scheme, purpose: purpose, state: state, parent: parent)
        return try (purpose == .signing ? data : control).seal(pair, for: record)
    }

    /// Adds a key and returns it as it is read.
    func added(
        _ name: String, scheme: SigningScheme = .module, purpose: KeyPurpose = .signing,
        state: KeyState = .enabled, parent: KeyID? = nil
    ) async throws -> StoredKey {
        let key = try stored(name, scheme: scheme, purpose: purpose, state: state, parent: parent)
        try await keys.add([key], Self.event(.keyGenerate, name))
        return try #require(try await keys.key(key.record.id))
    }

    static func event(_ action: AuditAction, _ subject: String = "something") throws -> AuditEvent {
        try AuditEvent(
            time: now, actor: .program("tests"), action: action, subject: subject,
            facts: [Fact("why", "test")])
    }

    static let authority = [UInt8](repeating: 7, count: 32)

    static func client(_ value: String = "spiffe://farm/builder/7") throws -> Client {
        Client(
            identity: try ClientIdentity(authority: authority, sort: .uri, value: value),
            certificate: [UInt8](repeating: 9, count: 32))
    }

    func grant(_ keys: Set<KeyID>, kinds: Set<SigningKind> = [.module], created: Moment = now) throws
        -> StoredGrant
    {
        try data.store(
            Grant(
                id: .random(),
                clients: IdentityPattern(
                    authority: Self.authority, sort: .uri, value: "spiffe://farm/builder/*"),
                keys: keys, kinds: kinds, created: created))
    }

    static func draft(
        _ key: KeyRecord, job: JobID? = nil, revision: Revision, claim: UInt8 = 1, content: UInt8? = nil,
        client: Client? = nil, time: Moment = now, size: Int = 300
    ) throws -> RecordDraft {
        let grant = try Grant(
            id: .random(),
            clients: IdentityPattern(authority: authority, sort: .uri, value: "spiffe://farm/builder/*"),
            keys: [key.id], kinds: [.module], created: now)
        let access = AccessList(revision: revision, grants: [grant])
        let permit = try Gate(access, at: now + .seconds(1)).permit(
            client ?? Self.client(), key: key, kind: .module)
        func digest(_ byte: UInt8) -> Digest {
            let bytes = [byte]
            return Digest(hashing: bytes.span, with: .sha256)
        }
        return try RecordDraft(
            job: job ?? .random(), ruling: permit.ruling, scheme: key.scheme, fingerprint: key.fingerprint,
            time: time, claim: digest(claim), content: content.map { digest($0) }, isBlind: content == nil,
            facts: [Fact("module-name", "zram")], signature: [UInt8](repeating: claim, count: size))
    }
}

/// Wraps with nothing but a mask: what it does is tested elsewhere.
struct TestKMS: KeyWrapping {
    let provider = "test"

    init() throws {}

    func wrap(_ key: borrowing SecretBytes, associatedData: [UInt8]) async throws -> WrappedSecret {
        WrappedSecret(key: "k", version: "1", ciphertext: (0..<key.count).map { key.bytes[$0] ^ 0x55 })
    }

    func unwrap(_ wrapped: WrappedSecret, associatedData: [UInt8]) async throws -> SecretBytes {
        try SecretBytes(capacity: wrapped.ciphertext.count) { output in
            for byte in wrapped.ciphertext { output.append(byte ^ 0x55) }
        }
    }

    func checkHealth() async throws {}
}

/// A database of its own on the shared server, migrated, with a user for each role who has exactly his rights.
final class TestDatabase: Sendable {
    /// Nothing here asks what outlives a crash of the machine.
    static let server = Result { try DatabaseServer(options: ["--innodb-flush-log-at-trx-commit=0"]) }
    static let migrations = Result { try Migrations(folder: Repository.path("migrations")) }

    let name: String
    private static let shared = Once { try TestDatabase() }

    /// The one that tests use one after the other, without any rows.
    static func empty() async throws -> TestDatabase {
        let database = try await shared.value()
        let tables = [
            "freeze", "former_certificate", "revocation_list", "proposal", "signature_record", "api_token",
            "account",
            "client_denial",
            "grant_key", "signing_grant",
            "certifying_key", "signing_key", "key_name", "public_key", "certifying_cluster_key",
            "signing_cluster_key", "audit_entry",
        ]
        try database.sql(
            tables.map { "DELETE FROM \($0);\n" }.joined()
                + """
                UPDATE revision SET number = 1;
                UPDATE audit_head SET sequence = 0, digest = UNHEX(REPEAT('00', 32));
                """)
        return database
    }

    init() throws {
        let server = try Self.server.get()
        name = "t" + String(UInt32.random(in: 0 ... .max), radix: 16)
        try server.sql("CREATE DATABASE \(name) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
        try server.sql(DatabaseRights.allCases.map { "CREATE USER '\(user($0))'@'%';\n" }.joined())
        try give(.migration)
        try migrate()
        try give(.control)
        try give(.data)
    }

    func user(_ role: DatabaseRights) -> String { "\(name)_\(role.rawValue)" }

    private func give(_ role: DatabaseRights) throws {
        let statements = role.statements(database: name, user: user(role), host: "%")
        try Self.server.get().sql(statements.map { $0 + ";\n" }.joined())
    }

    private func migrate() throws {
        let connection = try DatabaseConnection.open(settings(.migration))
        try MigrationRunner(Self.migrations.get()).apply(on: connection)
    }

    func settings(_ role: DatabaseRights) throws -> DatabaseSettings {
        let socket = try Self.server.get().socket
        return DatabaseSettings(servers: [.socket(path: socket)], user: user(role), database: name)
    }

    func pool(_ role: DatabaseRights, size: Int = 4) throws -> DatabasePool {
        var limits = PoolLimits()
        limits.size = size
        return try DatabasePool(settings(role), limits: limits)
    }

    /// As root, who may do anything.
    @discardableResult
    func sql(_ text: String) throws -> String { try Self.server.get().sql("USE \(name);\n" + text) }
}

/// A value that is made when it is first asked for.
actor Once<Value: Sendable> {
    private let make: @Sendable () async throws -> Value
    private var task: Task<Value, any Error>?

    init(_ make: @escaping @Sendable () async throws -> Value) { self.make = make }

    func value() async throws -> Value {
        if let task { return try await task.value }
        let task = Task { try await make() }
        self.task = task
        return try await task.value
    }
}

extension Result where Failure == any Error {
    init(_ body: () throws -> Success) { self.init(catching: body) }
}

/// The code of the error that `body` throws, or `nil`.
func code(_ body: () async throws -> Void) async -> ErrorCode? {
    do {
        try await body()
        return nil
    } catch { return (error as? any CodedError)?.code }
}

extension StoredKey {
    func deleted(by cluster: ClusterKey) throws -> StoredKey {
        var record = record
        record.state = .deleted
        return try cluster.store(record, insteadOf: self)
    }
}
