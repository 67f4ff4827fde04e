// SPDX-License-Identifier: Apache-2.0

internal import ASN1
public import Cryptography
internal import Diagnostics
internal import Foundation
internal import KMS
public import Keyring
internal import MariaDB
public import MemoryScan
internal import Secrets
public import Signatures
internal import Storage
public import TestPeers
public import TestSupport

/// What a data-server stands in: a private MariaDB with the schema and its users, keys and grants, an authority for the
/// transport's certificates, the dummy key service, and settings files for any number of data-servers.
///
/// What a control-server would do is done here by its storage.
public final class SigningFarm: Sendable {
    public let database: DatabaseServer
    public let folder: TemporaryFolder
    public let tls: TestTLS
    private let control: ControlStorage
    private let cluster: ClusterKey
    private let authority: [UInt8]
    private let numbers = Lock<[KeyID: [SecretNumber]]>([:])
    /// Of the database's user that data-servers have.
    public let passwordFile: String

    /// `options` go to mariadbd.
    public init(database options: [String] = []) async throws {
        folder = try TemporaryFolder()
        tls = try await TestTLS.make()
        let database = try await apart { try DatabaseServer(options: options) }
        self.database = database
        let tls = tls
        authority = try await apart { try tls.fingerprint("ca") }
        let password = Array("\(UInt64.random(in: .min ... .max))-of-the-data-servers".utf8)
        passwordFile = try folder.write("data.password", password, mode: 0o600)
        try await apart { try Self.migrate(database, password: String(decoding: password, as: UTF8.self)) }
        var limits = PoolLimits()
        limits.size = 2
        control = ControlStorage(
            try DatabasePool(Self.settings(database, user: DatabaseRights.control.rawValue), limits: limits))
        let log = Log(to: try LogSink(program: "farm", level: .error))
        let kms = try LocalKeyFile(folder.path + "/kms-key", in: .development, log: log)
        let (cluster, wrapped) = try await ClusterKey.make(.data, wrappedBy: kms, at: Self.now())
        self.cluster = cluster
        try await control.add(wrapped, Self.event(.clusterKeyCreate))
    }

    private static func migrate(_ database: DatabaseServer, password: String) throws {
        let users = DatabaseRights.allCases.map(\.rawValue)
        try database.sql(users.map { "CREATE USER '\($0)'@'%';\n" }.joined())
        func give(_ role: DatabaseRights) throws {
            let statements = role.statements(database: "signet", user: role.rawValue, host: "%")
            try database.sql(statements.map { $0 + ";\n" }.joined())
        }
        try give(.migration)
        let connection = try DatabaseConnection.open(
            settings(database, user: DatabaseRights.migration.rawValue))
        try MigrationRunner(Migrations(folder: Repository.path("migrations"))).apply(on: connection)
        try give(.control)
        try give(.data)
        try database.sql("ALTER USER '\(DatabaseRights.data.rawValue)'@'%' IDENTIFIED BY '\(password)';\n")
    }

    private static func settings(_ database: DatabaseServer, user: String) -> DatabaseSettings {
        DatabaseSettings(servers: [.socket(path: database.socket)], user: user, database: "signet")
    }

    // MARK: Keys and grants

    /// An enabled OpenPGP key with its certificate.
    public func addOpenPGP(_ name: String, _ algorithm: KeyAlgorithm) async throws -> KeyRecord {
        let pair = try PrivateKey.generate(algorithm)
        let created = Self.now().seconds - 3600
        let signature: SignatureAlgorithm =
            switch algorithm.family {
            case .rsa: .rsaPKCS1(.sha512)
            case .ecdsa: .ecdsa(.sha512)
            case .ed25519: .ed25519
            }
        let certificate = try OpenPGPCertificateDraft(
            userID: "Farm <\(name)@example.org>", key: pair.publicKey, created: created
        ).signed(by: SigningHandle(pair, signature))
        return try await add(
            name, pair, scheme: .openpgp, fingerprint: certificate.fingerprint,
            certificate: certificate.encoded, created: created)
    }

    /// An enabled key for modules with a certificate of an authority made on the spot.
    public func addModule(_ name: String) async throws -> KeyRecord {
        let (root, leaf) = (try PrivateKey.generate(.p256), try PrivateKey.generate(.rsa2048))
        let now = Self.now().seconds
        guard let start = ASN1Time(secondsSince1970: now - 3600),
            let end = ASN1Time(secondsSince1970: now + 86400)
        else { throw CocoaError(.formatting) }
        let handle = try SigningHandle(root, .ecdsa(.sha256))
        func draft(_ name: String, _ key: PublicKey, _ profile: CertificateProfile) throws -> CertificateDraft
        {
            CertificateDraft(
                subject: try DistinguishedName([(DistinguishedName.commonName, name)]), key: key,
                serial: try .random(), notBefore: start, notAfter: end, profile: profile)
        }
        let authority = try draft("Farm CA", root.publicKey, .authority(pathLength: 0)).selfSigned(by: handle)
        let certificate = try draft("Farm modules", leaf.publicKey, .moduleSigner)
            .signed(by: handle, issuer: authority)
        let spki = try leaf.publicKey.spki()
        return try await add(
            name, leaf, scheme: .module, fingerprint: Digest(hashing: spki.span, with: .sha256).bytes,
            certificate: certificate.der, created: now - 60)
    }

