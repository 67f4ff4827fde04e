// SPDX-License-Identifier: Apache-2.0

public import Diagnostics
public import KMS
public import Keyring
public import MariaDB
public import Secrets
public import Settings
public import Transport

/// The settings of a data-server, as `config/data-server.toml` tells them line by line.
public struct DataServerSettings: Sendable {
    /// Unique among the data-servers of one database: the record's chains go by it.
    public var name: ServerName
    /// In production the dummy key service is refused.
    public var environment: DeploymentEnvironment
    public var address: Address
    /// Where the status pages are; nil for nowhere.
    public var statusAddress: Address?
    public var tls: TLSSettings
    public var allowsCommonNames: Bool
    public var loops: Int
    public var limits: ServiceLimits
    /// Where root's orders on this machine come in and are kept; nil for nowhere.
    public var localFolder: String?
    /// How long streams may go on once the server has been asked to end.
    public var drainTime: Duration
    public var transport: TransportLimits
    public var database: DatabaseSettings
    public var databasePool: PoolLimits
    public var keyService: ProviderSettings
    public var backend: Backend
    public var hardening: Hardening
    public var logLevel: LogLevel
    public var logForm: LogForm?

    /// Where private halves are used.
    public enum Backend: Hashable, Sendable {
        case memory
    }

    /// Reads all settings, and tells all that is wrong with them at once.
    public static func read(_ sources: SettingsSources) throws -> (DataServerSettings, SettingsReport) {
        let (settings, report) = try sources.read { root in Self(root) }
        guard let settings else { throw DataServiceError(.internalError, "settings were refused in silence") }
        return (settings, report)
    }

    /// Reads a settings file; the environment and the command line may override what it says.
    public static func read(
        at path: String, environment: [String: String] = [:], overrides: [SettingsOverride] = []
    ) throws -> (DataServerSettings, SettingsReport) {
        guard let file = try SettingsFile.load(path) else {
            throw DataServiceError(
                .badConfiguration, "\(path): there is no such file; name one with --config")
        }
        return try read(SettingsSources(files: [file], environment: environment, overrides: overrides))
    }

    private init?(_ root: SettingsReader) {
        let name = root.required("name", Self.serverName)
        environment = root.value(
            "environment", .choice(["production": .production, "development": .development]),
            default: .production)
        let tls = TLSSettings.server(
            certificates: .file(root.required("tls_cert", .path)),
            key: .file(root.required("tls_key", .path)),
            trust: .authorities(.file(root.required("ca_root", .path))))
        self.tls = tls
        self.tls.applicationProtocols = ["h2"]
        self.tls.revocations = root.value("crls", .list(of: .path), default: []).map { .file($0) }

        let server = root.section("data-server")
        let address = Self.address(server, "server_ip", "server_port", default: 8088)
        let status = Self.address(server, "status_ip", "status_port", default: 8089)
        statusAddress = server.value("status", .boolean, default: true) ? status : nil
        allowsCommonNames = server.value("allow_common_names", .boolean, default: false)
        localFolder = server.optional("local_folder", .path)
        loops = server.value("loops", .integer(in: 1...64), default: Cores.available)
        drainTime = server.value("drain", .duration(in: .zero ... .seconds(3600)), default: .seconds(30))
        limits = Self.limits(server.section("limits"))
        var transport = TransportLimits()
        let limitsReader = server.section("connections")
        transport.connections = limitsReader.value(
            "most", .integer(in: 1...1_000_000), default: transport.connections)
        transport.connectionsPerPeer = limitsReader.value(
            "of_client", .integer(in: 1...1_000_000), default: transport.connectionsPerPeer)
        transport.connectionsPerAddress = limitsReader.value(
            "of_address", .integer(in: 1...1_000_000), default: transport.connectionsPerAddress)
        transport.drain = drainTime
        self.transport = transport

        let backend = root.section("sign-backend")
        self.backend = backend.value("type", .choice(["memory": .memory]), default: .memory)
        let memory = root.section("memory")
        keyService = ProviderSettings.read(memory.section("kms-provider"))
        let engine = memory.section("encryption-engine")
        _ = engine.value("algorithm", .choice(["aes256gcm"]), default: "aes256gcm")
        engine.ignore("rotate_in_days")

        let database = root.section("database")
        self.database = DatabaseSettings(reading: database, user: "signet_data")
        var pool = PoolLimits()
        pool.size = database.value("connections", .integer(in: 2...64), default: 4)
        databasePool = pool

        let safety = root.section("hardening")
        let allowed = safety.value("allow", .list(of: Self.step), default: [])
        let heap = safety.value("secure_heap", .size(in: 4096...1 << 30), default: 1 << 20)
        hardening = Hardening(
            secureHeap: heap,
            secretPages: safety.value("secret_pages", .size(in: 4096...1 << 30), default: 1 << 20),
            allowed: Set(allowed))
        if heap & (heap - 1) != 0 {
            safety.refuse("secure_heap", because: "is no power of two; name one, like 1MiB")
        }
        if heap < 2 * limits.keyBytes {
            safety.refuse(
                "secure_heap",
                because: "is less than twice `data-server.limits.key_bytes`; raise it, or lower that")
        }

        let log = root.section("log")
        logLevel = log.value("level", Self.level, default: .info)
        logForm = log.value(
            "form", .choice(["auto": nil, "json": .json, "pretty": .pretty(colours: false)]), default: nil)

        guard let name, let address else { return nil }
        self.name = name
        self.address = address
    }

