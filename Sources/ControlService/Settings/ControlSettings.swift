// SPDX-License-Identifier: Apache-2.0

public import Diagnostics
public import KMS
public import MariaDB
public import Secrets
public import Settings
public import Transport

/// What `control-server` and `control-admin` read from `config/control-server.toml`, which explains each setting.
public struct ControlSettings: Sendable {
    /// `[control-server]`
    public struct Service: Sendable {
        /// Where the REST API is.
        public var address: Address
        /// PEM files.
        public var certificates: String
        public var key: String
        /// Where health and metrics are told, without TLS: for this machine or a network of the operators' alone.
        public var status: Address
        /// The certificate, in PEM, of the authority that clients belong to when a grant names none.
        public var clientAuthority: String?
        /// How long a server that ends waits for requests that it answers.
        public var drain: Duration
        /// Of a token whose maker does not say it.
        public var tokenLife: Duration
        /// How the end of a key is approved.
        public var approvals: ApprovalRules
        /// How often one may ask.
        public var limits: RateLimits.Rules
    }

    /// `[backup]`; for `control-admin` alone.
    public struct BackupSection: Sendable {
        /// Where backups go that are given no place.
        public var folder: String
        /// How old the newest good one may be.
        public var age: Duration
    }

    /// `[log]`
    public struct LogSection: Sendable {
        public var level: LogLevel
        /// By the descriptor when it is not said.
        public var isJSON: Bool?
    }

    /// Whether real keys are at stake.
    public var environment: DeploymentEnvironment
    public var service: Service
    public var database: DatabaseSettings
    public var connections: Int
    /// Who changes the schema and makes the other users; for `control-admin` alone.
    public var owner: DatabaseSettings
    /// Wraps what data-servers sign with.
    public var keyService: ProviderSettings
    /// Wraps what certifies, out of the data-servers' reach; nil for the same, in development.
    public var certifyingService: ProviderSettings?
    /// When cluster keys are replaced.
    public var rotation: RotationRules
    /// The folder of the transport's own certificate authority; for `control-admin` alone.
    public var authority: String
    public var backup: BackupSection
    public var log: LogSection
    public var hardening: Hardening

    /// Reads and validates everything at once.
    public static func read(_ sources: SettingsSources) throws(SettingsError) -> (
        value: ControlSettings, report: SettingsReport
    ) {
        try sources.read { ControlSettings(reading: $0) }
    }

    init(reading settings: SettingsReader) {
        environment = settings.value(
            "environment", .choice(["development": .development, "production": .production]),
            default: .production)
        service = Service(reading: settings)
        let section = settings.section("database")
        database = DatabaseSettings(reading: section, user: "signet_control")
        connections = section.value("connections", .integer(in: 1...64), default: 8)
        owner = database
        owner.user = section.value("owner_user", .string, default: "signet_migration")
        owner.passwordFile = section.optional("owner_password_file", .path)
        // Changing a table takes longer than writing a row.
        owner.statementDeadline = .seconds(60)
        _ = settings.section("sign-backend").value("type", .choice(["memory"]), default: "memory")
        let memory = settings.section("memory")
        let provider = memory.section("kms-provider")
        keyService = .read(provider)
        if case .dummy = keyService, environment == .production {
            provider.refuse(
                "type",
                because:
                    "is dummy, whose key lies beside the data; name another, or set environment = \"development\""
            )
        }
        certifyingService = memory.optionalSection("certifying-kms-provider").map { .read($0) }
        switch certifyingService {
        case nil where environment == .production:
            provider.refuse(
                "type",
                because:
                    "needs another key service beside it: say in [memory.certifying-kms-provider] what wraps the "
                    + "keys that certify, which no data-server may open")
        case .dummy where environment == .production:
            memory.section("certifying-kms-provider").refuse(
                "type", because: "is dummy, whose key lies beside the data; name another")
        case let other? where environment == .production && other.sharesKey(with: keyService):
            memory.section("certifying-kms-provider").refuse(
                "type",
                because:
                    "with this key is what [memory.kms-provider] has: data-servers could open the keys that "
                    + "certify; name another key")
        default: break
        }
        let engine = memory.section("encryption-engine")
        _ = engine.value("algorithm", .choice(["aes256gcm"]), default: "aes256gcm")
        rotation = RotationRules()
        rotation.age = engine.value(
            "rotate_after", .duration(in: .seconds(86_400) ... .seconds(3660 * 86_400)), default: rotation.age
        )
        rotation.uses = engine.value(
            "rotate_after_uses", .integer(in: 1000...1 << 40), default: rotation.uses)
        authority = settings.section("pki").value("folder", .path, default: "/var/lib/signet/pki")
        let backups = settings.section("backup")
        backup = BackupSection(
            folder: backups.value("folder", .path, default: "/var/lib/signet/backup"),
            age: backups.value(
                "max_age", .duration(in: .seconds(3600) ... .seconds(3660 * 86_400)),
                default: .seconds(7 * 86_400)))
        log = LogSection(reading: settings.section("log"))
        hardening = Hardening(reading: settings.section("hardening"))
    }
}