    private func add(
        _ name: String, _ pair: PrivateKey, scheme: SigningScheme, fingerprint: [UInt8], certificate: [UInt8],
        created: Int64
    ) async throws -> KeyRecord {
        let record = try KeyRecord(
            id: .random(), scheme: scheme, purpose: .signing, algorithm: pair.algorithm,
            publicKey: pair.publicKey.spki(), fingerprint: fingerprint, created: Moment(seconds: created),
            name: KeyName(name), state: .enabled, expires: nil, certificate: certificate)
        try await control.add([cluster.seal(pair, for: record)], Self.event(.keyGenerate))
        let found = try SecretNumber.all(of: pair)
        numbers.withLock { $0[record.id] = found }
        return record
    }

    /// What to look for where no key may be.
    public func numbers(of key: KeyRecord) -> [SecretNumber] { numbers.withLock { $0[key.id] } ?? [] }

    /// The key of the key service.
    public var keyServiceFile: String { folder.path + "/kms-key" }

    /// Another state of a key, as an administrator would set it.
    public func change(_ key: KeyRecord, to state: KeyState) async throws {
        guard let stored = try await control.key(key.id) else { return }
        var record = stored.record
        record.state = state
        try await control.change(cluster.store(record, insteadOf: stored), Self.event(.keyDisable))
    }

    /// Lets the client with this URI have these kinds signed.
    public func grant(_ keys: [KeyRecord], _ kinds: Set<SigningKind>, to uri: String) async throws {
        let grant = try Grant(
            id: .random(), clients: IdentityPattern(authority: authority, sort: .uri, value: uri),
            keys: Set(keys.map(\.id)), kinds: kinds, created: Self.now())
        try await control.add(cluster.store(grant), Self.event(.grantCreate))
    }

    /// The records of a data-server, the newest first. A connection that broke with the database is tried again.
    public func records(of server: String) async throws -> [SignatureRecord] {
        var query = RecordQuery()
        query.limit = RecordQuery.largest
        query.server = try ServerName(server)
        var attempts = 0
        while true {
            do {
                return try await control.records(query)
            } catch let error as DatabaseError where attempts < 10 && error.kind == .connectionLost {
                attempts += 1
            }
        }
    }

    // MARK: Data-servers

    /// Writes the settings of a data-server and returns their path. `lines` go to `[data-server]`.
    public func settings(_ name: String, lines: String = "", limits: String = "") throws -> String {
        try folder.write(
            name + ".toml",
            """
            name = "\(name)"
            environment = "development"
            tls_cert = "\(tls.file("server.crt"))"
            tls_key = "\(tls.file("server.key"))"
            ca_root = "\(tls.ca.certificate)"
            [data-server]
            server_port = 0
            status_port = 0
            \(lines)
            [data-server.limits]
            \(limits)
            [database]
            servers = ["\(database.socket)"]
            user = "data"
            password_file = "data.password"
            [memory.kms-provider]
            type = "dummy"
            file = "kms-key"
            [log]
            level = "warning"
            """)
    }

    private static func event(_ action: AuditAction) throws -> AuditEvent {
        try AuditEvent(time: now(), actor: .program("farm"), action: action, subject: "farm")
    }

    private static func now() -> Moment {
        Moment(microseconds: Int64(Date().timeIntervalSince1970 * 1_000_000))
    }
}

/// A data-server of its own process.
public final class RunningServer: Sendable {
    public let process: Companion
    public let port: UInt16
    public let statusPort: UInt16

    /// Starts it, after `before` if that is given, and waits until it serves.
    public init(settings: String, before: [String] = [], program: String = Products.path("data-server"))
        throws
    {
        process = try Companion(before + [program, "--config", settings])
        func port(_ line: String?) throws -> UInt16 {
            guard let text = line?.split(separator: ":").last, let port = UInt16(text) else {
                throw DatabaseServer.Unavailable(description: "the data-server did not start: \(line ?? "")")
            }
            return port
        }
        self.port = try port(process.readLine())
        statusPort = try port(process.readLine())
    }
}