    // MARK: Parts

    private static func limits(_ section: SettingsReader) -> ServiceLimits {
        var limits = ServiceLimits()
        let count = SettingKind<Int>.integer(in: 1...1_000_000)
        limits.jobs = section.value("jobs", count, default: limits.jobs)
        limits.jobsOfClient = section.value("jobs_of_client", count, default: limits.jobsOfClient)
        limits.jobsOfStream = section.value("jobs_of_stream", count, default: limits.jobsOfStream)
        limits.heldContent = section.value(
            "held_content", .size(in: 2 << 10...1 << 40), default: limits.heldContent)
        limits.largestHeader = section.value(
            "largest_header", .size(in: 1 << 10...64 << 20), default: limits.largestHeader)
        limits.largestContent = section.value(
            "largest_content", .size(in: 1 << 10...1 << 30), default: limits.largestContent)
        let time = SettingKind<Duration>.duration(in: .milliseconds(100) ... .seconds(3600))
        limits.jobTime = section.value("job_time", time, default: limits.jobTime)
        limits.longestJobTime = section.value("longest_job_time", time, default: limits.longestJobTime)
        limits.keyBytes = section.value("key_bytes", .size(in: 4 << 10...1 << 30), default: limits.keyBytes)
        limits.keyIdle = section.value(
            "key_idle", .duration(in: .seconds(1) ... .seconds(30 * 86400)), default: limits.keyIdle)
        limits.uploadPause = section.value("upload_pause", time, default: limits.uploadPause)
        if limits.heldContent / 2 < limits.largestHeader {
            section.refuse(
                "held_content",
                because:
                    "is less than twice `largest_header`, which no client could send; raise it, or lower that"
            )
        }
        return limits
    }

    private static func address(
        _ section: SettingsReader, _ ip: String, _ port: String, default number: Int
    ) -> Address? {
        let text = section.value(ip, .string, default: "127.0.0.1")
        let number = section.value(port, .integer(in: 0...65535), default: number)
        guard let address = Address(text, port: UInt16(number)) else {
            section.refuse(ip, because: "is no IPv4 or IPv6 address; a name does not do here")
            return nil
        }
        return address
    }

    private static let serverName = SettingKind<ServerName?>.text(
        "a name of 1 to 64 small letters, digits, \"-\" and \".\"", placeholder: nil,
        show: { $0?.text ?? "" }, parse: { (try? ServerName($0)).map { .some($0) } })

    private static let step = SettingKind<Hardening.Step>.choice([
        "standard-descriptors": .standardDescriptors, "crash-handlers": .crashHandlers,
        "core-limit": .coreLimit, "coredump-filter": .coredumpFilter, "dumpable": .dumpable,
        "locked-memory": .lockedMemory, "secure-heap": .secureHeap,
    ])

    private static let level = SettingKind<LogLevel>.choice([
        "debug": .debug, "info": .info, "warning": .warning, "error": .error,
    ])
}