extension ControlSettings.Service {
    fileprivate init(reading settings: SettingsReader) {
        certificates = settings.required("tls_cert", .path)
        key = settings.required("tls_key", .path)
        clientAuthority = settings.optional("ca_root", .path)
        let section = settings.section("control-server")
        address = Self.address(
            section.value("server_ip", .ip, default: .loopback),
            section.value("server_port", .port, default: 8080))
        status = Self.address(
            section.value("status_ip", .ip, default: .loopback),
            section.value("status_port", .port, default: 8081))
        drain = section.value("drain", .duration(in: .zero ... .seconds(300)), default: .seconds(10))
        tokenLife = section.value(
            "token_life", .duration(in: .seconds(60) ... .seconds(366 * 86_400)),
            default: .seconds(365 * 86_400))
        limits = RateLimits.Rules()
        limits.perUser = section.value(
            "limits_per_minute", .integer(in: 0...10_000_000), default: limits.perUser)
        limits.perStranger = section.value(
            "stranger_limits_per_minute", .integer(in: 0...10_000_000), default: limits.perStranger)
        approvals = ApprovalRules()
        approvals.needed = section.value("approvals", .integer(in: 0...20), default: approvals.needed)
        approvals.life = section.value(
            "approval_life", .duration(in: .seconds(60) ... .seconds(366 * 86_400)), default: approvals.life)
        approvals.destroyAfter = section.value(
            "destroy_after", .duration(in: .zero ... .seconds(3660 * 86_400)), default: approvals.destroyAfter
        )
    }

    private static func address(_ ip: Address, _ port: Int) -> Address {
        let port = UInt16(clamping: port)
        switch ip {
        case .ip4(let bits, _): return .ip4(bits, port: port)
        case .ip6(let high, let low, let scope, _):
            return .ip6(high: high, low: low, scope: scope, port: port)
        case .unix: return ip
        }
    }
}

extension ControlSettings.LogSection {
    fileprivate init(reading section: SettingsReader) {
        level = section.value(
            "level", .choice(["debug": .debug, "info": .info, "warning": .warning, "error": .error]),
            default: .info)
        let form = section.value("form", .choice(["auto", "json", "pretty"]), default: "auto")
        isJSON = form == "auto" ? nil : form == "json"
    }
}

extension Hardening {
    fileprivate init(reading section: SettingsReader) {
        let heap = section.value("secure_heap", .size(in: 4096...1 << 30), default: 1 << 20)
        if heap & (heap - 1) != 0 {
            section.refuse("secure_heap", because: "is no power of two; name one, such as 1MiB")
        }
        self.init(
            secureHeap: heap,
            secretPages: section.value("secret_pages", .size(in: 4096...1 << 30), default: 1 << 20),
            allowed: Set(section.value("allow", .list(of: .hardeningStep), default: [])))
    }
}

extension Address {
    fileprivate static let loopback = Address.ip4(0x7f00_0001, port: 0)
}

extension SettingKind<Address> {
    fileprivate static var ip: SettingKind {
        .text(
            "an IPv4 or IPv6 address", placeholder: .loopback,
            show: { address in
                // Without the port, which is a setting of its own.
                let text = address.description
                return String(text.prefix(text.utf8.count - 2)).filter { $0 != "[" && $0 != "]" }
            },
            parse: { Address($0, port: 0) })
    }
}

extension SettingKind<Int> {
    /// 0 for any that is free.
    fileprivate static var port: SettingKind { integer(in: 0...65535) }
}

extension SettingKind<Hardening.Step> {
    fileprivate static var hardeningStep: SettingKind {
        .text(
            "one of " + Hardening.Step.allCases.map(\.rawValue).joined(separator: ", "),
            placeholder: .lockedMemory, show: \.rawValue, parse: { Hardening.Step(rawValue: $0) })
    }
}
